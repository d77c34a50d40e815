/// @file
/// DARE-GRAM: alignment of the inverse Gram matrices, for regression.
#pragma once

#include "dalib/measure/decompositions.hpp"
#include "dalib/measure/score_measure.hpp"
#include "dalib/measure/two_sample_measure.hpp"

#include <algorithm>
#include <cmath>

namespace dalib {

/// The parts of inverse_gram_alignment, and how many eigenvalues they were made of.
///
/// @code{.cpp}
/// const Eigen::MatrixXd f_s = Eigen::MatrixXd::Random(8, 3), f_t = Eigen::MatrixXd::Random(9, 3);
/// const inverse_gram_alignment loss;
/// const gram_alignment_parts parts = loss.parts(f_s, f_t);
/// assert(std::abs(0.05 * parts.angle + 0.001 * parts.scale - loss(f_s, f_t)) < 1e-15 && parts.rank >= 1);
/// @endcode
struct gram_alignment_parts {
  double angle;
  double scale;
  index_t rank; ///< k
};

/// DARE-GRAM (Nejjar et al. 2023, eq. 6-9): with A = [1, f], the eigenvalues l_1 >= l_2 >= .. of A'A and G+ = sum_{i<=k} v_i v_i' / l_i of
/// each domain,
///
///     angle_weight sum_j |1 - cos(G_s+ column j, G_t+ column j)| / (F + 1) + scale_weight |l_s[1..k] - l_t[1..k]|_2 / k
///
/// k is given, or by the share of the spectrum that it keeps: per domain e = cumulative l / sum l, T = max(threshold, e_2), k = the number
/// of e_i <= T less 1, the larger of both domains (the authors' rule; at least 1), detached. The gradient is that of the truncated
/// pseudo-inverse, which automatic differentiation of the authors' code does not give. Features are (n_s, F) and (n_t, F). O(n F^2 + F^3),
/// by Eigen in double; host only.
/// @throws std::invalid_argument for empty domains, different numbers of features, gradients of the wrong shape, k out of 1 .. F + 1, a
/// threshold outside 0 .. 1.
///
/// @code{.cpp}
/// const Eigen::MatrixXd f = Eigen::MatrixXd::Random(8, 3);
/// const inverse_gram_alignment loss{0.95};
/// assert(std::abs(loss(f, f)) < 1e-12);
/// @endcode
struct inverse_gram_alignment : two_sample_measure<inverse_gram_alignment> {
  static constexpr const char* name = "inverse_gram_alignment";

  double threshold;
  index_t rank; ///< k; 0: by the threshold
  double angle_weight, scale_weight;

  explicit inverse_gram_alignment(double kept = 0.95, index_t k = 0, double of_angle = 0.05, double of_scale = 0.001)
      : threshold(kept), rank(k), angle_weight(of_angle), scale_weight(of_scale) {}

  template <matrix_like FS, matrix_like FT>
  gram_alignment_parts parts(const FS& features_s, const FT& features_t) const {
    const auto source = const_view_of(features_s), target = const_view_of(features_t);
    require_two_samples(name, source, target);
    require_settings(source, target);
    return align(spectrum_of(source), spectrum_of(target)).parts;
  }

  template <class View>
  void require_settings(const View& source, const View&) const {
    if (rank < 0 || rank > source.cols + 1)
      fail(name, "k must be in 1 .. F + 1, or 0 for the threshold (got " + std::to_string(rank) + ")");
    if (!(threshold >= 0 && threshold <= 1)) fail(name, "the threshold must be in 0 .. 1");
    detail::require_not_negative(name, "the weight of the angle", angle_weight);
    detail::require_not_negative(name, "the weight of the scale", scale_weight);
  }
  template <bool Gradient, class Call, class T>
  double of_samples(const Call& call, const matrix_view<const T>& source, const matrix_view<const T>& target,
                    const gradients<T>& out) const {
    const spectrum s = spectrum_of(source), t = spectrum_of(target);
    const alignment both = align(s, t);
    if constexpr (Gradient) {
      const auto write = [&](const spectrum& of, const matrix& of_inverse, const detail::column<double>& of_values,
                             const matrix_view<T>& to) {
        if (to.data == nullptr) return;
        const matrix g = pull(of, both.parts.rank, of_inverse, of_values);
        detail::write_gradient(call.execution, matrix_view<const double>(g.data(), g.rows(), g.cols(), 1, g.rows()), to, out.scale,
                               out.mode);
      };
      write(s, both.of_inverse_s, both.of_values, out.source);
      write(t, both.of_inverse_t, -both.of_values, out.target);
    }
    return angle_weight * both.parts.angle + scale_weight * both.parts.scale;
  }

private:
  using matrix = detail::dense<double>;

