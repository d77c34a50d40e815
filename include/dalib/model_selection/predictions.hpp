/// @file
/// Scores of a model from its predictions on the target alone: no labels. Every score: higher is better.
#pragma once

#include "dalib/core/check.hpp"
#include "dalib/core/matrix_traits.hpp"
#include "dalib/engine/row/softmax.hpp"
#include "dalib/execution/openmp.hpp"
#include "dalib/measure/decompositions.hpp"
#include "dalib/measure/score_measure.hpp"
#include "dalib/tensor/eigen.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

namespace dalib::model_selection {

namespace detail {

using dalib::detail::dense;

/// Logits as columns of numbers in double, one column for each sample.
template <matrix_like A>
dense<double> columns_of(const char* score, const A& logits) {
  static_assert(std::is_same_v<memory_of<A>, host_memory>, "dalib: scores for model selection read tensors of the host");
  const auto view = const_view_of(logits);
  require_shapes(view.rows > 0 && view.cols > 0, score, "there must be at least one sample and one class", view, view);
  dense<double> columns(view.cols, view.rows);
  for (index_t i = 0; i < view.rows; ++i)
    for (index_t c = 0; c < view.cols; ++c) columns(c, i) = static_cast<double>(view(i, c));
  return columns;
}

/// Softmax of each column in place.
inline void softmax_columns(dense<double>& columns) {
  for (Eigen::Index i = 0; i < columns.cols(); ++i)
    engine::softmax_in_place(engine::class_column<double>{columns.data() + i * columns.rows(), 1, columns.rows()});
}
template <matrix_like A>
dense<double> predictions_of(const char* score, const A& logits) {
  dense<double> p = columns_of(score, logits);
  softmax_columns(p);
  return p;
}

/// -sum p log p, 0 log 0 = 0.
template <class Vector>
double entropy_of(const Vector& p) {
  double sum = 0;
  for (Eigen::Index c = 0; c < p.size(); ++c)
    if (p(c) > 0) sum -= p(c) * std::log(p(c));
  return sum;
}
inline double mean_entropy_of(const dense<double>& p) {
  double sum = 0;
  for (Eigen::Index i = 0; i < p.cols(); ++i) sum += entropy_of(p.col(i));
  return sum / static_cast<double>(p.cols());
}

using dalib::detail::require_positive;

} // namespace detail

/// -mean_i H(p_i), p = softmax of the logits (n, C): sure predictions. In -log C .. 0. O(n C). Like all scores here it reads logits of the
/// host in float or double, computes in double, and throws std::invalid_argument for an empty tensor.
template <matrix_like A>
double entropy(const A& logits) {
  return -detail::mean_entropy_of(detail::predictions_of("entropy", logits));
}

/// Information maximisation and its two parts.
///
/// @code{.cpp}
/// const Eigen::MatrixXd sure_of_both = (Eigen::MatrixXd(2, 2) << 50, 0, 0, 50).finished();
/// const model_selection::information found = model_selection::information_maximisation(sure_of_both);
/// assert(std::abs(found.mean_entropy) < 1e-12 && std::abs(found.marginal_entropy - std::log(2)) < 1e-12);
/// assert(found.score == found.marginal_entropy - found.mean_entropy);
/// @endcode
struct information {
  double mean_entropy;     ///< mean_i H(p_i)
  double marginal_entropy; ///< H(mean_i p_i)
  double score;            ///< marginal_entropy - mean_entropy: sure predictions of all classes
};

/// H(mean_i p_i) - mean_i H(p_i), p = softmax of the logits (n, C). In 0 .. log C. O(n C).
template <matrix_like A>
information information_maximisation(const A& logits) {
  const auto p = detail::predictions_of("information_maximisation", logits);
  const double mean = detail::mean_entropy_of(p), marginal = detail::entropy_of(p.rowwise().mean().eval());
  return {mean, marginal, marginal - mean};
}

/// mean_i max_c p_ic. In 1/C .. 1. O(n C).
template <matrix_like A>
double confidence(const A& logits) {
  return detail::predictions_of("confidence", logits).colwise().maxCoeff().mean();
}

/// Soft neighbourhood density (SND, Saito et al. 2021, section 3): the mean entropy of how alike each sample's prediction is to the
/// others',
///
///     q_i = p_i / |p_i|_2,   P_ij = exp(q_i . q_j / temperature) / sum_{l != i} exp(q_i . q_l / temperature),   mean_i H(P_i.)
///
/// A sample is no neighbour of its own. Needs two samples. O(n^2 C) time in tiles, O(n C) memory, never n x n; the same bits for any number
/// of threads. @throws std::invalid_argument for fewer than two samples or a temperature that is not positive.
template <matrix_like A, class Exec = exec::default_policy>
double soft_neighbourhood_density(const A& logits, double temperature = 0.05, const Exec& exec = {}) {
  const char* const name = "soft_neighbourhood_density";
  detail::require_positive(name, "the temperature", temperature);
  detail::dense<double> q = detail::predictions_of(name, logits);
  const index_t n = q.cols();
  if (n < 2) fail(name, "needs at least two samples (got " + std::to_string(n) + ")");
  q.colwise().normalize();
  constexpr index_t rows = 64, others = 256;
  constexpr double no_neighbour = std::numeric_limits<double>::lowest();
  std::vector<double> entropies(static_cast<std::size_t>(n));
  exec.run((n + rows - 1) / rows, [&](index_t task, int) {
    const dalib::detail::eigen_on_one_thread alone;
    const index_t first = task * rows, count = std::min(rows, n - first);
    Eigen::ArrayXd largest = Eigen::ArrayXd::Constant(count, no_neighbour);
    Eigen::ArrayXd sum = Eigen::ArrayXd::Zero(count), weighted = sum; // of e^(s - largest), and times s
    detail::dense<double> tile;
    for (index_t start = 0; start < n; start += others) {
      const index_t width = std::min(others, n - start);
      tile.noalias() = q.middleCols(first, count).transpose() * q.middleCols(start, width);
      tile /= temperature;
      for (index_t i = 0; i < count; ++i) // the diagonal does not exist
        if (const index_t own = first + i - start; own >= 0 && own < width) tile(i, own) = no_neighbour;
      const Eigen::ArrayXd top = largest.max(tile.rowwise().maxCoeff().array());
      const Eigen::ArrayXd shrink = (largest == top).select(1.0, (largest - top).exp());
      sum *= shrink;
      weighted *= shrink;
      largest = top;
      for (index_t j = 0; j < width; ++j) {
        const auto s = tile.col(j).array();
        const Eigen::ArrayXd e = (s > no_neighbour).select((s - top).exp(), 0.0);
        sum += e;
        weighted += (s > no_neighbour).select(e * s, 0.0);
      }
    }
    const Eigen::ArrayXd entropy = largest + sum.log() - weighted / sum;
    for (index_t i = 0; i < count; ++i) entropies[static_cast<std::size_t>(first + i)] = entropy(i);
  });
  double total = 0;
  for (const double entropy : entropies) total += entropy;
  return total / static_cast<double>(n);
}

/// What a nuclear norm is divided by.
///
/// @code{.cpp}
/// const Eigen::MatrixXd sure = 50 * Eigen::MatrixXd::Identity(3, 3); // the predictions are the identity: its norm is 3
/// assert(std::abs(model_selection::nuclear_norm(sure, model_selection::nuclear_scale::rows) - 1) < 1e-12);
/// @endcode
enum class nuclear_scale {
  rows,            ///< n: batch nuclear norm maximisation
  singular_values, ///< min(n, C): its authors' code
  bound            ///< sqrt(n min(n, C)), so that it is in (0, 1] (Deng et al. 2023)
};

/// |P|_* of the predictions (n, C), scaled: sure predictions of many classes (Cui et al. 2020). O(n C min(n, C)).
template <matrix_like A>
double nuclear_norm(const A& logits, nuclear_scale scale = nuclear_scale::bound) {
  const auto p = detail::predictions_of("nuclear_norm", logits);
  const double n = static_cast<double>(p.cols()), least = static_cast<double>(std::min(p.rows(), p.cols()));
  const auto values = dalib::detail::singular_values(p);
  const double norm = std::accumulate(values.begin(), values.end(), 0.0);
  return norm / (scale == nuclear_scale::rows ? n : (scale == nuclear_scale::singular_values ? least : std::sqrt(n * least)));
}

/// Class correlation (Corr-C, Tu et al. 2023): with M = P'P / n, trace(M) / (|M|_F sqrt C), the cosine of M and the identity. In (0, 1].
/// O(n C^2).
template <matrix_like A>
double softmax_correlation(const A& logits) {
  const auto p = detail::predictions_of("softmax_correlation", logits);
  const dalib::detail::eigen_on_one_thread alone;
  const detail::dense<double> m = p * p.transpose();
  return m.trace() / (m.norm() * std::sqrt(static_cast<double>(m.rows())));
}

/// Minus the loss of minimum class confusion (Jin et al. 2020, section 3), p = softmax(logits / temperature). In -(1 - 1/C) .. 0 about.
/// O(n C): see dalib::minimum_class_confusion. @throws std::invalid_argument for a temperature that is not positive.
template <matrix_like A>
double class_confusion(const A& logits, double temperature = 2.5) {
  const char* const name = "class_confusion";
  detail::require_positive(name, "the temperature", temperature);
  detail::dense<double> p = detail::columns_of(name, logits) / temperature;
  detail::softmax_columns(p);
  Eigen::ArrayXd all = Eigen::ArrayXd::Zero(p.rows()), apart = all;
  for (Eigen::Index i = 0; i < p.cols(); ++i) {
    const double weight = 1 + std::exp(-detail::entropy_of(p.col(i)));
    Eigen::Index top = 0;
    p.col(i).maxCoeff(&top);
    double others = 0;
    for (Eigen::Index c = 0; c < p.rows(); ++c)
      if (c != top) others += p(c, i);
    for (Eigen::Index c = 0; c < p.rows(); ++c) {
      all(c) += weight * p(c, i);
      apart(c) += weight * p(c, i) * (c == top ? others : 1 - p(c, i));
    }
  }
  double loss = 0;
  for (Eigen::Index c = 0; c < p.rows(); ++c) loss += all(c) > 0 ? apart(c) / all(c) : (p.rows() > 1 ? 1 : 0);
  return -loss / static_cast<double>(p.rows());
}

/// How `mano` turns logits into shares.
///
/// @code{.cpp}
/// const Eigen::MatrixXd none = Eigen::MatrixXd::Zero(2, 4); // shares of a quarter each
/// assert(std::abs(model_selection::mano(none, model_selection::mano_scaling::softmax).score - 0.25) < 1e-12);
/// @endcode
enum class mano_scaling {
  automatic, ///< Taylor where phi <= eta, else softmax
  softmax,
  taylor ///< 1 + l + l^2 / 2 of the logits, over its sum
};

/// MaNo's score, and phi = -mean_ic log p_ic, how sure predictions are in themselves.
///
/// @code{.cpp}
/// const model_selection::matrix_norm found = model_selection::mano(Eigen::MatrixXd::Zero(2, 4).eval());
/// assert(std::abs(found.phi - std::log(4)) < 1e-12 && std::abs(found.score - 0.25) < 1e-12);
/// @endcode
struct matrix_norm {
  double phi;
  double score;
};

/// MaNo (Xie et al. 2024, eq. 4-7): (sum_ic q_ic^power / (n C))^(1 / power) with shares q by `scaling`. In (0, 1]. O(n C).
/// @throws std::invalid_argument for a power that is not positive.
template <matrix_like A>
matrix_norm mano(const A& logits, mano_scaling scaling = mano_scaling::automatic, double power = 4, double eta = 5) {
  detail::require_positive("mano", "the power", power);
  detail::dense<double> q = detail::columns_of("mano", logits);
  double phi = 0;
  for (Eigen::Index i = 0; i < q.cols(); ++i) {
    const double top = q.col(i).maxCoeff();
    phi += static_cast<double>(q.rows()) * (top + std::log((q.col(i).array() - top).exp().sum())) - q.col(i).sum();
  }
  phi /= static_cast<double>(q.size());
  if (scaling == mano_scaling::taylor || (scaling == mano_scaling::automatic && phi <= eta)) {
    q = (1 + q.array() + 0.5 * q.array().square()).matrix().eval();
    for (Eigen::Index i = 0; i < q.cols(); ++i) q.col(i) /= q.col(i).sum();
  } else {
    detail::softmax_columns(q);
  }
  return {phi, std::pow(q.array().pow(power).mean(), 1 / power)};
}

/// RankMe (Garrido et al. 2023, eq. 1-2): the effective rank exp(-sum_k p_k log p_k) of features (n, F), p = s / sum s + epsilon with the
/// singular values s, not centred. In 1 .. min(n, F). O(n F min(n, F)). @throws std::invalid_argument for features that are all 0.
template <matrix_like A>
double rankme(const A& features, double epsilon = 1e-7) {
  const auto s = dalib::detail::singular_values(detail::columns_of("rankme", features));
  const double sum = std::accumulate(s.begin(), s.end(), 0.0);
  if (!(sum > 0)) fail("rankme", "all features are 0");
  double entropy = 0;
  for (const double value : s)
    if (const double p = value / sum + epsilon; p > 0) entropy -= p * std::log(p);
  return std::exp(entropy);
}

} // namespace dalib::model_selection
