/// @file
/// The Hilbert-Schmidt independence criterion with gradients: how much two samples of the same rows depend on each other.
#pragma once

#include "dalib/core/gradients.hpp"
#include "dalib/inference/pair_sums.hpp"
#include "dalib/kernel/gaussian.hpp"
#include "dalib/kernel/radial.hpp"
#include "dalib/measure/call.hpp"

#include <tuple>
#include <vector>

namespace dalib::inference {

/// Which estimate of dependence.
enum class hsic_estimator {
  biased,  ///< tr(K H L H) / n^2 (Gretton et al. 2008)
  unbiased ///< mean over distinct rows (Song et al. 2012), n >= 4
};

namespace detail {

/// Sums over the pairs of two kernel matrices of the same rows.
struct dependence_sums {
  double products = 0;                ///< sum K_ij L_ij
  std::vector<double> rows_x, rows_y; ///< row sums
  double all_x = 0, all_y = 0;
};

/// HSIC = products sum K_ij L_ij + rows sum_i K_i. L_i. + all K.. L..
struct dependence_weights {
  double products = 0, rows = 0, all = 0;
  own_pairs own = own_pairs::with;

  static dependence_weights of(hsic_estimator estimator, index_t count) {
    const auto n = static_cast<double>(count);
    if (estimator == hsic_estimator::biased) return {1 / (n * n), -2 / (n * n * n), 1 / (n * n * n * n), own_pairs::with};
    const double scale = 1 / (n * (n - 3));
    return {scale, -2 * scale / (n - 2), scale / ((n - 1) * (n - 2)), own_pairs::without};
  }
  double operator()(const dependence_sums& s) const {
    double by_rows = 0;
    for (std::size_t i = 0; i < s.rows_x.size(); ++i) by_rows += s.rows_x[i] * s.rows_y[i];
    return products * s.products + rows * by_rows + all * s.all_x * s.all_y;
  }
};

/// All pairs of both kernels: visit(i, j, k, l), all pairs of a row i in one task, in order.
template <class Exec, class X, class Y, class Visit>
void visit_both(const Exec& exec, const X& kernel_x, const Y& kernel_y, const Visit& visit) {
  workspace scratch;
  const engine::kernel_tiles of_x(exec, kernel_x.layer(), scratch), of_y(exec, kernel_y.layer(), scratch);
  const index_t stride = of_x.stride(); // both have the same rows in the same blocks
  exec.run(of_x.blocks(), [&](index_t own, int worker) {
    for (index_t other = 0; other < of_x.blocks(); ++other) {
      const auto *k = of_x(worker, other, own)[0], *l = of_y(worker, other, own)[0];
      const auto rows = of_x.rows(own), cols = of_x.rows(other);
      for (index_t i = 0; i < rows.count; ++i)
        for (index_t j = 0; j < cols.count; ++j)
          visit(rows.first + i, cols.first + j, static_cast<double>(k[i * stride + j]), static_cast<double>(l[i * stride + j]));
    }
  });
}

template <class Exec, class X, class Y>
dependence_sums dependence_of(const Exec& exec, const X& kernel_x, const Y& kernel_y, own_pairs own) {
  const auto n = static_cast<std::size_t>(kernel_x.rows());
  dependence_sums result{0, std::vector<double>(n), std::vector<double>(n), 0, 0};
  std::vector<double> products(n);
  visit_both(exec, kernel_x, kernel_y, [&](index_t i, index_t j, double k, double l) {
    if (i == j && own == own_pairs::without) return;
    const auto at = static_cast<std::size_t>(i);
    result.rows_x[at] += k;
    result.rows_y[at] += l;
    products[at] += k * l;
  });
  for (std::size_t i = 0; i < n; ++i) {
    result.products += products[i];
    result.all_x += result.rows_x[i];
    result.all_y += result.rows_y[i];
  }
  return result;
}

/// One sample as a joint sample without a target.
template <class T>
sample<T> no_rows(const sample<T>& like) {
  return {like.rows.rows_from(0, 0), nullptr};
}

/// The checks of what takes two samples of the same rows.
template <class X, class Y>
auto require_pairs_of_rows(const char* name, const X& x, const Y& y, index_t least) {
  using types = two_sample_types<X, Y>;
  static_assert(std::is_same_v<typename types::memory, host_memory>, "dalib: measures of dependence take tensors in the host's memory");
  const auto one = sample_of(x), two = sample_of(y);
  require_shapes(one.rows.rows == two.rows.rows && one.rows.rows >= least && one.rows.cols > 0 && two.rows.cols > 0, name,
                 ("needs the same number of rows, at least " + std::to_string(least) + ", in both samples").c_str(), one.rows, two.rows);
  if (one.weights != nullptr || two.weights != nullptr) fail(name, "takes no sample weights");
  return std::pair{one, two};
}

/// Calls use(kernel_x, kernel_y) with both kernels bound, each on its own sample.
template <class Exec, class T, class KX, class KY, class Use>
auto with_both_kernels(const char* name, const Exec& exec, const KX& kx, const KY& ky, const sample<T>& x, const sample<T>& y,
                       workspace& scratch, const Use& use) {
  return with_kernel<false>(name, exec, kx, x, no_rows(x), scratch, [&](const auto& of_x) {
    return with_kernel<false>(name, exec, ky, y, no_rows(y), scratch, [&](const auto& of_y) { return use(of_x, of_y); });
  });
}

} // namespace detail

/// HSIC between x (n, Fx) and y (n, Fy), the same n rows seen in two ways. 0 in the limit exactly if they are independent, for
/// characteristic kernels; with the energy kernel on both, the biased one is the squared distance covariance (Sejdinovic et al. 2013). All
/// forms of a measure, with gradients to both; bandwidths are resolved on each sample and detached. O(n^2 (Fx + Fy)) time, memory O(n (Fx +
/// Fy)). The same bits for any number of threads. @throws std::invalid_argument for different numbers of rows, n < 2 (unbiased: n < 4).
///
/// @code{.cpp}
/// const Eigen::MatrixXd x = Eigen::MatrixXd::Random(50, 2), y = x.col(0).array().square().matrix();
/// const inference::hsic dependence{kernel::gaussian{1.0}, kernel::gaussian{0.3}, inference::hsic_estimator::unbiased};
/// const auto [value, gx, gy] = value_and_gradient(dependence, x, y);
/// assert(value > 0 && gx.norm() > 0 && gy.rows() == 50 && std::abs(dependence(y, y) - dependence(y, (-y).eval())) < 1e-12);
/// @endcode
template <class KernelX = kernel::gaussian<bandwidth::median>, class KernelY = kernel::gaussian<bandwidth::median>>
struct hsic : call_forms<hsic<KernelX, KernelY>> {
  static constexpr const char* name = "hsic";
  static constexpr std::size_t arity = 2;

