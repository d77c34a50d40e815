/// @file
/// A Thrust device as a machine; engine/backend.hpp says what each member does.
#pragma once

#include "dalib/engine/backend.hpp"
#include "dalib/engine/thrust/counted_rows.hpp"
#include "dalib/engine/thrust/kernel_entries.hpp"
#include "dalib/engine/thrust/kernel_products.hpp"
#include "dalib/engine/thrust/pairwise.hpp"
#include "dalib/engine/thrust/products.hpp"
#include "dalib/engine/thrust/quadruples.hpp"
#include "dalib/engine/thrust/row_states.hpp"
#include "dalib/engine/thrust/rowwise.hpp"
#include "dalib/engine/thrust/summary.hpp"
#include "dalib/execution/thrust.hpp"
#include "dalib/tensor/thrust.hpp"

#include <tuple>
#include <vector>

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
  using workspace = device_workspace;
  template <class T>
  using vector = device_numbers<T>;
  template <class T>
  using summary = engine::sample_summary<T, device_memory>;
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
  template <class T, class Fill>
  static const T* filled_for(const exec::thrust& exec, index_t count, const Fill& fill, device_workspace& scratch) {
    return engine::device::filled_for<T>(exec, count, fill, scratch);
  }
  template <class T>
  static void clear(const exec::thrust& exec, const matrix_view<T, device_memory>& view) {
    exec.clear(view);
  }
  template <class T>
  static double total_weight(const sample<T, device_memory>& one) {
    return dalib::total_weight(one);
  }
  template <class T>
  static sample<T, device_memory> counted_rows(const exec::thrust& exec, const sample<T, device_memory>& one, device_workspace& scratch) {
    return engine::device::counted_rows(exec, one, scratch);
  }
  template <class T>
  static void require_finite(const char* measure, const char* which, const matrix_view<T, device_memory>& view) {
    dalib::require_finite(measure, which, view);
  }

  template <class Accumulator, class Visitor, class Coefficients, class T, class... Profiles>
  static engine::visited_numbers<Visitor> visit_pairs(const exec::thrust& exec, const Visitor& visitor, const Coefficients& coefficients,
                                                      const std::tuple<engine::layer<T, Profiles, device_memory>...>& layers,
                                                      engine::gradient_rule<T> rule, device_workspace& scratch) {
    return engine::device::visit_pairs<Accumulator>(exec, visitor, coefficients, layers, rule, scratch);
  }
  template <bool Gradient, class Accumulator, class T, class... Profiles>
  static double sum_of_quadruples(const exec::thrust& exec, const quadruple_plan& plan,
                                  const std::tuple<engine::layer<T, Profiles, device_memory>...>& layers, T scale, write_mode mode,
                                  device_workspace& scratch) {
    return engine::device::sum_of_quadruples<Gradient, Accumulator>(exec, plan, layers, scale, mode, scratch);
  }
  template <class Visitor, class T, class Profile>
  static void kernel_products(const exec::thrust& exec, const Visitor& visitor, const engine::layer<T, Profile, device_memory>& one,
                              const engine::product_request<T, device_memory>& request, device_workspace& scratch) {
    engine::device::kernel_products(exec, visitor, one, request, scratch);
  }
  template <class State, class T, class Profile>
  static void row_states(const exec::thrust& exec, const State& state, const engine::layer<T, Profile, device_memory>& one,
                         const engine::row_request<T, device_memory>& request, device_workspace& scratch) {
    engine::device::row_states(exec, state, one, request, scratch);
  }
  template <class Visitor, class T, class Profile>
  static void kernel_entries(const exec::thrust& exec, const Visitor& visitor, const engine::layer<T, Profile, device_memory>& one,
                             const engine::matrix_request<T, device_memory>& request, device_workspace& scratch) {
    engine::device::kernel_entries(exec, visitor, one, request, scratch);
  }

  template <class Task>
  static void for_each_row(const exec::thrust& exec, index_t rows, const Task& task) {
    exec.run(rows, task);
  }
  template <class Task>
  static double sum_over_rows(const exec::thrust& exec, index_t rows, const Task& task, device_workspace& scratch) {
    return engine::device::sum_over_rows(exec, rows, task, scratch);
  }
  /// One entry for each thread.
  template <class Task>
  static void for_each_entry(const exec::thrust& exec, index_t rows, index_t cols, const Task& task) {
    exec.run(rows * cols, engine::detail::entry_task<Task>{task, cols});
  }
  template <class T, class Task>
  static void visit_groups(const exec::thrust& exec, const engine::row_problem& rows, const Task& task, device_workspace& scratch) {
    engine::device::visit_groups<T>(exec, rows, task, scratch);
  }
  template <class T, class Reduction, class Task>
  static reduced<T, Reduction> reduce_groups(const exec::thrust& exec, const engine::row_problem& rows, const Task& task,
                                             device_workspace& scratch) {
    return engine::device::reduce_groups<T, Reduction>(exec, rows, task, scratch);
  }
  template <class T, class Task>
  static std::vector<double> sum_classes(const exec::thrust& exec, const engine::row_problem& rows, const Task& task,
                                         device_workspace& scratch) {
    return engine::device::sum_classes<T>(exec, rows, task, scratch);
  }

  template <class T>
  static void product(const exec::thrust& exec, const matrix_view<const T, device_memory>& a, const matrix_view<const T, device_memory>& b,
                      const matrix_view<T, device_memory>& c, engine::product_scale<T> scale, device_workspace& scratch) {
    const workspace_mark mark(scratch);
    engine::detail::multiply_views(exec, a, b, c, scale, scratch);
  }
};

} // namespace dalib
