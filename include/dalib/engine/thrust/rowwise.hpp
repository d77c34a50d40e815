/// @file
/// The row-wise engine on a device: one thread for each row, with the tasks of the CPU, values added in a fixed order.
#pragma once

#include "dalib/engine/host/rowwise.hpp"
#include "dalib/engine/row/class_column.hpp"
#include "dalib/engine/thrust/sums.hpp"
#include "dalib/reduction/accumulators.hpp"

#include <vector>

namespace dalib::engine {

namespace detail {

using row_value = partial_value<accumulator::plain>;

/// Keeps a task's value of one row.
template <class Visit>
struct value_of_row_task {
  Visit visit;
  row_value* to;

  DALIB_HD void operator()(index_t row) const {
    row_value value;
    value.sum.add({{visit(row)}});
    to[row] = value;
  }
};

/// Gives a task of groups one row and its class columns: column entries of neighbouring rows are neighbours.
template <class T, class Task>
struct group_of_row {
  row_problem rows;
  Task task;
  T* scratch;

  DALIB_HD auto operator()(index_t row) const {
    const row_scratch<T> columns{scratch + row, rows.source + rows.target, rows.classes};
    return task(row_groups{rows, 1}[row], columns);
  }
};

/// The same with the value in double.
template <class T, class Task>
struct value_of_group {
  group_of_row<T, Task> group;
  DALIB_HD double operator()(index_t row) const { return static_cast<double>(group(row)); }
};

/// Sum of one class's entries over a run of rows: task = run * classes + class.
template <class T>
struct class_sums_task {
  static constexpr index_t run = 256;
  const T* columns;
  index_t rows, classes;
  double* to;

  DALIB_HD void operator()(index_t task) const {
    const index_t c = task % classes, first = task / classes * run;
    const index_t last = first + run < rows ? first + run : rows;
    double sum = 0;
    for (index_t row = first; row < last; ++row) sum += static_cast<double>(columns[c * rows + row]);
    to[task] = sum;
  }
};

/// Scratch memory for the class columns of all rows.
template <class T>
T* all_columns(device_workspace& memory, const row_problem& rows) {
  return memory.allocate<T>((rows.source + rows.target) * rows.columns * rows.classes);
}

/// Keeps the values of `visit` and returns their sum; `values` has one entry for each row.
template <class Visit>
double sum_values(const exec::thrust& exec, index_t rows, const Visit& visit, row_value* values, row_value* spare) {
  exec.run(rows, value_of_row_task<Visit>{visit, values});
  return merged_on_host(exec, values, spare, rows).sum.result()[0];
}

/// What reduce_rows and reduce_groups share: the sum, or every row's value on the host.
template <class T, class Reduction, class Visit>
reduced<T, Reduction> reduce_values(const exec::thrust& exec, index_t rows, const Visit& visit, device_workspace& memory) {
  row_value* values = memory.allocate<row_value>(rows);
  if constexpr (Reduction::per_sample) {
    exec.run(rows, value_of_row_task<Visit>{visit, values});
    std::vector<row_value> found(static_cast<std::size_t>(rows));
    exec.copy_to_host(values, rows, found.data());
    std::vector<T> result;
    for (const row_value& value : found) result.push_back(static_cast<T>(value.sum.result()[0]));
    return result;
  } else {
    return static_cast<T>(sum_values(exec, rows, visit, values, memory.allocate<row_value>(rows / merge_task<row_value>::run + 1)));
  }
}

} // namespace detail

namespace device {

/// The CPU's functions of the same names, in device memory. Those that return values wait for the device.
template <class Visit>
double sum_over_rows(const exec::thrust& exec, index_t rows, const Visit& visit, device_workspace& memory) {
  detail::row_value* values = memory.allocate<detail::row_value>(rows);
  return detail::sum_values(exec, rows, visit, values,
                            memory.allocate<detail::row_value>(rows / detail::merge_task<detail::row_value>::run + 1));
}
template <class T, class Fill>
const T* filled_for(const exec::thrust& exec, index_t count, const Fill& fill, device_workspace& memory) {
  std::vector<T> numbers(static_cast<std::size_t>(count));
  fill(numbers.data());
  T* copy = memory.allocate<T>(count);
  exec.copy_to_device(numbers.data(), count, copy);
  return copy;
}
template <class T, class Task>
void visit_groups(const exec::thrust& exec, const row_problem& rows, const Task& task, device_workspace& memory) {
  exec.run(rows.source + rows.target, detail::group_of_row<T, Task>{rows, task, detail::all_columns<T>(memory, rows)});
  exec.synchronise(); // the scratch memory goes
}
template <class T, class Reduction, class Task>
reduced<T, Reduction> reduce_groups(const exec::thrust& exec, const row_problem& rows, const Task& task, device_workspace& memory) {
  T* columns = detail::all_columns<T>(memory, rows);
  return detail::reduce_values<T, Reduction>(exec, rows.source + rows.target, detail::value_of_group<T, Task>{{rows, task, columns}},
                                             memory);
}
template <class T, class Task>
std::vector<double> sum_classes(const exec::thrust& exec, const row_problem& rows, const Task& task, device_workspace& memory) {
  using sums_task = detail::class_sums_task<T>;
  T* columns = detail::all_columns<T>(memory, rows);
  const index_t count = rows.source + rows.target, runs = (count + sums_task::run - 1) / sums_task::run;
  const index_t entries = rows.columns * rows.classes; // all columns lie behind one another
  double* sums = memory.allocate<double>(runs * entries);
  exec.run(count, detail::group_of_row<T, Task>{rows, task, columns});
  exec.run(runs * entries, sums_task{columns, count, entries, sums});
  std::vector<double> found(static_cast<std::size_t>(runs * entries)), result(static_cast<std::size_t>(entries));
  exec.copy_to_host(sums, runs * entries, found.data());
  for (std::size_t i = 0; i < found.size(); ++i) result[i % result.size()] += found[i];
  return result;
}

} // namespace device
} // namespace dalib::engine
