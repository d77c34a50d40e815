/// @file
/// The pairwise engine: all pairs of rows are shown to a visitor, in one pass over tiles.
///
/// Memory beyond the inputs and outputs: O(F) for the mean, packed rows of at most packed_bytes_limit, and for each worker a tile with its
/// two blocks of rows. Never n x n beyond triangle_rows_limit rows.
#pragma once

#include "dalib/engine/host/rectangle.hpp"
#include "dalib/engine/host/row_centres.hpp"
#include "dalib/engine/host/tournament.hpp"
#include "dalib/engine/host/triangle.hpp"

#include <tuple>

namespace dalib::engine {

/// Shows all ordered pairs of rows, weighted by c(x, y), to the visitor (with coefficients of pairs across alone, only those); returns what
/// it adds up. If it pulls, the gradients, times `rule.scale`, are written or added to the layers' views. @tparam Accumulator how the sums'
/// terms are added. O(rows^2 sum F) time, across O(n_s n_t sum F).
template <class Accumulator, class Exec, class Visitor, class Coefficients, class T, class... Profiles>
visited_numbers<Visitor> visit_pairs(const Exec& exec, const Visitor& visitor, const Coefficients& coefficients,
                                     const std::tuple<layer<T, Profiles>...>& layers, gradient_rule<T> rule, workspace& scratch) {
  static_assert(pair_visitor<Visitor>, "dalib: a visitor of pairs is trivially copyable and has visit(pair, sums); see "
                                       "dalib/engine/pair/visitor.hpp");
  using problem_type = pair_problem<Visitor, Coefficients, T, Profiles...>;
  const auto centres_of = [&]<class Profile>(const layer<T, Profile>& one) {
    if constexpr (reads<Profile>::distance_only)
      return centre_finder(exec, one.data, *one.summary, scratch).run(visitor_pulls<Visitor>);
    else
      return row_centres<T>{};
  };
  const auto centres = std::apply([&](const auto&... one) { return typename problem_type::centres_array{centres_of(one)...}; }, layers);
  const problem_type problem(visitor, coefficients, layers, centres, rule.scale);
  if constexpr (only_across<Coefficients>)
    return rectangle<Accumulator, problem_type>{}.run(exec, problem, scratch, rule.mode, std::get<0>(layers).data.source_rows());
  else if (problem.rows() <= triangle_rows_limit)
    return triangle<Accumulator, problem_type>{}.run(exec, problem, scratch, rule.mode);
  else
    return tournament<Accumulator, problem_type>{}.run(exec, problem, scratch, rule.mode);
}

} // namespace dalib::engine
