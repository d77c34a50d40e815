/// @file
/// The kernel matrix of one sample or of two, for those who want it, and the gradient of any weighted sum of its entries.
#pragma once

#include "dalib/engine/estimate.hpp"
#include "dalib/engine/row/class_rows.hpp"
#include "dalib/execution/openmp.hpp"
#include "dalib/reduction/accumulators.hpp"

#include <array>
#include <limits>

namespace dalib {

namespace detail {
template <class Exec, class Kernel, class T, class Memory>
struct kernel_problem {
  workspace_of<Memory> scratch;
  engine::joint_sample<T, Memory> data;
  engine::sample_summary<T, Memory> summary;
  bandwidth::state_journal journal;

  kernel_problem(const Exec& exec, const matrix_view<const T, Memory>& x) : kernel_problem(exec, x, x.rows_from(0, 0)) {}
  kernel_problem(const Exec& exec, const matrix_view<const T, Memory>& x, const matrix_view<const T, Memory>& y)
      : data{{x, nullptr}, {y, nullptr}}, summary(exec, data, scratch) {}

  /// The kernel with its bandwidths resolved on all rows.
  auto bind(const Kernel& kernel) {
    return dalib::bind(kernel, bandwidth::call_data<engine::sample_summary<T, Memory>, workspace_of<Memory>>{&summary, &scratch, &journal});
  }

  /// Writes the matrices that visitor_of(layer) keeps.
  template <class VisitorOf>
  void write(const Exec& exec, const char* name, const Kernel& kernel, const engine::matrix_request<T, Memory>& request,
             const VisitorOf& visitor_of) {
    const auto profile = bind(kernel);
    using profile_type = std::remove_const_t<decltype(profile)>;
    const engine::layer<T, profile_type, Memory> one{data, &summary, profile, matrix_view<T, Memory>{}, matrix_view<T, Memory>{}};
    engine::with_units(exec, name, std::tuple{one}, scratch, [&](const auto& layers) {
      const auto& in_range = std::get<0>(layers);
      backend<Memory>::kernel_entries(exec, visitor_of(in_range), in_range, request, scratch);
    });
  }
};

/// The visitor of a kernel's matrix.
struct entries_of {
  template <class Layer>
  engine::matrix_visitor operator()(const Layer&) const {
    return {};
  }
};

/// The visitor of a kernel's matrix and its slopes: with respect to the statistic of the rows as they are given.
struct slopes_of {
  template <class Layer>
  engine::slope_matrix_visitor operator()(const Layer& one) const {
    using list = typename Layer::list;
    static_assert(list::size == 1, "dalib: the slopes of a kernel matrix are those of a kernel of one statistic; take the matrix and the "
                                   "slopes of each term of a sum alone");
    const auto unit = static_cast<double>(one.gradient_factor);
    return {std::is_same_v<list, type_list<squared_distance>> ? unit * unit : unit};
  }
};
} // namespace detail

/// K(i, j) = k(x_i, x_j): (n, n) entries into the caller's memory, O(n^2 F), at the speed of half a matrix product: distances come from
/// inner products of centred rows, those of close rows from differences. Bandwidths are resolved on x. K is symmetric to the last bit.
/// @throws std::invalid_argument for an empty x or a K of another shape than n x n.
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
  problem.write(exec, "kernel_matrix", kernel, {false, {&to, 1}}, detail::entries_of{});
}

/// The same, and the kernel's slopes D(i, j) = dk/ds at the statistic s of x_i and x_j, in the same pass: for kernels of one statistic.
/// With the squared distance, dk(x_i, x_j)/dx_i is 2 D(i, j) (x_i - x_j). D is as the kernel gives it: infinite for a Laplacian's equal
/// rows. For who makes something of all entries himself; the gradient of a weighted sum of them is kernel_matrix_gradient, which holds
/// none.
/// @throws std::invalid_argument as kernel_matrix, also for slopes of another shape, or over K or x.
///
/// @code{.cpp}
/// const Eigen::MatrixXd x = (Eigen::MatrixXd(2, 1) << 0, 2).finished();
/// Eigen::MatrixXd k(2, 2), slopes(2, 2);
/// kernel_matrix_with_slopes(exec::serial{}, kernel::gaussian{bandwidth::fixed{1}}, x, k, slopes);
/// assert(k(0, 1) == std::exp(-2.0) && slopes(0, 1) == -0.5 * std::exp(-2.0)); // k = exp(-s / 2), s = 4
/// @endcode
template <class Exec, class Kernel, matrix_like X, matrix_like K, matrix_like D>
void kernel_matrix_with_slopes(const Exec& exec, const Kernel& kernel, const X& x, K&& out, D&& slopes) {
  constexpr const char* name = "kernel_matrix_with_slopes";
  using T = value_type_of<X>;
  using Memory = memory_of<X>;
  require_tensor_types<T, Memory, Exec, X, K, D>();
  const matrix_view<const T, Memory> rows = view_of(x);
  const std::array<matrix_view<T, Memory>, 2> to{view_of(out), view_of(slopes)};
  for (const auto& one : to)
    require_shapes(rows.rows > 0 && rows.cols > 0 && one.rows == rows.rows && one.cols == rows.rows, name,
                   "needs n x F rows and n x n results", rows, one);
  require_apart(name, {rows}, {to[0], to[1]});
  detail::kernel_problem<Exec, Kernel, T, Memory> problem(exec, rows);
  problem.write(exec, name, kernel, {false, to}, detail::slopes_of{});
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
    return static_cast<T>(
        engine::pairwise_sum<true, accumulator::plain>(exec, coefficients, in_range, engine::gradient_rule<T>{}, problem.scratch));
  });
}

