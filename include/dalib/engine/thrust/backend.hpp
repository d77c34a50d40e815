/// @file
/// A Thrust device as a machine.
#pragma once

#include "dalib/engine/backend.hpp"
#include "dalib/engine/thrust/products.hpp"
#include "dalib/execution/thrust.hpp"

namespace dalib {

namespace engine::detail {
/// Visits one entry of a matrix: task = row * cols + col.
template <class Task>
struct entry_task {
  Task task;
  index_t cols;
  DALIB_HD void operator()(index_t i) const { task(i / cols, i % cols, index_t{1}); }
};
} // namespace engine::detail

template <>
struct backend<device_memory> {
  using execution = exec::thrust;
  static constexpr index_t cached_bytes = index_t{512} << 20;

  static void synchronise(const exec::thrust& exec) { exec.synchronise(); }

  template <class T>
  static void copy_from_host(const exec::thrust& exec, const T* from, index_t count, T* to) {
    exec.copy_to_device(from, count, to);
  }
  template <class T>
  static void copy_to_host(const exec::thrust& exec, const T* from, index_t count, T* to) {
    exec.copy_to_host(from, count, to);
  }

  /// One entry for each thread.
  template <class Task>
  static void for_each_entry(const exec::thrust& exec, index_t rows, index_t cols, const Task& task) {
    exec.run(rows * cols, engine::detail::entry_task<Task>{task, cols});
  }

  template <class T>
  static void product(const exec::thrust& exec, const matrix_view<const T, device_memory>& a, const matrix_view<const T, device_memory>& b,
                      const matrix_view<T, device_memory>& c, engine::product_scale<T> scale, device_workspace& scratch) {
    const workspace_mark mark(scratch);
    engine::detail::multiply_views(exec, a, b, c, scale, scratch);
  }
};

} // namespace dalib
