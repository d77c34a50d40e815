/// @file
/// The row-wise engine: one task per row, values added in a fixed order.
#pragma once

#include "dalib/core/workspace.hpp"
#include "dalib/reduction/reductions.hpp"
#include "dalib/simd/pack_math.hpp"

#include <algorithm>
#include <cmath>

namespace dalib {

namespace engine {

/// Rows that one task visits: enough to pay for starting it.
inline constexpr index_t rows_per_task = 128;

/// Calls `visit(row)` for every row, in runs of rows_per_task.
template <class Exec, class Visit>
void for_each_row(const Exec& exec, index_t rows, const Visit& visit) {
  exec.run((rows + rows_per_task - 1) / rows_per_task, [&](index_t task, int) {
    for (index_t row = task * rows_per_task; row < std::min(rows, (task + 1) * rows_per_task); ++row) visit(row);
  });
}

/// Calls `visit(row)` -> double for every row and returns the sum, added in row order within fixed runs of rows and over the runs in order.
/// Nothing throws inside. O(rows) calls; the same bits for any number of threads.
template <class Exec, class Visit>
double sum_over_rows(const Exec& exec, index_t rows, const Visit& visit, workspace& memory) {
  const index_t tasks = (rows + rows_per_task - 1) / rows_per_task;
  const auto sum_of = [&](index_t task) {
    double total = 0;
    for (index_t row = task * rows_per_task; row < std::min(rows, (task + 1) * rows_per_task); ++row) total += visit(row);
    return total;
  };
  if (tasks == 1) return sum_of(0);
  const workspace_mark mark(memory);
  double* const sums = memory.allocate<double>(tasks);
  exec.run(tasks, [&](index_t task, int) { sums[task] = sum_of(task); });
  double total = 0;
  for (index_t task = 0; task < tasks; ++task) total += sums[task];
  return total;
}

} // namespace engine
} // namespace dalib
