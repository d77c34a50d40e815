/// @file
/// The spectrum and the gamma test: null laws of the MMD fitted to the data instead of drawn by permuting them.
#pragma once

#include "dalib/inference/draws.hpp"
#include "dalib/inference/permutation_test.hpp"
#include "dalib/inference/tails.hpp"

#include <Eigen/Eigenvalues>

#include <algorithm>
#include <vector>

namespace dalib::inference {

namespace detail {

/// The whole kernel matrix of a joint sample, in double; symmetric to the last bit.
template <class Exec, class T, class Profile>
Eigen::MatrixXd dense_kernel(const Exec& exec, const kernel_blocks<T, Profile>& kernel) {
  Eigen::MatrixXd result(kernel.rows(), kernel.rows());
  workspace scratch;
  const engine::kernel_tiles tiles(exec, kernel.layer(), scratch);
  exec.run(tiles.blocks(), [&](index_t block, int worker) {
    for (index_t other = block; other < tiles.blocks(); ++other) {
      const T* tile = tiles(worker, other, block)[0];
      const auto rows = tiles.rows(block), cols = tiles.rows(other);
      for (index_t i = 0; i < rows.count; ++i)
        for (index_t j = other == block ? i : 0; j < cols.count; ++j)
          result(cols.first + j, rows.first + i) = result(rows.first + i, cols.first + j) =
              static_cast<double>(tile[i * tiles.stride() + j]);
    }
  });
  return result;
}

/// H K H, H = I - 11'/n.
inline Eigen::MatrixXd centred(const Eigen::MatrixXd& k) {
  const Eigen::VectorXd means = k.rowwise().mean();
  Eigen::MatrixXd result = k.colwise() - means;
  result.rowwise() -= means.transpose();
  result.array() += means.mean();
  return result;
}

/// Of a constant matrix that has been centred, against its entries: what is below is no eigenvalue.
inline constexpr double rounding_of_centring = 4e-15;

inline constexpr const char* no_width = "the null law has no width: all values are equal, or too few";

/// A two-sample estimate from a kernel matrix.
inline double estimate_of(const Eigen::MatrixXd& k, index_t n_s, const pair_coefficients& c) {
  const index_t n_t = k.rows() - n_s;
  const auto within = [&](const auto& block) { return block.sum() - (c.distinct ? block.diagonal().sum() : 0.0); };
  return c.within_source * within(k.topLeftCorner(n_s, n_s)) + c.within_target * within(k.bottomRightCorner(n_t, n_t)) +
         2 * c.across * k.topRightCorner(n_s, n_t).sum();
}

} // namespace detail

/// What the spectrum test answers.
struct spectrum_result : test_result {
  std::vector<double> eigenvalues{}; ///< of H K H / N, the largest first, none below 0
};

/// Spectrum test (Gretton et al. 2009; unequal sizes: 2012, theorem 12): the statistic c MMD^2, c = n_s n_t / (n_s + n_t), against draws of
/// sum_l lambda_l z_l^2 (biased) or sum_l lambda_l (z_l^2 - 1) (unbiased), lambda the eigenvalues of the centred kernel matrix / N, z
/// normal. Constant data: p = 1. Asymptotic: level as promised from about 100 rows on. O(n^3) time and n^2 doubles of memory: for up to a
/// few thousand rows.
///
/// @code{.cpp}
/// const Eigen::MatrixXd zs = Eigen::MatrixXd::Random(60, 3), zt = Eigen::MatrixXd::Random(50, 3).array() + 0.7;
/// const inference::spectrum_result r = inference::spectrum_test{kernel::gaussian{1.0}}(zs, zt);
/// assert(r.reject && r.eigenvalues.size() == 109 && r.eigenvalues[0] > r.eigenvalues[1]);
/// @endcode
template <class Kernel = kernel::gaussian<bandwidth::median>, class Estimator = estimator::biased>
struct spectrum_test : test_forms<spectrum_test<Kernel, Estimator>> {
  static constexpr bool biased = std::is_same_v<Estimator, estimator::biased>;
  static_assert(biased || std::is_same_v<Estimator, estimator::unbiased>,
                "dalib: the null law of spectrum_test is known for dalib::estimator::biased and dalib::estimator::unbiased");
  static constexpr const char* name = "spectrum_test";

  Kernel kernel{};
  Estimator estimator{};
  index_t eigenvalues = 0; ///< how many are used; 0: all

  spectrum_test() = default;
  explicit spectrum_test(Kernel k, Estimator e = {}, index_t count = 0) : kernel(k), estimator(e), eigenvalues(count) {}

  template <class Exec, class T>
  spectrum_result run(const Exec& exec, const sample<T>& source, const sample<T>& target, const test_options& options) const {
    const index_t n_s = source.rows.rows, n_t = target.rows.rows, n = n_s + n_t;
    const pair_coefficients weights = detail::coefficients_of(name, estimator, source, target);
    const index_t count = eigenvalues > 0 ? std::min(eigenvalues, n - 1) : n - 1;
    const multipliers normals(name, options, options.given.weights, draw_stream::normal, count);
    workspace scratch;
    const Eigen::MatrixXd k = detail::with_kernel<true>(name, exec, kernel, source, target, scratch,
                                                        [&](const auto& values) { return detail::dense_kernel(exec, values); });
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(detail::centred(k) / static_cast<double>(n), Eigen::EigenvaluesOnly);
    const double c = static_cast<double>(n_s) * static_cast<double>(n_t) / static_cast<double>(n);
    std::vector<double> spectrum, null_sample(static_cast<std::size_t>(normals.count()));
    for (index_t l = 0; l < count; ++l) spectrum.push_back(std::max(0.0, solver.eigenvalues()(n - 1 - l)));
    const double statistic = c * detail::estimate_of(k, n_s, weights);
    if (!(spectrum.front() > detail::rounding_of_centring * k.cwiseAbs().maxCoeff())) {
      spectrum_result r{{.statistic = statistic, .threshold = statistic, .warning = detail::no_width}, std::move(spectrum)};
      if (options.keep_null) r.null_sample.assign(null_sample.size(), statistic);
      return r;
    }
    exec.run(normals.count(), [&](index_t b, int) {
      double total = 0;
      for (index_t l = 0; l < count; ++l) {
        const double z = normals(b, l);
        total += spectrum[static_cast<std::size_t>(l)] * (z * z - (biased ? 0 : 1));
      }
      null_sample[static_cast<std::size_t>(b)] = total;
    });
    return {decide(statistic, std::move(null_sample), options), std::move(spectrum)};
  }
};

/// What a test with a fitted gamma law answers.
struct gamma_result : test_result {
  double mean = 0, variance = 0; ///< of statistic / n under the hypothesis
  double shape = 0, scale = 0;   ///< mean^2 / variance and n variance / mean

