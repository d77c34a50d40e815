/// @file
/// Tests whose statistic is a mean of independent terms, with normal p values: linear time, for large samples.
#pragma once

#include "dalib/inference/pair_sums.hpp"
#include "dalib/inference/tails.hpp"
#include "dalib/inference/test_forms.hpp"
#include "dalib/kernel/gaussian.hpp"

#include <cmath>
#include <tuple>
#include <vector>

namespace dalib::inference {

/// What a test with a normal law answers.
struct normal_result : test_result {
  double variance = 0;         ///< estimated, of the statistic
  double z = 0;                ///< statistic / sqrt(variance)
  std::vector<double> terms{}; ///< the independent terms, if `keep_null`

  /// p = 1 - Phi(z). Without variance (constant data): p = 1.
  static normal_result of(double statistic, double variance, double alpha) {
    normal_result r;
    r.statistic = statistic;
    r.variance = variance;
    if (!(variance > 0)) {
      r.threshold = statistic;
      r.warning = "the terms of the statistic do not vary: nothing can be said";
      return r;
    }
    r.z = statistic / std::sqrt(variance);
    r.p_value = normal_upper_tail(r.z);
    r.threshold = std::sqrt(variance) * normal_upper_quantile(alpha);
    r.reject = statistic > r.threshold;
    return r;
  }
};

/// How the variance of the linear-time statistic is estimated.
enum class linear_variance {
  sample,        ///< sum (h - mean)^2 / (m - 1)
  second_moment, ///< mean h^2, valid under the hypothesis
  difference     ///< squared differences of neighbours
};

namespace detail {

inline double mean_of(const std::vector<double>& values) {
  double total = 0;
  for (const double value : values) total += value;
  return total / static_cast<double>(values.size());
}
/// sum (x - mean)^2 / (n - 1).
inline double sample_variance(const std::vector<double>& values) {
  const double mean = mean_of(values);
  double total = 0;
  for (const double value : values) total += (value - mean) * (value - mean);
  return total / (static_cast<double>(values.size()) - 1);
}
inline double variance_of(const std::vector<double>& h, linear_variance kind) {
  if (kind == linear_variance::sample) return sample_variance(h);
  double total = 0;
  if (kind == linear_variance::second_moment) {
    for (const double value : h) total += value * value;
    return total / static_cast<double>(h.size());
  }
  const std::size_t pairs = h.size() / 2;
  for (std::size_t i = 0; i < pairs; ++i) total += (h[2 * i] - h[2 * i + 1]) * (h[2 * i] - h[2 * i + 1]);
  return total / static_cast<double>(2 * pairs);
}

} // namespace detail

/// Linear-time test (Gretton et al. 2012, lemma 14): the mean of h over m = floor(min(n_s, n_t) / 2) disjoint quadruples of rows against a
/// normal law. O(n F) time. Needs thousands of rows for power that the quadratic tests have with hundreds. Rows in random order.
///
/// @code{.cpp}
/// const Eigen::MatrixXd zs = Eigen::MatrixXd::Random(2000, 3), zt = Eigen::MatrixXd::Random(2000, 3).array() + 0.7;
/// const inference::linear_time_test test{kernel::gaussian{1.0}, inference::linear_variance::second_moment};
/// const inference::normal_result r = test(zs, zt);
/// assert(r.reject && r.z > 1.7 && std::abs(r.z * std::sqrt(r.variance) / r.statistic - 1) < 1e-14);
/// @endcode
template <class Kernel = kernel::gaussian<bandwidth::median>>
struct linear_time_test : test_forms<linear_time_test<Kernel>> {
  static constexpr const char* name = "linear_time_test";

  Kernel kernel{};
  linear_variance variance = linear_variance::sample;

  linear_time_test() = default;
  explicit linear_time_test(Kernel k, linear_variance v = linear_variance::sample) : kernel(k), variance(v) {}

