/// @file
/// Rows of weight 0 are not in the sample: nothing that stands in them may reach the others.
#pragma once

#include "dalib/engine/sample/joint_sample.hpp"

#include <algorithm>

namespace dalib::engine {

/// Rows that one task copies.
inline constexpr index_t copied_rows_per_task = 64;

/// The same sample, in which every row of weight 0 is a copy of the first that counts: a NaN or a far value there is in no mean, no distance
/// and no product, and every row keeps its place. The rows are copied to `scratch`, if there are any of weight 0. O(n F).
template <class Exec, class T>
sample<T> counted_rows(const Exec& exec, const sample<T>& one, workspace& scratch) {
  if (!one.weights) return one;
  const matrix_view<const T>& rows = one.rows;
  const T* const end = one.weights + rows.rows;
  const auto counts = [](T weight) { return weight > T(0); };
  const index_t first = std::find_if(one.weights, end, counts) - one.weights;
  if (first == rows.rows || std::all_of(one.weights, end, counts)) return one;
  const matrix_view<T> copy(scratch.template allocate<T>(rows.rows * rows.cols), rows.rows, rows.cols);
  exec.run((rows.rows + copied_rows_per_task - 1) / copied_rows_per_task, [&](index_t task, int) {
    const index_t last = std::min(rows.rows, (task + 1) * copied_rows_per_task);
    for (index_t row = task * copied_rows_per_task; row < last; ++row)
      for (index_t f = 0; f < rows.cols; ++f) copy(row, f) = rows(counts(one.weights[row]) ? row : first, f);
  });
  return {copy, one.weights};
}

} // namespace dalib::engine