  /// Fills the rest from the statistic n V and the moments of V. Constant data: p = 1.
  static gamma_result of(double n, double statistic, double mean, double variance, double alpha) {
    gamma_result r;
    r.statistic = statistic;
    r.mean = mean;
    r.variance = variance;
    if (!(mean > 0) || !(variance > 0)) {
      r.threshold = statistic;
      r.warning = detail::no_width;
      return r;
    }
    r.shape = mean * mean / variance;
    r.scale = n * variance / mean;
    r.p_value = gamma_upper_tail(r.shape, statistic / r.scale);
    r.threshold = r.scale * gamma_upper_quantile(r.shape, alpha);
    r.reject = statistic > r.threshold;
    return r;
  }
};

namespace detail {

/// Sums over h_ij of paired samples: of all, and of squares with i != j.
struct h_sums {
  double all = 0, own = 0, squares = 0;
};

/// Each h_ij from four tiles: of blocks I and J of both samples.
template <class Exec, class T, class Profile>
h_sums sums_of_h(const Exec& exec, const kernel_blocks<T, Profile>& kernel) {
  workspace scratch;
  const engine::kernel_tiles tiles(exec, kernel.layer(), scratch);
  const index_t blocks = tiles.source_blocks(), stride = tiles.stride();
  std::vector<h_sums> parts(static_cast<std::size_t>(blocks));
  std::vector<std::vector<double>> workers(static_cast<std::size_t>(exec.workers()));
  exec.run(blocks, [&](index_t block, int worker) {
    h_sums& part = parts[static_cast<std::size_t>(block)];
    std::vector<double>& h = workers[static_cast<std::size_t>(worker)];
    for (index_t other = block; other < blocks; ++other) {
      h.assign(static_cast<std::size_t>(stride * stride), 0.0);
      const auto rows = tiles.rows(block), cols = tiles.rows(other);
      const auto add = [&](double sign, index_t lanes, index_t columns) {
        const T* tile = tiles(worker, lanes, columns)[0];
        for (index_t i = 0; i < rows.count; ++i)
          for (index_t j = i * stride; j < i * stride + cols.count; ++j)
            h[static_cast<std::size_t>(j)] += sign * static_cast<double>(tile[j]);
      };
      add(1, other, block);
      add(1, blocks + other, blocks + block);
      add(-1, blocks + other, block);
      add(-1, other, blocks + block);
      const double times = other == block ? 1 : 2;
      for (index_t i = 0; i < rows.count; ++i)
        for (index_t j = 0; j < cols.count; ++j) {
          const double value = h[static_cast<std::size_t>(i * stride + j)];
          const bool own = other == block && i == j;
          part.all += times * value;
          (own ? part.own : part.squares) += own ? value : times * value * value;
        }
    }
  });
  h_sums result;
  for (const h_sums& part : parts) {
    result.all += part.all;
    result.own += part.own;
    result.squares += part.squares;
  }
  return result;
}

} // namespace detail

/// Gamma test, n_s = n_t = m >= 2 (Gretton et al. 2009): the statistic m MMD_V against a gamma law with its first two moments under the
/// hypothesis. Fast, O(m^2 F), and without draws, but without a guarantee: the law is only like a gamma, so its level is off where alpha is
/// small or the bandwidth narrow. p is the upper tail itself, accurate to 1e-11 relatively however small.
///
/// @code{.cpp}
/// const Eigen::MatrixXd zs = Eigen::MatrixXd::Random(50, 3), zt = Eigen::MatrixXd::Random(50, 3).array() + 1;
/// const inference::gamma_result r = inference::gamma_test{kernel::gaussian{1.0}}(zs, zt);
/// assert(r.reject && r.p_value < 1e-6);
/// @endcode
template <class Kernel = kernel::gaussian<bandwidth::median>>
struct gamma_test : test_forms<gamma_test<Kernel>> {
  static constexpr const char* name = "gamma_test";

  Kernel kernel{};

  gamma_test() = default;
  explicit gamma_test(Kernel k) : kernel(k) {}

  template <class Exec, class T>
  gamma_result run(const Exec& exec, const sample<T>& source, const sample<T>& target, const test_options& options) const {
    detail::require_paired(name, source, target, 2);
    const auto m = static_cast<double>(source.rows.rows);
    workspace scratch;
    const detail::h_sums h = detail::with_kernel<true>(name, exec, kernel, source, target, scratch,
                                                       [&](const auto& values) { return detail::sums_of_h(exec, values); });
    const double pairs = m * (m - 1);
    return gamma_result::of(m, h.all / m, h.own / (m * m), 2 / pairs * (h.squares / pairs), options.alpha);
  }
};

} // namespace dalib::inference
