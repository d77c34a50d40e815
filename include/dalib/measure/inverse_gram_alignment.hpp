/// @file
/// DARE-GRAM: alignment of the inverse Gram matrices, for regression.
#pragma once

#include "dalib/measure/decompositions.hpp"
#include "dalib/measure/score_measure.hpp"
#include "dalib/measure/two_sample_measure.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

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
    workspace scratch;
    const exec::default_policy exec;
    const detail::scratch_algebra work(exec, scratch);
    return align(work, spectrum_of(work, source), spectrum_of(work, target)).parts;
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
    const detail::scratch_algebra work(call.execution, call.scratch);
    const spectrum s = spectrum_of(work, source), t = spectrum_of(work, target);
    const alignment both = align(work, s, t);
    if constexpr (Gradient) {
      const auto write = [&](const spectrum& of, const matrix& of_inverse, double sign, const matrix_view<T>& to) {
        if (to.data == nullptr) return;
        detail::write_gradient(call.execution, pull(work, of, both, of_inverse, sign), to, out.scale, out.mode);
      };
      write(s, both.of_inverse_s, 1, out.source);
      write(t, both.of_inverse_t, -1, out.target);
    }
    return angle_weight * both.parts.angle + scale_weight * both.parts.scale;
  }

private:
  using matrix = detail::real_matrix;

  /// [1, f] and the eigendecomposition of its Gram matrix, descending.
  struct spectrum {
    matrix rows;
    detail::eigenpairs gram;

    index_t size() const { return rows.cols; }
  };
  struct alignment {
    gram_alignment_parts parts;
    matrix of_inverse_s, of_inverse_t; ///< gradients with respect to the truncated inverses
    double* of_values;                 ///< with respect to the source's k eigenvalues; minus that of the target's
  };

  template <class Exec, class T>
  static spectrum spectrum_of(const detail::scratch_algebra<Exec>& work, const matrix_view<const T>& features) {
    const matrix rows = work.filled(features.rows, features.cols + 1,
                                    [&](index_t i, index_t j) { return j == 0 ? 1.0 : static_cast<double>(features(i, j - 1)); });
    const detail::eigenpairs gram = detail::symmetric_eigen(work.product(rows.transposed(), rows), work.scratch);
    for (index_t k = 0; k < rows.cols; ++k) gram.values[k] = std::max(gram.values[k], 0.0);
    return {rows, gram};
  }

  index_t rank_of(const spectrum& of) const {
    const double* const values = of.gram.values;
    const double total = std::accumulate(values, values + of.size(), 0.0);
    const double two = (values[0] + (of.size() > 1 ? values[1] : 0)) / total, limit = std::max(threshold, two);
    index_t count = 0;
    double kept = 0;
    for (index_t k = 0; k < of.size(); ++k) count += (kept += values[k]) / total <= limit ? 1 : 0;
    return count - 1;
  }

  /// Of the eigenvalues that are not 0 up to rounding.
  static double inverse(const spectrum& of, index_t i, index_t k) {
    return i < k && of.gram.values[i] > 1e-14 * of.gram.values[0] ? 1 / of.gram.values[i] : 0;
  }
  template <class Exec>
  static matrix truncated_inverse(const detail::scratch_algebra<Exec>& work, const spectrum& of, index_t k) {
    const matrix kept = detail::left_columns(of.gram.vectors, k);
    return work.product(work.filled(of.size(), k, [&](index_t i, index_t j) { return kept(i, j) * inverse(of, j, k); }), kept.transposed());
  }

  template <class Exec>
  alignment align(const detail::scratch_algebra<Exec>& work, const spectrum& s, const spectrum& t) const {
    const index_t size = s.size(), k = rank > 0 ? rank : std::max<index_t>(1, std::max(rank_of(s), rank_of(t)));
    const matrix inverse_s = truncated_inverse(work, s, k), inverse_t = truncated_inverse(work, t, k);
    alignment result{{0, 0, k}, work.zeros(size, size), work.zeros(size, size), work.zeros(1, k).data};
    for (index_t j = 0; j < size; ++j) result.parts.angle += align_column(j, inverse_s, inverse_t, result);
    double square = 0;
    for (index_t i = 0; i < k; ++i) square += std::pow(s.gram.values[i] - t.gram.values[i], 2);
    const double norm = std::sqrt(square);
    result.parts.scale = norm / static_cast<double>(k);
    for (index_t i = 0; norm > 0 && i < k; ++i)
      result.of_values[i] = scale_weight / (norm * static_cast<double>(k)) * (s.gram.values[i] - t.gram.values[i]);
    return result;
  }

  /// The share of columns j in the angle, and its gradients.
  double align_column(index_t j, const matrix& inverse_s, const matrix& inverse_t, const alignment& to) const {
    const index_t size = inverse_s.rows;
    const auto norm_of = [&](const matrix& of) {
      double square = 0;
      for (index_t i = 0; i < size; ++i) square += of(i, j) * of(i, j);
      return std::sqrt(square);
    };
    const double norm_s = norm_of(inverse_s), norm_t = norm_of(inverse_t), share = 1 / static_cast<double>(size);
    if (!(norm_s > 0 && norm_t > 0)) return share;
    double cosine = 0, apart = 0; // 1 - cos is half of |u - v|^2, with its digits
    for (index_t i = 0; i < size; ++i) {
      const double u = inverse_s(i, j) / norm_s, v = inverse_t(i, j) / norm_t;
      cosine += u * v;
      apart += (u - v) * (u - v);
    }
    for (index_t i = 0; i < size; ++i) {
      const double u = inverse_s(i, j) / norm_s, v = inverse_t(i, j) / norm_t;
      to.of_inverse_s(i, j) = -angle_weight * share / norm_s * (v - cosine * u);
      to.of_inverse_t(i, j) = -angle_weight * share / norm_t * (u - cosine * v);
    }
    return 0.5 * share * apart;
  }

  /// Gradient with respect to the features: divided differences of the truncated inverse, 2 A (gradient of A'A), without the ones.
  template <class Exec>
  static matrix pull(const detail::scratch_algebra<Exec>& work, const spectrum& of, const alignment& both, const matrix& of_inverse,
                     double sign) {
    const matrix& vectors = of.gram.vectors;
    const double* const values = of.gram.values;
    const index_t size = of.size(), k = both.parts.rank;
    const matrix even = work.filled(size, size, [&](index_t i, index_t j) { return 0.5 * (of_inverse(i, j) + of_inverse(j, i)); });
    const matrix inner = work.product(work.product(vectors.transposed(), even), vectors);
    for (index_t i = 0; i < size; ++i)
      for (index_t j = 0; j < size; ++j) {
        const double gap = values[i] - values[j];
        inner(i, j) *=
            i < k && j < k ? -inverse(of, i, k) * inverse(of, j, k) : (gap != 0 ? (inverse(of, i, k) - inverse(of, j, k)) / gap : 0);
      }
    for (index_t i = 0; i < k; ++i) inner(i, i) += sign * both.of_values[i];
    const matrix all = work.product(work.product(work.product(of.rows, vectors, 2), inner), vectors.transposed());
    return {all.data + 1, all.rows, all.cols - 1, all.row_stride, 1};
  }
};

} // namespace dalib
