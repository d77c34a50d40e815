/// @file
/// The host as a machine.
#pragma once

#include "dalib/core/workspace.hpp"
#include "dalib/engine/backend.hpp"
#include "dalib/engine/host/product.hpp"
#include "dalib/execution/openmp.hpp"

#include <algorithm>

namespace dalib {

template <>
struct backend<host_memory> {
  using execution = exec::default_policy;
  static constexpr index_t cached_bytes = index_t{2} << 20;

  /// Tasks are done when a policy returns.
  template <class Exec>
  static void synchronise(const Exec&) {}

  template <class Exec, class T>
  static void copy_from_host(const Exec&, const T* from, index_t count, T* to) {
    std::copy_n(from, count, to);
  }
  template <class Exec, class T>
  static void copy_to_host(const Exec&, const T* from, index_t count, T* to) {
    std::copy_n(from, count, to);
  }

  /// Whole rows, some thousand entries in a task.
  template <class Exec, class Task>
  static void for_each_entry(const Exec& exec, index_t rows, index_t cols, const Task& task) {
    const index_t run = std::max<index_t>(1, 8192 / std::max<index_t>(1, cols));
    exec.run((rows + run - 1) / run, [&](index_t i, int) {
      for (index_t row = i * run; row < std::min(rows, (i + 1) * run); ++row) task(row, index_t{0}, cols);
    });
  }

  template <class Exec, class T>
  static void product(const Exec& exec, const matrix_view<const T>& a, const matrix_view<const T>& b, const matrix_view<T>& c,
                      engine::product_scale<T> scale, workspace& scratch) {
    engine::detail::host_product<T>(a, b, c, scale).run(exec, scratch);
  }
};

} // namespace dalib
