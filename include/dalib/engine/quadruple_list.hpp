/// @file
/// Quadruples that an estimator names one by one, as the machines visit them.
#pragma once

#include "dalib/engine/backend.hpp"
#include "dalib/estimator/estimators.hpp"

#include <algorithm>

namespace dalib::engine {

/// The quadruples' rows, and for each row the quadruples that it is in, written to `to` one after the other: 4 count places, as many starts
/// as there are rows and one more, 4 count entries. O(n + count).
template <listed_quadruple_estimator Estimator>
void write_quadruple_list(const Estimator& estimator, const sample_sizes& n, index_t count, index_t* to) {
  const index_t rows = n.source + n.target;
  index_t *places = to, *starts = places + 4 * count, *entries = starts + rows + 1;
  std::fill_n(starts, rows + 1, index_t{0});
  const auto row_of = [&](index_t entry) { return places[entry] + (entry % 4 < 2 ? 0 : n.source); };
  for (index_t q = 0; q < count; ++q) {
    const quadruple_places one = estimator.places(n, q);
    const index_t all[4] = {one.source_first, one.source_second, one.target_first, one.target_second};
    std::copy_n(all, 4, places + 4 * q);
    for (index_t r = 0; r < 4; ++r) ++starts[row_of(4 * q + r)];
  }
  index_t end = 0;
  for (index_t row = 0; row <= rows; ++row) starts[row] = end += starts[row];
  for (index_t entry = 4 * count; entry-- > 0;) entries[--starts[row_of(entry)]] = entry;
}

/// An estimator's plan, with the list of its quadruples in `scratch` if it names them.
template <class Exec, class Estimator, class Workspace>
quadruple_plan plan_of(const Exec& exec, const Estimator& estimator, const sample_sizes& n, Workspace& scratch) {
  quadruple_plan plan = estimator.plan(n);
  if constexpr (listed_quadruple_estimator<Estimator>) {
    const auto fill = [&](index_t* to) { write_quadruple_list(estimator, n, plan.count, to); };
    const index_t rows = n.source + n.target;
    const index_t* numbers = backend<typename Exec::memory>::template filled_for<index_t>(exec, 8 * plan.count + rows + 1, fill, scratch);
    plan.list = {numbers, numbers + 4 * plan.count, numbers + 4 * plan.count + rows + 1};
  }
  return plan;
}

} // namespace dalib::engine
