/// @file
/// The host as a machine; engine/backend.hpp says what each member does.
#pragma once

#include "dalib/engine/backend.hpp"
#include "dalib/engine/host/kernel_entries.hpp"
#include "dalib/engine/host/kernel_products.hpp"
#include "dalib/engine/host/pairwise.hpp"
#include "dalib/engine/host/product.hpp"
#include "dalib/engine/host/quadruples.hpp"
#include "dalib/engine/host/row_states.hpp"
#include "dalib/engine/host/rowwise.hpp"
#include "dalib/engine/row/class_column.hpp"
#include "dalib/engine/row/class_sums.hpp"
#include "dalib/engine/sample/counted_rows.hpp"
#include "dalib/execution/openmp.hpp"

#include <algorithm>
#include <span>
#include <tuple>
#include <vector>

namespace dalib {

template <>
struct backend<host_memory> {
  using execution = exec::default_policy;
  using workspace = dalib::workspace;
  template <class T>
  using vector = std::vector<T>;
  template <class T>
  using summary = engine::sample_summary<T, host_memory>;
  static constexpr index_t cached_bytes = index_t{4} << 20;

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
  template <class T, class Exec, class Fill>
  static const T* filled_for(const Exec&, index_t count, const Fill& fill, workspace& scratch) {
    T* numbers = scratch.template allocate<T>(count);
    fill(numbers);
    return numbers;
  }
  template <class Exec, class T>
  static void clear(const Exec&, const matrix_view<T>& view) {
    engine::clear(view);
  }
  template <class T>
  static double total_weight(const sample<T>& one) {
    return dalib::total_weight(one);
  }
  template <class Exec, class T>
  static sample<T> counted_rows(const Exec& exec, const sample<T>& one, workspace& scratch) {
    return engine::counted_rows(exec, one, scratch);
  }
  template <class T>
  static void require_finite(const char* measure, const char* which, const matrix_view<T>& view) {
    dalib::require_finite(measure, which, view);
  }

  template <class Accumulator, class Exec, class Visitor, class Coefficients, class T, class... Profiles>
  static engine::visited_numbers<Visitor> visit_pairs(const Exec& exec, const Visitor& visitor, const Coefficients& coefficients,
                                                      const std::tuple<engine::layer<T, Profiles, host_memory>...>& layers,
                                                      engine::gradient_rule<T> rule, workspace& scratch) {
    return engine::visit_pairs<Accumulator>(exec, visitor, coefficients, layers, rule, scratch);
  }
  template <bool Gradient, class Accumulator, class Exec, class T, class... Profiles>
  static double sum_of_quadruples(const Exec& exec, const quadruple_plan& plan,
                                  const std::tuple<engine::layer<T, Profiles, host_memory>...>& layers, T scale, write_mode mode,
                                  workspace& scratch) {
    return engine::sum_of_quadruples<Gradient, Accumulator>(exec, plan, layers, scale, mode, scratch);
  }
  template <class Exec, class Visitor, class T, class Profile>
  static void kernel_products(const Exec& exec, const Visitor& visitor, const engine::layer<T, Profile, host_memory>& one,
                              const engine::product_request<T>& request, workspace& scratch) {
    engine::kernel_products(exec, visitor, one, request, scratch);
  }
  template <class Exec, class State, class T, class Profile>
  static void row_states(const Exec& exec, const State& state, const engine::layer<T, Profile, host_memory>& one,
                         const engine::row_request<T>& request, workspace& scratch) {
    engine::row_states(exec, state, one, request, scratch);
  }
  template <class Exec, class Visitor, class T, class Profile>
  static void kernel_entries(const Exec& exec, const Visitor& visitor, const engine::layer<T, Profile, host_memory>& one,
                             const engine::matrix_request<T>& request, workspace& scratch) {
    engine::kernel_entries(exec, visitor, one, request, scratch);
  }

  template <class Exec, class Task>
  static void for_each_row(const Exec& exec, index_t rows, const Task& task) {
    engine::for_each_row(exec, rows, task);
  }
  template <class Exec, class Task>
  static double sum_over_rows(const Exec& exec, index_t rows, const Task& task, workspace& scratch) {
    return engine::sum_over_rows(exec, rows, task, scratch);
  }
  /// Whole rows, some thousand entries in a task.
  template <class Exec, class Task>
  static void for_each_entry(const Exec& exec, index_t rows, index_t cols, const Task& task) {
    const index_t run = std::max<index_t>(1, 8192 / std::max<index_t>(1, cols));
    exec.run((rows + run - 1) / run, [&](index_t i, int) {
      for (index_t row = i * run; row < std::min(rows, (i + 1) * run); ++row) task(row, index_t{0}, cols);
    });
  }
  template <class T, class Exec, class Task>
  static void visit_groups(const Exec& exec, const engine::row_problem& rows, const Task& task, workspace& scratch) {
    engine::visit_groups<T>(exec, rows, task, scratch);
  }
  template <class T, class Reduction, class Exec, class Task>
  static reduced<T, Reduction> reduce_groups(const Exec& exec, const engine::row_problem& rows, const Task& task, workspace& scratch) {
    return engine::reduce_groups<T, Reduction>(exec, rows, task, scratch);
  }
  template <class T, class Exec, class Task>
  static std::span<const double> sum_classes(const Exec& exec, const engine::row_problem& rows, const Task& task, workspace& scratch) {
    return engine::sum_classes<T>(exec, rows, task, scratch);
  }

  template <class Exec, class T>
  static void product(const Exec& exec, const matrix_view<const T>& a, const matrix_view<const T>& b, const matrix_view<T>& c,
                      engine::product_scale<T> scale, workspace& scratch) {
    engine::detail::host_product<T>(a, b, c, scale).run(exec, scratch);
  }
};

} // namespace dalib
