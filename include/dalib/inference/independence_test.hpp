/// @file
/// Tests of independence by HSIC: permutations, and a fitted gamma law.
#pragma once

#include "dalib/inference/draws.hpp"
#include "dalib/inference/hsic.hpp"
#include "dalib/inference/spectrum_test.hpp"

#include <numeric>
#include <vector>

namespace dalib::inference {

/// Permutation test of the hypothesis that x and y, n rows each, are independent: the rows of y are permuted. Exact at every size. The
/// kernel matrices are held, 2 n^2 numbers: a permutation of rows moves their entries, and each draw costs O(n^2).
///
/// @code{.cpp}
/// const Eigen::MatrixXd x = Eigen::MatrixXd::Random(60, 1), y = x.array().square().matrix();
/// const inference::independence_test test{inference::hsic{kernel::gaussian{0.5}, kernel::gaussian{0.3}}};
/// assert(test(x, y, {.draws = 199}).p_value == 1.0 / 200);
/// @endcode
template <class KernelX = kernel::gaussian<bandwidth::median>, class KernelY = kernel::gaussian<bandwidth::median>>
struct independence_test {
  static constexpr const char* name = "independence_test";

  hsic<KernelX, KernelY> measure{};

  independence_test() = default;
  explicit independence_test(hsic<KernelX, KernelY> dependence) : measure(dependence) {}

  template <sample_like X, sample_like Y>
  test_result operator()(const X& x, const Y& y, const test_options& options = {}) const {
    return (*this)(exec::default_policy{}, x, y, options);
  }
  template <class Exec, sample_like X, sample_like Y>
  requires(!sample_like<Exec>) test_result operator()(const Exec& exec, const X& x, const Y& y, const test_options& options = {}) const {
    require_alpha(name, options.alpha);
    const auto [one, two] = detail::require_pairs_of_rows(name, x, y, measure.estimator == hsic_estimator::biased ? 2 : 4);
    require_finite(name, "x", one.rows);
    require_finite(name, "y", two.rows);
    const index_t n = one.rows.rows;
    const permutations orders(name, options, options.given, draw_stream::permutation, n);
    workspace scratch;
    const std::pair<Eigen::MatrixXd, Eigen::MatrixXd> kernels =
        detail::with_both_kernels(name, exec, measure.kernel_x, measure.kernel_y, one, two, scratch, [&](const auto& kx, const auto& ky) {
          return std::pair{detail::dense_kernel(exec, kx), detail::dense_kernel(exec, ky)};
        });
    std::vector<double> values(static_cast<std::size_t>(orders.count() + 1));
    const auto weights = detail::dependence_weights::of(measure.estimator, n);
    const detail::dependence_sums whole = sums_of(kernels.first, kernels.second, weights.own);
    exec.run(orders.count() + 1, [&](index_t b, int) {
      std::vector<index_t> order(static_cast<std::size_t>(n));
      if (b == 0)
        std::iota(order.begin(), order.end(), index_t{0});
      else
        orders.read(b - 1, order, n);
      values[static_cast<std::size_t>(b)] = permuted(kernels.first, kernels.second, whole, weights, order);
    });
    const double statistic = values.front();
    values.erase(values.begin());
    return decide(statistic, std::move(values), options);
  }

private:
  static detail::dependence_sums sums_of(const Eigen::MatrixXd& k, const Eigen::MatrixXd& l, detail::own_pairs own) {
    detail::dependence_sums sums;
    for (index_t i = 0; i < k.rows(); ++i) {
      const bool whole = own == detail::own_pairs::with;
      sums.rows_x.push_back(k.col(i).sum() - (whole ? 0 : k(i, i)));
      sums.rows_y.push_back(l.col(i).sum() - (whole ? 0 : l(i, i)));
      sums.all_x += sums.rows_x.back();
      sums.all_y += sums.rows_y.back();
    }
    return sums;
  }
  /// The estimate with row order[i] of y beside row i of x; pairs i < j twice, and those of a row with itself.
  static double permuted(const Eigen::MatrixXd& k, const Eigen::MatrixXd& l, const detail::dependence_sums& whole,
                         const detail::dependence_weights& weights, const std::vector<index_t>& order) {
    double products = 0, own = 0, by_rows = 0;
    for (index_t j = 0; j < k.rows(); ++j) {
      const index_t to = order[static_cast<std::size_t>(j)];
      const double* column = &l(0, to);
      double sum = 0;
      for (index_t i = 0; i < j; ++i) sum += k(i, j) * column[order[static_cast<std::size_t>(i)]];
      products += sum;
      own += k(j, j) * l(to, to);
      by_rows += whole.rows_x[static_cast<std::size_t>(j)] * whole.rows_y[static_cast<std::size_t>(to)];
    }
    const double all = 2 * products + (weights.own == detail::own_pairs::with ? own : 0);
    return weights.products * all + weights.rows * by_rows + weights.all * whole.all_x * whole.all_y;
  }
};

/// Gamma test of independence (Gretton et al. 2008, section 3), n >= 6, kernels with k(x, x) = 1: n HSIC_V against a gamma law with its
/// first two moments. Fast, O(n^2 F) and two passes, without draws; asymptotic, as gamma_test. p is the upper tail itself.
///
/// @code{.cpp}
/// const Eigen::MatrixXd x = Eigen::MatrixXd::Random(60, 1), y = x.array().square().matrix();
/// const inference::independence_gamma_test test{inference::hsic{kernel::gaussian{0.5}, kernel::gaussian{0.3}}};
/// assert(test(x, y).reject);
/// @endcode
template <class KernelX = kernel::gaussian<bandwidth::median>, class KernelY = kernel::gaussian<bandwidth::median>>
struct independence_gamma_test {
  static constexpr const char* name = "independence_gamma_test";

