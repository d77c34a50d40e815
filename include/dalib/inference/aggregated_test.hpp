/// @file
/// Tests that need no bandwidth: MMDAgg and MMD-FUSE, many kernels in one pass.
#pragma once

#include "dalib/inference/aggregation.hpp"
#include "dalib/inference/bandwidth_collections.hpp"
#include "dalib/inference/permutation_test.hpp"
#include "dalib/inference/wild_bootstrap_test.hpp"

#include <numeric>
#include <vector>

namespace dalib::inference {

/// How an aggregated test draws its null samples.
enum class resampling {
  permutations,  ///< MMD_U; any n_s, n_t
  wild_bootstrap ///< U_h with random signs; n_s = n_t
};

namespace detail {
/// Weights of kernels: those given, or equal ones.
inline std::vector<double> kernel_weights(const char* test, const std::vector<double>& given, int kernels) {
  if (given.empty()) return std::vector<double>(static_cast<std::size_t>(kernels), 1.0 / kernels);
  if (static_cast<int>(given.size()) != kernels)
    fail(test, "needs one weight for each of the " + std::to_string(kernels) + " kernels (got " + std::to_string(given.size()) + ")");
  for (const double w : given)
    if (!(w > 0)) fail(test, "weights must be positive");
  if (std::abs(std::accumulate(given.begin(), given.end(), 0.0) - 1) > 1e-6) fail(test, "weights must have the sum 1");
  return given;
}

inline kernel_null_samples split_samples(const permuted_statistics& all, index_t first, index_t second) {
  kernel_null_samples result;
  for (int k = 0; k < all.terms; ++k) {
    result.observed.push_back(all.observed(k));
    result.for_quantiles.push_back(all.permuted(k, 0, first));
    result.for_level.push_back(all.permuted(k, first, second));
  }
  return result;
}
} // namespace detail

/// MMDAgg (Schrab et al. 2023): every term of `kernel` is a test of its own, and together they have level alpha. Where one does not know
/// which bandwidth shows a difference this is the test to use; `mmdagg_kernel(zs, zt)` is its authors' collection. All kernels and all
/// draws are one pass over the pairs: O(n^2 (F + kernels * draws)) time, O(n (F + kernels + draws)) memory.
///
/// `options.draws` are those of the quantiles, `level_draws` those of the level; given ones in `options.given` and `options.second`.
///
/// @code{.cpp}
/// const Eigen::MatrixXd zs = Eigen::MatrixXd::Random(40, 3), zt = Eigen::MatrixXd::Random(30, 3).array() + 0.7;
/// const inference::aggregated_test test{inference::mmdagg_kernel(zs, zt), inference::resampling::permutations};
/// const inference::aggregated_result r = test(zs, zt, {.draws = 500});
/// assert(r.reject && r.p_values.size() == 20);
/// @endcode
template <class Kernel>
struct aggregated_test : test_forms<aggregated_test<Kernel>> {
  static constexpr const char* name = "aggregated_test";

  Kernel kernel;
  resampling by = resampling::permutations;
  std::vector<double> weights{}; ///< of the kernels, positive with sum 1; none: equal ones
  index_t level_draws = 500;
  int bisections = 50;

  explicit aggregated_test(Kernel k, resampling r = resampling::permutations, std::vector<double> w = {}, int steps = 50)
      : kernel(k), by(r), weights(std::move(w)), bisections(steps) {}