  /// [1, f] and the eigendecomposition of its Gram matrix, descending.
  struct spectrum {
    matrix rows, vectors;
    detail::column<double> values;
  };
  struct alignment {
    gram_alignment_parts parts;
    matrix of_inverse_s, of_inverse_t; ///< gradients with respect to the truncated inverses
    detail::column<double> of_values;  ///< with respect to the source's eigenvalues; minus that of the target's
  };

  template <class T>
  static spectrum spectrum_of(const matrix_view<const T>& features) {
    const detail::eigen_on_one_thread alone;
    matrix rows(features.rows, features.cols + 1);
    rows << matrix::Ones(features.rows, 1), detail::dense_of<T>(features);
    const auto eigen = detail::symmetric_eigen<double>(rows.transpose() * rows);
    return {std::move(rows), eigen.eigenvectors().rowwise().reverse(), eigen.eigenvalues().reverse().cwiseMax(0)};
  }

  index_t rank_of(const spectrum& of) const {
    detail::column<double> kept = of.values;
    for (index_t i = 1; i < kept.size(); ++i) kept(i) += kept(i - 1);
    kept /= kept(kept.size() - 1);
    const double limit = std::max(threshold, kept(std::min<index_t>(1, kept.size() - 1)));
    return (kept.array() <= limit).count() - 1;
  }

  /// Of the eigenvalues that are not 0 up to rounding.
  static double inverse(const spectrum& of, index_t i, index_t k) {
    return i < k && of.values(i) > 1e-14 * of.values(0) ? 1 / of.values(i) : 0;
  }
  static matrix truncated_inverse(const spectrum& of, index_t k) {
    detail::column<double> values(of.values.size());
    for (index_t i = 0; i < values.size(); ++i) values(i) = inverse(of, i, k);
    return of.vectors * values.asDiagonal() * of.vectors.transpose();
  }

  alignment align(const spectrum& s, const spectrum& t) const {
    const detail::eigen_on_one_thread alone;
    const index_t size = s.values.size();
    const index_t k = rank > 0 ? rank : std::max<index_t>(1, std::max(rank_of(s), rank_of(t)));
    const matrix inverse_s = truncated_inverse(s, k), inverse_t = truncated_inverse(t, k);
    alignment result{{0, 0, k}, matrix::Zero(size, size), matrix::Zero(size, size), detail::column<double>::Zero(size)};
    const double share = angle_weight / static_cast<double>(size);
    for (index_t j = 0; j < size; ++j) {
      const double norm_s = inverse_s.col(j).norm(), norm_t = inverse_t.col(j).norm();
      if (!(norm_s > 0 && norm_t > 0)) {
        result.parts.angle += 1 / static_cast<double>(size);
        continue;
      }
      const detail::column<double> u = inverse_s.col(j) / norm_s, v = inverse_t.col(j) / norm_t;
      const double cosine = u.dot(v);
      result.parts.angle += 0.5 * (u - v).squaredNorm() / static_cast<double>(size); // 1 - cos, with its digits
      result.of_inverse_s.col(j) = -share / norm_s * (v - cosine * u);
      result.of_inverse_t.col(j) = -share / norm_t * (u - cosine * v);
    }
    const detail::column<double> gap = s.values.head(k) - t.values.head(k);
    const double norm = gap.norm();
    result.parts.scale = norm / static_cast<double>(k);
    if (norm > 0) result.of_values.head(k) = scale_weight / (norm * static_cast<double>(k)) * gap;
    return result;
  }

  /// Gradient with respect to the features: divided differences of the truncated inverse, 2 A (gradient of A'A), without the ones.
  static matrix pull(const spectrum& of, index_t k, const matrix& of_inverse, const detail::column<double>& of_values) {
    const detail::eigen_on_one_thread alone;
    matrix inner = of.vectors.transpose() * (0.5 * (of_inverse + of_inverse.transpose())) * of.vectors;
    for (index_t i = 0; i < inner.rows(); ++i)
      for (index_t j = 0; j < inner.cols(); ++j) {
        const bool both = i < k && j < k;
        const double gap = of.values(i) - of.values(j);
        inner(i, j) *= both ? -inverse(of, i, k) * inverse(of, j, k) : (gap != 0 ? (inverse(of, i, k) - inverse(of, j, k)) / gap : 0);
      }
    inner.diagonal() += of_values;
    return (2 * of.rows * (of.vectors * inner * of.vectors.transpose())).rightCols(of.rows.cols() - 1);
  }
};

} // namespace dalib
