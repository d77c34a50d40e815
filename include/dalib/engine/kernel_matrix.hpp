/// @file
/// The kernel matrix of one sample, for those who want it, and the gradient of any weighted sum of its entries.
#pragma once

#include "dalib/engine/estimate.hpp"
#include "dalib/engine/row/class_rows.hpp"
#include "dalib/execution/openmp.hpp"
#include "dalib/reduction/accumulators.hpp"

#include <limits>

namespace dalib {

namespace detail {
template <class Exec, class Kernel, class T, class Memory>
struct kernel_problem {
  workspace_of<Memory> scratch;
  engine::joint_sample<T, Memory> data;
  engine::sample_summary<T, Memory> summary;
  bandwidth::state_journal journal;

  kernel_problem(const Exec& exec, const matrix_view<const T, Memory>& x)
      : data{{x, nullptr}, {x.rows_from(0, 0), nullptr}}, summary(exec, data, scratch) {}

  /// The kernel with its bandwidths resolved on x.
  auto bind(const Kernel& kernel) {
    return dalib::bind(kernel, bandwidth::call_data<engine::sample_summary<T, Memory>, workspace_of<Memory>>{&summary, &scratch, &journal});
  }
};
} // namespace detail

/// K(i, j) = k(x_i, x_j): (n, n) entries into the caller's memory, O(n^2 F). Bandwidths are resolved on x. Entries are computed pair by
/// pair with exact differences. @throws std::invalid_argument for an empty x or a K of another shape than n x n.
///
/// @code{.cpp}
/// const Eigen::MatrixXd x = (Eigen::MatrixXd(2, 1) << 0, 2).finished();
/// Eigen::MatrixXd k(2, 2), g(2, 1);
/// kernel_matrix(exec::serial{}, kernel::gaussian{bandwidth::fixed{1}}, x, k);
/// assert(k(0, 0) == 1 && k(0, 1) == std::exp(-2.0));
/// const Eigen::MatrixXd upstream = Eigen::MatrixXd::Ones(2, 2);
/// const double sum = kernel_matrix_gradient(exec::serial{}, kernel::gaussian{bandwidth::fixed{1}}, x, upstream, g);
/// assert(std::abs(sum - k.sum()) < 1e-14 && std::abs(g(0) - 4 * std::exp(-2)) < 1e-14);
/// @endcode
template <class Exec, class Kernel, matrix_like X, matrix_like K>
void kernel_matrix(const Exec& exec, const Kernel& kernel, const X& x, K&& out) {
  using T = value_type_of<X>;
  using Memory = memory_of<X>;
  require_tensor_types<T, Memory, Exec, X, K>();
  const matrix_view<const T, Memory> rows = view_of(x);
  const matrix_view<T, Memory> to = view_of(out);
  require_shapes(rows.rows > 0 && rows.cols > 0 && to.rows == rows.rows && to.cols == rows.rows, "kernel_matrix",
                 "needs n x F rows and an n x n result", rows, to);
  require_apart("kernel_matrix", {rows}, {to});
  detail::kernel_problem<Exec, Kernel, T, Memory> problem(exec, rows);
  const auto profile = problem.bind(kernel);
  using profile_type = std::remove_const_t<decltype(profile)>;
  const engine::layer<T, profile_type, Memory> one{problem.data, &problem.summary, profile, matrix_view<T, Memory>{},
                                                   matrix_view<T, Memory>{}};
  engine::with_units(exec, "kernel_matrix", std::tuple{one}, problem.scratch,
                     [&](const auto& layers) { backend<Memory>::kernel_entries(exec, std::get<0>(layers), to, problem.scratch); });
}

/// Gradient of sum_ij R(i, j) k(x_i, x_j) with respect to x, bandwidths detached; returns the sum. `upstream` R is (n, n), `gradient` (n,
/// F). O(n^2 F) time, memory as `mmd`. @throws std::invalid_argument for wrong shapes.
template <class Exec, class Kernel, matrix_like X, matrix_like R, matrix_like G>
auto kernel_matrix_gradient(const Exec& exec, const Kernel& kernel, const X& x, const R& upstream, G&& gradient) {
  using T = value_type_of<X>;
  using Memory = memory_of<X>;
  require_tensor_types<T, Memory, Exec, X, R, G>();
  const matrix_view<const T, Memory> rows = view_of(x);
  const matrix_view<const T, Memory> weights = view_of(upstream);
  const matrix_view<T, Memory> to = view_of(gradient);
  require_shapes(rows.rows > 0 && rows.cols > 0 && weights.rows == rows.rows && weights.cols == rows.rows, "kernel_matrix_gradient",
                 "needs n x F rows and an n x n upstream gradient", rows, weights);
  require_gradient_shape("kernel_matrix_gradient", rows, to);
  require_apart("kernel_matrix_gradient", {rows, weights}, {to});
  detail::kernel_problem<Exec, Kernel, T, Memory> problem(exec, rows);
  const auto profile = problem.bind(kernel);
  using profile_type = std::remove_const_t<decltype(profile)>;
  const std::tuple layers{engine::layer<T, profile_type, Memory>{problem.data, &problem.summary, profile, to, matrix_view<T, Memory>{}}};
  const engine::matrix_coefficients<T, Memory> coefficients{weights};
  return engine::with_units(exec, "kernel_matrix_gradient", layers, problem.scratch, [&](const auto& in_range) {
    return static_cast<T>(backend<Memory>::template pairwise_sum<true, accumulator::plain>(exec, coefficients, in_range, T(1),
                                                                                           write_mode::overwrite, problem.scratch));
  });
}

} // namespace dalib