  template <class Exec, class T>
  aggregated_result run(const Exec& exec, const sample<T>& source, const sample<T>& target, const test_options& options) const {
    test_options second = options;
    second.draws = level_draws;
    workspace scratch;
    return detail::with_kernel<true>(name, exec, kernel, source, target, scratch, [&](const auto& values) {
      const std::vector<double> own = detail::kernel_weights(name, weights, values.terms());
      if (by == resampling::permutations) {
        const pair_coefficients estimate = detail::coefficients_of(name, estimator::unbiased{}, source, target);
        const permutations one(name, options, options.given, draw_stream::permutation, values.rows());
        const permutations two(name, second, options.second, draw_stream::second_permutation, values.rows());
        const auto all = detail::permute(exec, values, estimate, {&one, &two});
        return aggregate(detail::split_samples(all, one.count(), two.count()), own, options, bisections);
      }
      detail::require_paired(name, source, target, 2);
      const multipliers one(name, options, options.given.weights, draw_stream::sign, source.rows.rows);
      const multipliers two(name, second, options.second.weights, draw_stream::second_sign, source.rows.rows);
      const auto all = detail::bootstrap_pairs(exec, values, {&one, &two});
      return aggregate(detail::split_samples(all, one.count(), two.count()), own, options, bisections);
    });
  }
};

/// What MMD-FUSE answers.
struct fuse_result : test_result {
  std::vector<double> statistics{};    ///< MMD_U of each kernel
  std::vector<double> normalisation{}; ///< sum_{i != j} k(z_i, z_j)^2 / (n (n - 1)) of each kernel
};

/// MMD-FUSE (Biggs, Schrab, Gretton 2023, sections 4 and 5): one statistic of all kernels,
/// (1 / lambda) log mean_k exp(lambda MMD_U,k / sqrt(N_k)), with permutations. Exact like permutation_test. One pass for all kernels and
/// draws, and one for N_k.
///
/// @code{.cpp}
/// const Eigen::MatrixXd zs = Eigen::MatrixXd::Random(40, 3), zt = Eigen::MatrixXd::Random(30, 3).array() + 0.7;
/// const inference::fuse_result r = inference::fuse_test{inference::fuse_kernel(zs, zt)}(zs, zt);
/// assert(r.reject && r.statistics.size() == 20 && r.p_value == 0.001);
/// @endcode
template <class Kernel>
struct fuse_test : test_forms<fuse_test<Kernel>> {
  static constexpr const char* name = "fuse_test";

  Kernel kernel;
  double lambda = 0;      ///< 0: sqrt(n (n - 1)), n = min(n_s, n_t), the authors' choice
  bool normalised = true; ///< by sqrt(N_k)

  explicit fuse_test(Kernel k, double l = 0, bool n = true) : kernel(k), lambda(l), normalised(n) {}

  template <class Exec, class T>
  fuse_result run(const Exec& exec, const sample<T>& source, const sample<T>& target, const test_options& options) const {
    const pair_coefficients estimate = detail::coefficients_of(name, estimator::unbiased{}, source, target);
    const auto n = static_cast<double>(std::min(source.rows.rows, target.rows.rows));
    const double sharpness = lambda > 0 ? lambda : std::sqrt(n * (n - 1));
    workspace scratch;
    return detail::with_kernel<false>(name, exec, kernel, source, target, scratch, [&](const auto& values) {
      const permutations orders(name, options, options.given, draw_stream::permutation, values.rows());
      const detail::permuted_statistics all = detail::permute(exec, values, estimate, {&orders});
      std::vector<double> norms = detail::sums_of_squares(exec, values);
      for (double& norm : norms) norm /= n * (n - 1);
      const auto fuse = [&](index_t draw) {
        std::vector<double> exponents;
        for (int k = 0; k < all.terms; ++k) {
          const double norm = norms[static_cast<std::size_t>(k)];
          const double scale = !normalised ? 1 : norm > 0 ? 1 / std::sqrt(norm) : 0;
          exponents.push_back(sharpness * scale * all.values[static_cast<std::size_t>(k * all.vectors + draw)]);
        }
        const double most = *std::max_element(exponents.begin(), exponents.end());
        double total = 0;
        for (const double e : exponents) total += std::exp(e - most);
        return (most + std::log(total / static_cast<double>(all.terms))) / sharpness;
      };
      std::vector<double> null_sample;
      for (index_t b = 1; b < all.vectors; ++b) null_sample.push_back(fuse(b));
      fuse_result result{decide(fuse(0), std::move(null_sample), options), {}, std::move(norms)};
      for (int k = 0; k < all.terms; ++k) result.statistics.push_back(all.observed(k));
      return result;
    });
  }
};

} // namespace dalib::inference
