/// @file
/// The kernel matrix in device memory.
#pragma once

#include "dalib/engine/pair/pair.hpp"
#include "dalib/engine/thrust/rows.hpp"

namespace dalib::engine {

namespace detail {
/// One entry: task = row * columns + column. Column j belongs to row first_column + j of the joint sample.
template <class T, class Profile>
struct kernel_entry_task {
  Profile profile;
  device_rows<T> rows;
  matrix_view<T, device_memory> to;
  index_t first_column = 0;

  DALIB_HD void operator()(index_t task) const {
    const index_t i = task / to.cols, j = task % to.cols;
    // Sums run from the first row to the second in one order, so that the matrix of one sample is symmetric to the last bit.
    const index_t x = i < j ? first_column + j : i, y = i < j ? i : first_column + j;
    to(i, j) = evaluate_pair(profile, sums_of<Profile>(rows.row(x), rows.row(y), rows.features), rows.terms(x), rows.terms(y)).value;
  }
};
} // namespace detail

namespace device {

/// The kernel of every pair of a layer's rows, with exact differences.
template <class T, class Profile>
void kernel_entries(const exec::thrust& exec, const layer<T, Profile, device_memory>& one, const matrix_view<T, device_memory>& to,
                    device_workspace& scratch) {
  const device_rows<T> rows = rows_from(exec, one, row_origin<T>{}, scratch);
  exec.run(to.rows * to.cols, detail::kernel_entry_task<T, Profile>{one.profile, rows, to, 0});
  exec.synchronise(); // the scratch memory goes
}

/// The kernel of every pair of a source's and a target's row, with exact differences.
template <class T, class Profile>
void kernel_entries_across(const exec::thrust& exec, const layer<T, Profile, device_memory>& one, const matrix_view<T, device_memory>& to,
                           device_workspace& scratch) {
  const device_rows<T> rows = rows_from(exec, one, row_origin<T>{}, scratch);
  exec.run(to.rows * to.cols, detail::kernel_entry_task<T, Profile>{one.profile, rows, to, to.rows});
  exec.synchronise(); // the scratch memory goes
}

} // namespace device
} // namespace dalib::engine
