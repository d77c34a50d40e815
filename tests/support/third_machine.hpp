/// @file
/// A machine of a user's own: a third kind of memory, whose operations are the host's. What it takes is dalib::backend, and nothing else.
#pragma once

#include <dalib/dalib.hpp>

#include <span>
#include <tuple>
#include <vector>

namespace third {

/// Where tensors of the third machine lie.
struct memory {};

/// Its execution policy. Counts the tasks, so that a test sees who has run them.
struct policy {
  using memory = third::memory;
  static inline dalib::index_t tasks = 0;

  int workers() const { return 1; }
  template <class Task>
  void run(dalib::index_t count, const Task& task) const {
    tasks += count;
    for (dalib::index_t i = 0; i < count; ++i) task(i, 0);
  }
};

/// The same things as the host's.
template <class T>
dalib::matrix_view<T> on_host(const dalib::matrix_view<T, memory>& v) {
  return {v.data, v.rows, v.cols, v.row_stride, v.col_stride};
}
template <class T>
dalib::sample<T> on_host(const dalib::sample<T, memory>& s) {
  return {on_host(s.rows), s.weights};
}
template <class T>
dalib::engine::joint_sample<T> on_host(const dalib::engine::joint_sample<T, memory>& s) {
  return {on_host(s.source), on_host(s.target)};
}
template <class T, class Profile>
dalib::engine::layer<T, Profile> on_host(const dalib::engine::layer<T, Profile, memory>& l) {
  return {on_host(l.data), &l.summary->host, l.profile, on_host(l.source_gradient), on_host(l.target_gradient), l.gradient_factor};
}
template <class... Layers>
auto on_host(const std::tuple<Layers...>& layers) {
  return std::apply([](const auto&... one) { return std::tuple{on_host(one)...}; }, layers);
}
template <class T>
dalib::engine::domain_coefficients<T> on_host(const dalib::engine::domain_coefficients<T, memory>& c) {
  return {on_host(c.data), c.pairs};
}
template <class T>
dalib::engine::matrix_coefficients<T> on_host(const dalib::engine::matrix_coefficients<T, memory>& c) {
  return {on_host(c.matrix)};
}

template <class T>
dalib::engine::across_coefficients<T> on_host(const dalib::engine::across_coefficients<T, memory>& c) {
  return {on_host(c.matrix)};
}

/// Mean and spread of a joint sample.
template <class T>
struct summary {
  dalib::engine::sample_summary<T> host;

  summary(const policy& exec, const dalib::engine::joint_sample<T, memory>& data, dalib::workspace& scratch)
      : host(exec, on_host(data), scratch) {}
  auto origin() const { return host.origin(); }
  const double* offset_sums() const { return host.offset_sums(); }
  double mean_squared_distance() const { return host.mean_squared_distance(); }
  double median_squared_distance(dalib::workspace& scratch) const { return host.median_squared_distance(scratch); }
};

/// The whole of the machine.
struct machine {
  using host = dalib::backend<dalib::host_memory>;
  using index_t = dalib::index_t;
  using execution = policy;
  using workspace = dalib::workspace;
  template <class T>
  using vector = std::vector<T>;
  template <class T>
  using summary = third::summary<T>;
  static constexpr index_t cached_bytes = 1 << 12;

  static void synchronise(const policy&) {}
  template <class T>
  static void copy_from_host(const policy& exec, const T* from, index_t count, T* to) {
    host::copy_from_host(exec, from, count, to);
  }
  template <class T>
  static void copy_to_host(const policy& exec, const T* from, index_t count, T* to) {
    host::copy_to_host(exec, from, count, to);
  }
  template <class T, class Fill>
  static const T* filled_for(const policy& exec, index_t count, const Fill& fill, workspace& scratch) {
    return host::filled_for<T>(exec, count, fill, scratch);
  }
  template <class T>
  static void clear(const policy& exec, const dalib::matrix_view<T, memory>& view) {
    host::clear(exec, on_host(view));
  }
  template <class T>
  static double total_weight(const dalib::sample<T, memory>& one) {
    return host::total_weight(on_host(one));
  }
  template <class T>
  static dalib::sample<T, memory> counted_rows(const policy& exec, const dalib::sample<T, memory>& one, workspace& scratch) {
    const dalib::sample<T> found = host::counted_rows(exec, on_host(one), scratch);
    return {{found.rows.data, found.rows.rows, found.rows.cols, found.rows.row_stride, found.rows.col_stride}, found.weights};
  }
  template <class T>
  static void require_finite(const char* measure, const char* which, const dalib::matrix_view<T, memory>& view) {
    host::require_finite(measure, which, on_host(view));
  }