  template <class Exec, class T>
  normal_result run(const Exec& exec, const sample<T>& source, const sample<T>& target, const test_options& options) const {
    const index_t m = std::min(source.rows.rows, target.rows.rows) / 2, n_s = source.rows.rows;
    require_shapes(m >= 2, name, "needs at least 4 samples in each domain", source.rows, target.rows);
    std::vector<double> h(static_cast<std::size_t>(m));
    workspace scratch;
    detail::with_kernel<true>(name, exec, kernel, source, target, scratch, [&](const auto& values) {
      constexpr index_t per_task = 512;
      exec.run((m + per_task - 1) / per_task, [&](index_t task, int) {
        for (index_t q = task * per_task; q < std::min(m, (task + 1) * per_task); ++q) {
          const index_t x = 2 * q, y = n_s + 2 * q;
          h[static_cast<std::size_t>(q)] = values.pair(x, x + 1) + values.pair(y, y + 1) - values.pair(x, y + 1) - values.pair(x + 1, y);
        }
      });
    });
    normal_result r = normal_result::of(detail::mean_of(h), detail::variance_of(h, variance) / static_cast<double>(m), options.alpha);
    if (options.keep_null) r.terms = std::move(h);
    return r;
  }
};

/// Which pairs a block's estimate has.
enum class block_pairs {
  paired,  ///< U_h of the block, without k(x_i, y_i) (the paper)
  unbiased ///< MMD_U of the block
};

/// Block test (Zaremba et al. 2013, B-test): the mean of the estimates of q = floor(min(n_s, n_t) / rows) consecutive blocks against a
/// normal law; between the linear-time test (rows 2) and the quadratic ones. O(n rows F) time. At least 2 blocks, better 30.
///
/// @code{.cpp}
/// const Eigen::MatrixXd zs = Eigen::MatrixXd::Random(1000, 3), zt = Eigen::MatrixXd::Random(1000, 3).array() + 0.7;
/// const inference::block_test test{kernel::gaussian{1.0}, 20, inference::block_pairs::unbiased};
/// assert(test(zs, zt).p_value < 1e-6);
/// @endcode
template <class Kernel = kernel::gaussian<bandwidth::median>>
struct block_test : test_forms<block_test<Kernel>> {
  static constexpr const char* name = "block_test";

  Kernel kernel{};
  index_t rows = 32;
  block_pairs pairs = block_pairs::paired;

  block_test() = default;
  explicit block_test(Kernel k, index_t block = 32, block_pairs p = block_pairs::paired) : kernel(k), rows(block), pairs(p) {}

  template <class Exec, class T>
  normal_result run(const Exec& exec, const sample<T>& source, const sample<T>& target, const test_options& options) const {
    if (rows < 2) fail(name, "blocks need at least 2 rows of each sample (got " + std::to_string(rows) + ")");
    const index_t q = std::min(source.rows.rows, target.rows.rows) / rows;
    require_shapes(q >= 2, name, ("needs at least 2 blocks of " + std::to_string(rows) + " rows").c_str(), source.rows, target.rows);
    std::vector<double> eta(static_cast<std::size_t>(q));
    std::vector<workspace> memory(static_cast<std::size_t>(exec.workers()));
    workspace scratch;
    detail::with_kernel<true>(name, exec, kernel, source, target, scratch, [&](const auto& values) {
      exec.run(q, [&](index_t b, int worker) {
        eta[static_cast<std::size_t>(b)] = block_estimate<T>(values.layer(), b * rows, memory[static_cast<std::size_t>(worker)]);
      });
    });
    normal_result r = normal_result::of(detail::mean_of(eta), detail::sample_variance(eta) / static_cast<double>(q), options.alpha);
    if (options.keep_null) r.terms = std::move(eta);
    return r;
  }

private:
  /// The estimate of the rows from `first` on: a sum over pairs through the pair engine, around the block's own mean.
  template <class T, class Layer>
  double block_estimate(Layer part, index_t first, workspace& scratch) const {
    const workspace_mark mark(scratch);
    const auto n = static_cast<double>(rows);
    const double within = 1 / (n * (n - 1));
    detail::row_coefficients<T> pair{rows, within, within, -within};
    pair.distinct = true;
    if (pairs == block_pairs::unbiased)
      pair.across = -1 / (n * n);
    else
      pair.same_index = -within; // k(x_i, y_i) does not count
    part.data = engine::block_of(part.data, first, rows);
    constexpr exec::serial alone;
    return engine::with_own_means(alone, std::tuple{part}, scratch, [&](const auto& layers) {
      return engine::pairwise_sum<false, accumulator::plain>(alone, pair, layers, engine::gradient_rule<T>{}, scratch);
    });
  }
};

} // namespace dalib::inference
