/// @file
/// The row-wise engine's sums over the rows, class by class.
#pragma once

#include "dalib/engine/row/class_column.hpp"
#include "dalib/simd/partial_sums.hpp"

#include <algorithm>
#include <cstring>
#include <span>

namespace dalib::engine {

namespace detail {
/// Sum of the first `count` lanes.
template <class T>
double sum_of_lanes(const T* values, index_t count) {
  constexpr int lanes = simd_lanes<T>;
  if (count == lanes) {
    typename dalib::detail::wide_register<T>::type wide{};
    add_widened<T>(wide, pack<T>::load(values).lanes);
    double numbers[lanes];
    std::memcpy(numbers, &wide, sizeof(numbers));
    return sum_by_halves(numbers);
  }
  double sum = 0;
  for (index_t lane = 0; lane < count; ++lane) sum += static_cast<double>(values[lane]);
  return sum;
}
} // namespace detail

/// Sum over the rows of each class's entry in every column as `task(group, scratch)` leaves it, column after column; in an order that no
/// thread count changes. The sums lie in scratch memory.
template <class T, class Exec, class Task>
std::span<const double> sum_classes(const Exec& exec, const row_problem& rows, const Task& task, workspace& memory) {
  const row_groups groups{rows, simd_lanes<T>};
  const worker_scratch<T> scratch(memory, exec.workers(), rows);
  const index_t per_task = groups_per_task<T>(rows), entries = rows.columns * rows.classes;
  const index_t tasks = (groups.count() + per_task - 1) / per_task;
  double* const sums = memory.allocate_zero<double>(tasks * entries);
  exec.run(tasks, [&](index_t run, int worker) {
    const auto columns = scratch(worker)(0);
    double* to = sums + run * entries;
    for (index_t g = run * per_task; g < std::min(groups.count(), (run + 1) * per_task); ++g) {
      task(groups[g], scratch(worker));
      for (index_t c = 0; c < entries; ++c) to[c] += detail::sum_of_lanes(columns.data + c * columns.stride, groups[g].count);
    }
  });
  for (index_t run = 1; run < tasks; ++run)
    for (index_t c = 0; c < entries; ++c) sums[c] += sums[run * entries + c];
  return {sums, static_cast<std::size_t>(entries)};
}

} // namespace dalib::engine