  KernelX kernel_x{};
  KernelY kernel_y{};
  hsic_estimator estimator = hsic_estimator::biased;

  hsic() = default;
  explicit hsic(KernelX kx, KernelY ky = {}, hsic_estimator e = hsic_estimator::biased) : kernel_x(kx), kernel_y(ky), estimator(e) {}

  /// The operation that every form of call comes down to.
  template <class Call, class X, class Y>
  auto evaluate(const Call& call, const X& x, const Y& y) const {
    using types = two_sample_types<X, Y>;
    using T = typename types::value_type;
    require_execution<typename Call::execution_type, typename types::memory>();
    const auto out = call.template output<0>(no_gradients<T, typename types::memory>());
    require_gradient_types<types>(out);
    const auto [one, two] = detail::require_pairs_of_rows(name, x, y, estimator == hsic_estimator::biased ? 2 : 4);
    require_gradients(name, one, two, out);
    const workspace_scope scope(call.scratch);
    const auto profile_x = detail::bind_on(call.execution, kernel_x, one, detail::no_rows(one), call.scratch);
    const auto profile_y = detail::bind_on(call.execution, kernel_y, two, detail::no_rows(two), call.scratch);
    const auto weights = detail::dependence_weights::of(estimator, one.rows.rows);
    const detail::dependence_sums sums = sums_of(call.execution, profile_x, profile_y, one, two, weights.own, call.scratch);
    if constexpr (Call::wants_gradient) write_gradients(call, profile_x, profile_y, one, two, weights, sums, out);
    return static_cast<T>(weights(sums));
  }

private:
  template <class Exec, class PX, class PY, class T>
  static detail::dependence_sums sums_of(const Exec& exec, const PX& px, const PY& py, const sample<T>& x, const sample<T>& y,
                                         detail::own_pairs own, workspace& scratch) {
    const workspace_mark mark(scratch);
    return detail::with_both_kernels(name, exec, detail::bound_already<PX>{px}, detail::bound_already<PY>{py}, x, y, scratch,
                                     [&](const auto& kx, const auto& ky) { return detail::dependence_of(exec, kx, ky, own); });
  }

  /// sum K_ij L_ij is a sum over the pairs of two layers; what the row sums do to K has coefficients u_i + u_j + c, u of L's row sums.
  template <class Call, class PX, class PY, class T>
  static void write_gradients(const Call& call, const PX& px, const PY& py, const sample<T>& x, const sample<T>& y,
                              const detail::dependence_weights& weights, const detail::dependence_sums& sums, const gradients<T>& out) {
    const index_t n = x.rows.rows;
    const bool distinct = weights.own == detail::own_pairs::without;
    {
      const workspace_mark mark(call.scratch);
      const engine::bound_problem problem(
          call.execution, call.scratch,
          engine::layer_input<T, detail::bound_already<PX>>{{x, detail::no_rows(x)}, {px}, out.source, matrix_view<T>{}},
          engine::layer_input<T, detail::bound_already<PY>>{{y, detail::no_rows(y)}, {py}, out.target, matrix_view<T>{}});
      detail::row_coefficients<T> same{n};
      same.within_source = weights.products;
      same.distinct = distinct;
      engine::with_units(call.execution, name, problem.layers(), call.scratch, [&](const auto& layers) {
        return engine::pairwise_sum<true, accumulator::plain>(call.execution, same, layers, engine::gradient_rule<T>{out.scale, out.mode},
                                                              call.scratch);
      });
    }
    const auto add = [&](const auto& profile, const sample<T>& of, std::vector<double> other, double other_all, const matrix_view<T>& to) {
      if (to.data == nullptr) return;
      for (double& u : other) u *= weights.rows / 2;
      const detail::row_coefficients<T> coefficients{n, weights.all * other_all, 0, 0, other.data(), nullptr, distinct, 0};
      detail::pair_sum<true>(name, call.execution, profile, of, detail::no_rows(of), coefficients,
                             detail::pair_gradient<T>{to, {}, static_cast<double>(out.scale), write_mode::accumulate}, call.scratch);
    };
    add(px, x, sums.rows_y, sums.all_y, out.source);
    add(py, y, sums.rows_x, sums.all_x, out.target);
  }
};

} // namespace dalib::inference