  hsic<KernelX, KernelY> measure{};

  independence_gamma_test() = default;
  explicit independence_gamma_test(hsic<KernelX, KernelY> dependence) : measure(dependence) {}

  template <sample_like X, sample_like Y>
  gamma_result operator()(const X& x, const Y& y, const test_options& options = {}) const {
    return (*this)(exec::default_policy{}, x, y, options);
  }
  template <class Exec, sample_like X, sample_like Y>
  requires(!sample_like<Exec>) gamma_result operator()(const Exec& exec, const X& x, const Y& y, const test_options& options = {}) const {
    require_alpha(name, options.alpha);
    const auto [one, two] = detail::require_pairs_of_rows(name, x, y, 6);
    require_finite(name, "x", one.rows);
    require_finite(name, "y", two.rows);
    workspace scratch;
    return detail::with_both_kernels(name, exec, measure.kernel_x, measure.kernel_y, one, two, scratch,
                                     [&](const auto& kx, const auto& ky) { return fit(exec, kx, ky, options.alpha); });
  }

private:
  template <class Exec, class X, class Y>
  static gamma_result fit(const Exec& exec, const X& kx, const Y& ky, double alpha) {
    const auto n = static_cast<double>(kx.rows());
    const detail::dependence_sums sums = detail::dependence_of(exec, kx, ky, detail::own_pairs::with);
    std::vector<double> squares(static_cast<std::size_t>(kx.rows())), own_x(squares), own_y(squares);
    detail::visit_both(exec, kx, ky, [&](index_t i, index_t j, double k, double l) {
      const auto at = static_cast<std::size_t>(i), other = static_cast<std::size_t>(j);
      if (i == j) {
        own_x[at] = k;
        own_y[at] = l;
        return;
      }
      const double centred_k = k - (sums.rows_x[at] + sums.rows_x[other]) / n + sums.all_x / (n * n);
      const double centred_l = l - (sums.rows_y[at] + sums.rows_y[other]) / n + sums.all_y / (n * n);
      squares[at] += centred_k * centred_k * centred_l * centred_l;
    });
    const auto total = [](const std::vector<double>& values) { return std::accumulate(values.begin(), values.end(), 0.0); };
    const double pairs = n * (n - 1), mx = (sums.all_x - total(own_x)) / pairs, my = (sums.all_y - total(own_y)) / pairs;
    const double variance = 2 * (n - 4) * (n - 5) / (pairs * (n - 2) * (n - 3)) * (total(squares) / pairs);
    const double statistic = n * detail::dependence_weights::of(hsic_estimator::biased, kx.rows())(sums);
    return gamma_result::of(n, statistic, (1 + mx * my - mx - my) / n, variance, alpha);
  }
};

} // namespace dalib::inference