  template <class Accumulator, class Visitor, class Coefficients, class T, class... Profiles>
  static dalib::engine::visited_numbers<Visitor> visit_pairs(const policy& exec, const Visitor& visitor, const Coefficients& coefficients,
                                                             const std::tuple<dalib::engine::layer<T, Profiles, memory>...>& layers,
                                                             dalib::engine::gradient_rule<T> rule, workspace& scratch) {
    return host::visit_pairs<Accumulator>(exec, visitor, on_host(coefficients), on_host(layers), rule, scratch);
  }
  template <bool Gradient, class Accumulator, class T, class... Profiles>
  static double sum_of_quadruples(const policy& exec, const dalib::quadruple_plan& plan,
                                  const std::tuple<dalib::engine::layer<T, Profiles, memory>...>& layers, T scale, dalib::write_mode mode,
                                  workspace& scratch) {
    return host::sum_of_quadruples<Gradient, Accumulator>(exec, plan, on_host(layers), scale, mode, scratch);
  }
  template <class Visitor, class T, class Profile>
  static void kernel_products(const policy& exec, const Visitor& visitor, const dalib::engine::layer<T, Profile, memory>& one,
                              const dalib::engine::product_request<T, memory>& request, workspace& scratch) {
    std::vector<dalib::matrix_view<T>> out;
    for (const auto& view : request.out) out.push_back(on_host(view));
    host::kernel_products(exec, visitor, on_host(one), {request.pairs, on_host(request.right), out}, scratch);
  }
  template <class State, class T, class Profile>
  static void row_states(const policy& exec, const State& state, const dalib::engine::layer<T, Profile, memory>& one,
                         const dalib::engine::row_request<T, memory>& request, workspace& scratch) {
    host::row_states(exec, state, on_host(one), {request.pairs, on_host(request.potential), on_host(request.out)}, scratch);
  }
  template <class Visitor, class T, class Profile>
  static void kernel_entries(const policy& exec, const Visitor& visitor, const dalib::engine::layer<T, Profile, memory>& one,
                             const dalib::engine::matrix_request<T, memory>& request, workspace& scratch) {
    std::vector<dalib::matrix_view<T>> out;
    for (const auto& view : request.out) out.push_back(on_host(view));
    host::kernel_entries(exec, visitor, on_host(one), {request.across, out}, scratch);
  }

  template <class Task>
  static void for_each_row(const policy& exec, index_t rows, const Task& task) {
    host::for_each_row(exec, rows, task);
  }
  template <class Task>
  static double sum_over_rows(const policy& exec, index_t rows, const Task& task, workspace& scratch) {
    return host::sum_over_rows(exec, rows, task, scratch);
  }
  template <class Task>
  static void for_each_entry(const policy& exec, index_t rows, index_t cols, const Task& task) {
    host::for_each_entry(exec, rows, cols, task);
  }
  template <class T, class Task>
  static void visit_groups(const policy& exec, const dalib::engine::row_problem& rows, const Task& task, workspace& scratch) {
    host::visit_groups<T>(exec, rows, task, scratch);
  }
  template <class T, class Reduction, class Task>
  static dalib::reduced<T, Reduction> reduce_groups(const policy& exec, const dalib::engine::row_problem& rows, const Task& task,
                                                    workspace& scratch) {
    return host::reduce_groups<T, Reduction>(exec, rows, task, scratch);
  }
  template <class T, class Task>
  static std::span<const double> sum_classes(const policy& exec, const dalib::engine::row_problem& rows, const Task& task,
                                             workspace& scratch) {
    return host::sum_classes<T>(exec, rows, task, scratch);
  }

  template <class T>
  static void product(const policy& exec, const dalib::matrix_view<const T, memory>& a, const dalib::matrix_view<const T, memory>& b,
                      const dalib::matrix_view<T, memory>& c, dalib::engine::product_scale<T> scale, workspace& scratch) {
    host::product(exec, on_host(a), on_host(b), on_host(c), scale, scratch);
  }
};

} // namespace third
