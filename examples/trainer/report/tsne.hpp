#pragma once
// Exact t-SNE: van der Maaten and Hinton, Visualizing Data using t-SNE, JMLR 9 (2008).

#include "parallel.hpp"
#include "pca.hpp"

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

namespace dalib::report {

/// Parameters of t-SNE. The defaults suit some hundred to some thousand points.
struct tsne_options {
  double perplexity = 30;             ///< effective number of neighbours; at most (n - 1) / 3 is used
  int iterations = 750;               ///< gradient steps
  int exaggerated_iterations = 250;   ///< the first steps, in which the attraction is multiplied by `exaggeration`
  double exaggeration = 12;           ///< early exaggeration (section 3.4)
  double learning_rate = 0;           ///< 0: max(n / exaggeration / 4, 50), after Belkina et al. (2019)
  Eigen::Index input_components = 50; ///< the points are reduced to this many principal components first
  int threads = 0;                    ///< 0: one per 10^6 pairs of points, at most OpenMP's default
};

namespace detail {

/// Sixteen neighbouring values are handled at once, and all sums run in sixteen fixed lanes: the order of additions never changes.
inline constexpr Eigen::Index lanes = 16;
using lane_array = Eigen::Array<float, lanes, 1>;

/// The joint probabilities P of equation (1) and p_ij = (p_j|i + p_i|j) / 2n, as rows padded with zeros to a multiple of `lanes`.
using affinity_matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Writes p_j|i for all j into `p`; the points are columns. The precision beta = 1 / (2 sigma_i^2) is found by bisection, such that the
/// entropy is log(perplexity).
inline void conditional_probabilities(const Eigen::MatrixXd& points, Eigen::Index i, double entropy, Eigen::Ref<Eigen::ArrayXd> p) {
  // Differences, not norms and products: equal points have a distance of exactly zero.
  Eigen::ArrayXd distances = (points.colwise() - points.col(i)).colwise().squaredNorm().transpose().array();
  distances(i) = std::numeric_limits<double>::infinity();
  const double nearest = distances.minCoeff();
  distances -= nearest;
  distances(i) = 0;
  double beta = 1.0 / std::max(distances.sum() / static_cast<double>(distances.size()), 1e-100);
  double low = 0;
  double high = std::numeric_limits<double>::infinity();
  constexpr int most_steps = 100;
  for (int step = 0; step < most_steps; ++step) {
    p = (-beta * distances).exp();
    p(i) = 0;
    const double sum = p.sum();
    const double excess = std::log(sum) + beta * (p * distances).sum() / sum - entropy;
    p /= sum;
    if (std::abs(excess) < 1e-5) break;
    (excess > 0 ? low : high) = beta;
    beta = std::isinf(high) ? beta * 2 : (low + high) / 2;
  }
}

/// A step of fewer pairs takes less than half a millisecond: on a busy machine waiting for other threads would cost more than they save.
inline int tsne_threads(Eigen::Index n, int asked) {
  constexpr Eigen::Index pairs_per_thread = 1000000;
  const auto useful = static_cast<int>(std::clamp<Eigen::Index>(n * n / pairs_per_thread, 1, exec::default_policy{}.workers()));
  return asked > 0 ? asked : useful;
}

/// The symmetric matrix of all p_ij, whose sum is 1, from points in columns.
inline affinity_matrix joint_probabilities(const Eigen::MatrixXd& points, double perplexity, int threads) {
  const Eigen::Index n = points.cols();
  const double entropy = std::log(std::max(std::min(perplexity, static_cast<double>(n - 1) / 3), 1.0));
  Eigen::MatrixXd conditional(n, n); // column i holds p_j|i
  for_rows(n, threads, [&](Eigen::Index i) { conditional_probabilities(points, i, entropy, conditional.col(i).array()); });
  affinity_matrix joint = affinity_matrix::Zero(n, (n + lanes - 1) / lanes * lanes);
  const double scale = 0.5 / static_cast<double>(n);
  for_rows(n, threads, [&](Eigen::Index i) {
    for (Eigen::Index j = 0; j < n; ++j) joint(i, j) = static_cast<float>((conditional(j, i) + conditional(i, j)) * scale);
  });
  return joint;
}

/// What point i contributes to the gradient: attraction sum_j p_ij w_ij (y_i - y_j), repulsion sum_j w_ij^2 (y_i - y_j) and the sum of
/// w_ij = 1 / (1 + |y_i - y_j|^2), the terms of equation (5) with the normaliser of equation (4) left out.
struct point_forces {
  float attraction_x, attraction_y, repulsion_x, repulsion_y, weight;
};

/// The forces on point i in one pass over all points. The sums over the padding are zero because its p_ij are.
inline point_forces forces_on(Eigen::Index i, const affinity_matrix& p, const Eigen::ArrayXf& x, const Eigen::ArrayXf& y) {
  lane_array attraction_x = lane_array::Zero(), attraction_y = lane_array::Zero();
  lane_array repulsion_x = lane_array::Zero(), repulsion_y = lane_array::Zero(), weight = lane_array::Zero();
  const float* row = p.data() + i * p.cols();
  for (Eigen::Index j = 0; j < p.cols(); j += lanes) {
    const lane_array dx = x(i) - x.segment<lanes>(j);
    const lane_array dy = y(i) - y.segment<lanes>(j);
    const lane_array w = (1.0f + dx * dx + dy * dy).inverse();
    const lane_array attraction = Eigen::Map<const lane_array>(row + j) * w;
    const lane_array repulsion = w * w;
    attraction_x += attraction * dx;
    attraction_y += attraction * dy;
    repulsion_x += repulsion * dx;
    repulsion_y += repulsion * dy;
    weight += w;
  }
  return {attraction_x.sum(), attraction_y.sum(), repulsion_x.sum(), repulsion_y.sum(), weight.sum()};
}

} // namespace detail

/// Embeds `points`, shape (n, F), any Eigen matrix, into the plane by gradient descent on the Kullback-Leibler divergence of equation (2),
/// with early exaggeration, momentum 0.5, later 0.8, and per-coordinate gains. The start is the first two principal components with
/// standard deviation 1e-4 (deterministic, and the large-scale arrangement is meaningful). Returns an (n, 2) matrix.
///
/// @code
/// const Eigen::MatrixXd plane = tsne(features, {.perplexity = 20});
/// @endcode
/// O(n^2 iterations) time and O(n^2) memory (12 bytes per pair), so meant for n <= 1500 or so. The result is bit-identical for any number
/// of threads. Throws std::invalid_argument for an empty matrix, for NaN or infinity, and for options out of
/// range.
template <class Derived>
Eigen::MatrixXd tsne(const Eigen::MatrixBase<Derived>& points, const tsne_options& options = {}) {
  if (!(options.perplexity >= 1) || options.iterations < 0 || !(options.exaggeration >= 1) || !(options.learning_rate >= 0) ||
      options.input_components < 1)
    throw std::invalid_argument(
        "tsne: needs perplexity >= 1, iterations >= 0, exaggeration >= 1, learning_rate >= 0 and input_components >= 1");
  const principal_components reduced = pca(points, options.input_components);
  const Eigen::Index n = reduced.scores.rows();
  if (n < 2) return Eigen::MatrixXd::Zero(n, 2);

  const int threads = detail::tsne_threads(n, options.threads);
  const detail::affinity_matrix p = detail::joint_probabilities(reduced.scores.transpose(), options.perplexity, threads);
  const Eigen::Index padded_n = p.cols();
  // Padding points are so far away that they vanish beside w_ii = 1, and their squared weights underflow to zero.
  constexpr float far_away = 1e15f;
  Eigen::ArrayXf x = Eigen::ArrayXf::Constant(padded_n, far_away);
  Eigen::ArrayXf y = Eigen::ArrayXf::Constant(padded_n, far_away);
  const double spread = reduced.variances(0) > 0 ? std::sqrt(reduced.variances(0)) : 1.0;
  x.head(n) = (reduced.scores.col(0) * (1e-4 / spread)).cast<float>().array();
  y.head(n).setZero();
  if (reduced.scores.cols() > 1) y.head(n) = (reduced.scores.col(1) * (1e-4 / spread)).cast<float>().array();

  const double automatic_rate = std::max(static_cast<double>(n) / options.exaggeration / 4, 50.0);
  const auto rate = static_cast<float>(options.learning_rate > 0 ? options.learning_rate : automatic_rate);
  Eigen::ArrayXf gain_x = Eigen::ArrayXf::Ones(n), gain_y = gain_x;
  Eigen::ArrayXf step_x = Eigen::ArrayXf::Zero(n), step_y = step_x;
  Eigen::ArrayXf gradient_x(n), gradient_y(n);
  std::vector<detail::point_forces> forces(static_cast<std::size_t>(n));
  for (int iteration = 0; iteration < options.iterations; ++iteration) {
    const bool early = iteration < options.exaggerated_iterations;
    const float momentum = early ? 0.5f : 0.8f;
    const float attraction = 4 * (early ? static_cast<float>(options.exaggeration) : 1.0f);
    for_rows(n, threads, [&](Eigen::Index i) { forces[static_cast<std::size_t>(i)] = detail::forces_on(i, p, x, y); });
    // The sum includes w_ii = 1, which equation (4) leaves out.
    double weights = 0;
    for (const detail::point_forces& f : forces) weights += static_cast<double>(f.weight) - 1;
    const auto repulsion = static_cast<float>(4 / std::max(weights, 1e-300));
    for (Eigen::Index i = 0; i < n; ++i) {
      const detail::point_forces& f = forces[static_cast<std::size_t>(i)];
      gradient_x(i) = attraction * f.attraction_x - repulsion * f.repulsion_x;
      gradient_y(i) = attraction * f.attraction_y - repulsion * f.repulsion_y;
    }
    const auto advance = [&](Eigen::ArrayXf& position, Eigen::ArrayXf& step, Eigen::ArrayXf& gain, const Eigen::ArrayXf& gradient) {
      gain = (gradient * step < 0).select(gain + 0.2f, (gain * 0.8f).max(0.01f));
      step = momentum * step - rate * gain * gradient;
      position.head(n) += step;
      position.head(n) -= position.head(n).mean();
    };
    advance(x, step_x, gain_x, gradient_x);
    advance(y, step_y, gain_y, gradient_y);
  }
  Eigen::MatrixXd embedded(n, 2);
  embedded.col(0) = x.head(n).cast<double>().matrix();
  embedded.col(1) = y.head(n).cast<double>().matrix();
  return embedded;
}

} // namespace dalib::report