/// K(i, j) = k(x_i, y_j) of two samples, (n_x, F) and (n_y, F): (n_x, n_y) entries into the caller's memory. Bandwidths are resolved on
/// the joint sample of x and y, as a measure of the two resolves them; a fixed bandwidth is what it is, and K(x, x) is then the matrix of
/// one sample, in the host's memory to the last bit. Entries are made as there. O(n_x n_y F) time, O((n_x + n_y) F) memory.
/// @throws std::invalid_argument for an empty sample, different numbers of features, a K of another shape, or a K over x or y.
///
/// @code{.cpp}
/// const Eigen::MatrixXd x = (Eigen::MatrixXd(2, 1) << 0, 2).finished(), y = Eigen::MatrixXd::Ones(1, 1);
/// Eigen::MatrixXd k(2, 1), gx(2, 1), gy(1, 1);
/// const kernel::gaussian gaussian{bandwidth::fixed{1}};
/// kernel_matrix(exec::serial{}, gaussian, x, y, k);
/// assert(k(0, 0) == std::exp(-0.5) && k(1, 0) == k(0, 0));
/// const Eigen::MatrixXd upstream = (Eigen::MatrixXd(2, 1) << 1, 3).finished();
/// const double sum = kernel_matrix_gradient(exec::serial{}, gaussian, x, y, upstream, gradients{gx, gy});
/// assert(std::abs(sum - 4 * k(0, 0)) < 1e-14 && std::abs(gx(0) - k(0, 0)) < 1e-14 && std::abs(gy(0) - 2 * k(0, 0)) < 1e-14);
/// @endcode
template <class Exec, class Kernel, matrix_like X, matrix_like Y, matrix_like K>
void kernel_matrix(const Exec& exec, const Kernel& kernel, const X& x, const Y& y, K&& out) {
  using T = value_type_of<X>;
  using Memory = memory_of<X>;
  require_tensor_types<T, Memory, Exec, X, Y, K>();
  const matrix_view<const T, Memory> rows = view_of(x), others = view_of(y);
  const matrix_view<T, Memory> to = view_of(out);
  require_two_samples("kernel_matrix", rows, others);
  require_shapes(to.rows == rows.rows && to.cols == others.rows, "kernel_matrix", "the result of two samples must be n_x x n_y", others,
                 to);
  require_apart("kernel_matrix", {rows, others}, {to});
  detail::kernel_problem<Exec, Kernel, T, Memory> problem(exec, rows, others);
  problem.write(exec, "kernel_matrix", kernel, {true, {&to, 1}}, detail::entries_of{});
}

/// Gradients of sum_ij R(i, j) k(x_i, y_j) with respect to x and y, bandwidths detached; returns the sum. `upstream` R is (n_x, n_y);
/// `out` holds the gradient of x as its source and that of y as its target, either of them not wanted if you like, with their scale and
/// mode. O(n_x n_y F) time, O((n_x + n_y) F) memory; the same bits for any number of threads. @throws std::invalid_argument for an empty
/// sample, wrong shapes, or gradients over what is read or over each other.
template <class Exec, class Kernel, matrix_like X, matrix_like Y, matrix_like R, class G, class GM>
auto kernel_matrix_gradient(const Exec& exec, const Kernel& kernel, const X& x, const Y& y, const R& upstream,
                            const gradients<G, GM>& out) {
  using T = value_type_of<X>;
  using Memory = memory_of<X>;
  require_tensor_types<T, Memory, Exec, X, Y, R, matrix_view<G, GM>>();
  const matrix_view<const T, Memory> rows = view_of(x), others = view_of(y), weights = view_of(upstream);
  require_two_samples("kernel_matrix_gradient", rows, others);
  require_shapes(weights.rows == rows.rows && weights.cols == others.rows, "kernel_matrix_gradient",
                 "the upstream gradient of two samples must be n_x x n_y", others, weights);
  require_gradient_shape("kernel_matrix_gradient", rows, out.source);
  require_gradient_shape("kernel_matrix_gradient", others, out.target);
  require_apart("kernel_matrix_gradient", {rows, others, weights}, {out.source, out.target});
  detail::kernel_problem<Exec, Kernel, T, Memory> problem(exec, rows, others);
  const auto profile = problem.bind(kernel);
  using profile_type = std::remove_const_t<decltype(profile)>;
  const std::tuple layers{engine::layer<T, profile_type, Memory>{problem.data, &problem.summary, profile, out.source, out.target}};
  const engine::across_coefficients<T, Memory> coefficients{weights};
  return engine::with_units(exec, "kernel_matrix_gradient", layers, problem.scratch, [&](const auto& in_range) {
    const engine::gradient_rule<T> rule{out.scale, out.mode};
    return static_cast<T>(engine::pairwise_sum<true, accumulator::plain>(exec, coefficients, in_range, rule, problem.scratch));
  });
}

} // namespace dalib
