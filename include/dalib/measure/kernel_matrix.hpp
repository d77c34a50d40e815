/// @file
/// The kernel matrix of one sample, for those who want it, and the gradient of any weighted sum of its entries.
#pragma once

#include "dalib/accumulator/accumulators.hpp"
#include "dalib/engine/estimate.hpp"
#include "dalib/execution/openmp.hpp"

#include <limits>

namespace dalib {

namespace detail {
template <class Exec, class Kernel, class T>
struct kernel_problem {
  workspace scratch;
  engine::joint_sample<T> data;
  engine::sample_summary<T> summary;

  kernel_problem(const Exec& exec, const matrix_view<const T>& x)
      : data{{x, nullptr}, {matrix_view<const T>{x.data, 0, x.cols, x.row_stride, x.col_stride}, nullptr}}, summary(exec, data, scratch) {}
};
} // namespace detail

/// K(i, j) = k(x_i, x_j): (n, n) entries into the caller's memory, O(n^2 F). Bandwidths are resolved on x. Entries are computed pair by
/// pair with exact differences. @throws std::invalid_argument for an empty x or a K of another shape than n x n.
template <class Exec, class Kernel, matrix_like X, matrix_like K>
void kernel_matrix(const Exec& exec, const Kernel& kernel, const X& x, K&& out) {
  using T = value_type_of<X>;
  const matrix_view<const T> rows = view_of(x);
  const matrix_view<T> to = view_of(out);
  require_shapes(rows.rows > 0 && rows.cols > 0 && to.rows == rows.rows && to.cols == rows.rows, "kernel_matrix",
                 "needs n x F rows and an n x n result", rows, to);
  detail::kernel_problem<Exec, Kernel, T> problem(exec, rows);
  const auto profile = dalib::bind(kernel, problem.summary);
  using profile_type = std::remove_const_t<decltype(profile)>;
  engine::packed_rows<T> block;
  block.allocate(problem.scratch, rows.rows, rows.cols);
  block.assign(0, rows.rows);
  exec.run(block.panel_count(),
           [&](index panel, int) { engine::pack_panel(problem.data, problem.summary, block, panel, engine::reads<profile_type>::shift); });
  exec.run(rows.rows, [&](index i, int) {
    for (index j = 0; j <= i; ++j) {
      const auto sums = engine::sums_of<profile_type>(block.rows + i * block.stride, block.rows + j * block.stride, rows.cols);
      to(i, j) = engine::evaluate_pair(profile, sums, block.terms(i), block.terms(j)).value;
      to(j, i) = to(i, j);
    }
  });
}

/// Gradient of sum_ij R(i, j) k(x_i, x_j) with respect to x, bandwidths detached; returns the sum. `upstream` R is (n, n), `gradient` (n,
/// F). O(n^2 F) time, O(F) memory. @throws std::invalid_argument for wrong shapes.
template <class Exec, class Kernel, matrix_like X, matrix_like R, matrix_like G>
auto kernel_matrix_gradient(const Exec& exec, const Kernel& kernel, const X& x, const R& upstream, G&& gradient) {
  using T = value_type_of<X>;
  const matrix_view<const T> rows = view_of(x);
  const matrix_view<const T> weights = view_of(upstream);
  const matrix_view<T> to = view_of(gradient);
  require_shapes(rows.rows > 0 && rows.cols > 0 && weights.rows == rows.rows && weights.cols == rows.rows, "kernel_matrix_gradient",
                 "needs n x F rows and an n x n upstream gradient", rows, weights);
  require_gradient_shape("kernel_matrix_gradient", rows, to);
  detail::kernel_problem<Exec, Kernel, T> problem(exec, rows);
  const auto profile = dalib::bind(kernel, problem.summary);
  using profile_type = std::remove_const_t<decltype(profile)>;
  const std::tuple layers{engine::layer<T, profile_type>{problem.data, &problem.summary, profile, to, matrix_view<T>{}}};
  const engine::matrix_coefficients<T> coefficients{weights};
  return static_cast<T>(engine::pairwise_sum<true, accumulator::plain>(exec, coefficients, layers, T(1), write_mode::overwrite, problem.scratch));
}

} // namespace dalib
