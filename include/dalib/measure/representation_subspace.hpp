/// @file
/// Representation subspace distance, for regression.
#pragma once

#include "dalib/measure/decompositions.hpp"
#include "dalib/measure/score_measure.hpp"
#include "dalib/measure/two_sample_measure.hpp"

#include <cmath>

namespace dalib {

namespace detail {

/// Adjoint of a thin SVD: the gradient with respect to the matrix, from those with respect to U and V (Townsend 2016). Entries between
/// equal singular values, where single vectors are not defined, are left out.
template <class Scalar>
dense<Scalar> pull_svd(const thin_svd<Scalar>& svd, const dense<Scalar>& of_u, const dense<Scalar>& of_v) {
  const auto& s = svd.values;
  const auto between = [&](const dense<Scalar>& vectors, const dense<Scalar>& slope) {
    const dense<Scalar> inner = vectors.transpose() * slope;
    dense<Scalar> result = inner - inner.transpose();
    for (index_t i = 0; i < s.size(); ++i)
      for (index_t j = 0; j < s.size(); ++j) {
        const Scalar gap = (s(j) - s(i)) * (s(j) + s(i));
        result(i, j) *= std::abs(gap) > 1e-14 * s(0) * s(0) ? 1 / gap : 0;
      }
    return result;
  };
  const column<Scalar> inverse = (s.array() > 1e-14 * s(0)).select(s.cwiseInverse(), 0);
  const auto outside = [&](const dense<Scalar>& vectors, const dense<Scalar>& slope) {
    return dense<Scalar>((slope - vectors * (vectors.transpose() * slope)) * inverse.asDiagonal());
  };
  dense<Scalar> result = (svd.u * between(svd.u, of_u) * s.asDiagonal() + outside(svd.u, of_u)) * svd.v.transpose();
  if (of_v.size() > 0) result += svd.u * (s.asDiagonal() * between(svd.v, of_v) * svd.v.transpose() + outside(svd.v, of_v).transpose());
  return result;
}

} // namespace detail

/// Representation subspace distance (RSD, Chen et al. 2021, eq. 4), with base mismatch penalisation (eq. 6) if trade_off > 0:
///
///     sum of the sines of the principal angles between the row spaces of f_s and f_t + trade_off | |P_s| - |P_t| |_F
///
/// where U_s'U_t = P_s diag(cos) P_t' with the left singular vectors U of f_s', f_t'. Sines are the singular values of
/// (I - Q_s Q_s') Q_t, so they have all their digits near 0, and an angle of 0 has gradient 0 (in the usual form sqrt(1 - cos^2) it is
/// NaN). Features are (n_s, F) and (n_t, F) with n_s + n_t <= F, or some angles are always 0; the penalty needs n_s = n_t. Equal singular
/// values have a defined gradient. O(F n^2), by Eigen in double; host only.
/// @throws std::invalid_argument for empty domains, different numbers of features, gradients of the wrong shape, a negative trade-off, and
/// for n_s != n_t with the penalty.
///
/// @code{.cpp}
/// Eigen::MatrixXd f_s = Eigen::MatrixXd::Zero(1, 3), f_t = f_s;
/// f_s(0, 0) = 2;
/// f_t(0, 0) = f_t(0, 1) = 5; // 45 degrees apart
/// assert(std::abs(representation_subspace_distance{0}(f_s, f_t) - std::sqrt(0.5)) < 1e-15);
/// @endcode
struct representation_subspace_distance : two_sample_measure<representation_subspace_distance> {
  static constexpr const char* name = "representation_subspace_distance";

  double trade_off;

  explicit representation_subspace_distance(double of_bases = 0) : trade_off(of_bases) {}

  /// The sines of the principal angles, ascending.
  template <matrix_like FS, matrix_like FT>
  std::vector<double> sines(const FS& features_s, const FT& features_t) const {
    const auto source = const_view_of(features_s), target = const_view_of(features_t);
    require_two_samples(name, source, target);
    const auto values = angles_of(basis_of(source), basis_of(target)).svd.values;
    std::vector<double> result(values.data(), values.data() + values.size());
    std::reverse(result.begin(), result.end());
    return result;
  }

  template <class View>
  void require_settings(const View& source, const View& target) const {
    detail::require_not_negative(name, "the trade-off", trade_off);
    if (trade_off > 0)
      require_shapes(source.rows == target.rows, name, "the base mismatch penalty needs equally many samples", source, target);
  }
  template <bool Gradient, class Call, class T>
  double of_samples(const Call& call, const matrix_view<const T>& source, const matrix_view<const T>& target,
                    const gradients<T>& out) const {
    const detail::thin_svd<double> s = basis_of(source), t = basis_of(target);
    const angles apart = angles_of(s, t);
    matrix g_s, g_t; // with respect to f_s', f_t'
    double value = apart.svd.values.sum();
    {
      const detail::eigen_on_one_thread alone;
      const index_t sure = (apart.svd.values.array() > 1e-13).count();
      const matrix w = apart.svd.u.leftCols(sure) * apart.svd.v.leftCols(sure).transpose();
      const detail::thin_svd<double>&own = apart.source_is_smaller ? s : t, &other = apart.source_is_smaller ? t : s;
      const matrix to_own = (w - own.u * (own.u.transpose() * w)) * inverse_of(own).asDiagonal() * own.v.transpose();
      const matrix to_other = -w * (own.u.transpose() * other.u) * inverse_of(other).asDiagonal() * other.v.transpose();
      g_s = apart.source_is_smaller ? to_own : to_other;
      g_t = apart.source_is_smaller ? to_other : to_own;
      if (trade_off > 0) value += add_base_mismatch(s, t, g_s, g_t);
    }
    if constexpr (Gradient) {
      const auto write = [&](const matrix& g, const matrix_view<T>& to) { // g is transposed
        detail::write_gradient(call.execution, matrix_view<const double>(g.data(), g.cols(), g.rows(), g.rows(), 1), to, out.scale,
                               out.mode);
      };
      write(g_s, out.source);
      write(g_t, out.target);
    }
    return value;
  }

private:
  using matrix = detail::dense<double>;

  /// Singular values and vectors of (I - Q Q') q for the smaller basis q and the larger Q.
  struct angles {
    detail::thin_svd<double> svd;
    bool source_is_smaller;
  };

  /// The SVD of f'; its u is a basis of the row space.
  template <class T>
  static detail::thin_svd<double> basis_of(const matrix_view<const T>& features) {
    return detail::svd_of(detail::dense<double>(detail::dense_of<T>(features).transpose()));
  }
  static angles angles_of(const detail::thin_svd<double>& s, const detail::thin_svd<double>& t) {
    const detail::eigen_on_one_thread alone;
    const bool smaller = s.u.cols() < t.u.cols();
    const matrix &own = smaller ? s.u : t.u, &other = smaller ? t.u : s.u;
    matrix apart = own - other * (other.transpose() * own);
    apart -= other * (other.transpose() * apart); // what rounding left of it
    return {detail::svd_of(apart), smaller};
  }
  static detail::column<double> inverse_of(const detail::thin_svd<double>& svd) {
    return (svd.values.array() > 1e-14 * svd.values(0)).select(svd.values.cwiseInverse(), 0);
  }

  /// trade_off | |P_s| - |P_t| |_F, and its gradient added.
  double add_base_mismatch(const detail::thin_svd<double>& s, const detail::thin_svd<double>& t, matrix& g_s, matrix& g_t) const {
    const auto bases = detail::svd_of(matrix(s.u.transpose() * t.u));
    const matrix gap = bases.u.cwiseAbs() - bases.v.cwiseAbs();
    const double norm = gap.norm();
    if (!(norm > 0)) return 0;
    const matrix slope = trade_off / norm * gap;
    const matrix inner =
        detail::pull_svd(bases, matrix(slope.cwiseProduct(bases.u.cwiseSign())), matrix(-slope.cwiseProduct(bases.v.cwiseSign())));
    g_s += detail::pull_svd(s, matrix(t.u * inner.transpose()), matrix());
    g_t += detail::pull_svd(t, matrix(s.u * inner), matrix());
    return trade_off * norm;
  }
};

} // namespace dalib
