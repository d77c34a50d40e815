/// @file
/// Representation subspace distance, for regression.
#pragma once

#include "dalib/measure/decompositions.hpp"
#include "dalib/measure/score_measure.hpp"
#include "dalib/measure/two_sample_measure.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace dalib {

namespace detail {

/// Adjoint of a thin SVD: the gradient with respect to the matrix, from those with respect to U and V, if any (Townsend 2016). Entries
/// between equal singular values, where single vectors are not defined, are left out.
template <class Exec>
class svd_pull {
public:
  svd_pull(const scratch_algebra<Exec>& work, const thin_svd& svd) : work_(work), svd_(svd) {
    inverse_ = work.scratch.template allocate<double>(svd.size());
    for (index_t k = 0; k < svd.size(); ++k) inverse_[k] = k < svd.count_above(1e-14) ? 1 / svd.values[k] : 0;
  }

  real_matrix operator()(const real_matrix& of_u, const real_matrix& of_v = {}) const {
    const real_matrix left = work_.scaled(work_.outside(svd_.u, of_u), inverse_);
    work_.add_product(svd_.u, work_.scaled(between(svd_.u, of_u), svd_.values), 1, left);
    const real_matrix result = work_.product(left, svd_.v.transposed());
    if (of_v.data == nullptr) return result;
    const real_matrix right = work_.scaled(work_.outside(svd_.v, of_v), inverse_); // and v between' diag(values)
    work_.add_product(svd_.v, work_.scaled(between(svd_.v, of_v).transposed(), svd_.values), 1, right);
    work_.add_product(svd_.u, right.transposed(), 1, result);
    return result;
  }

private:
  real_matrix between(const real_matrix& vectors, const real_matrix& slope) const {
    const double* const s = svd_.values;
    const real_matrix inner = work_.product(vectors.transposed(), slope);
    return work_.filled(svd_.size(), svd_.size(), [&](index_t i, index_t j) {
      const double gap = (s[j] - s[i]) * (s[j] + s[i]);
      return std::abs(gap) > 1e-14 * s[0] * s[0] ? (inner(i, j) - inner(j, i)) / gap : 0;
    });
  }

  const scratch_algebra<Exec>& work_;
  const thin_svd& svd_;
  double* inverse_;
};

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
    workspace scratch;
    const exec::default_policy exec;
    const detail::scratch_algebra work(exec, scratch);
    const detail::thin_svd svd = angles_of(work, basis_of(work, source), basis_of(work, target)).svd;
    std::vector<double> result(svd.values, svd.values + svd.size());
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
    const detail::scratch_algebra work(call.execution, call.scratch);
    const detail::thin_svd s = basis_of(work, source), t = basis_of(work, target);
    const angles apart = angles_of(work, s, t);
    const detail::thin_svd &own = apart.source_is_smaller ? s : t, &other = apart.source_is_smaller ? t : s;
    const matrix w = detail::outer_product(work, apart.svd, apart.svd.count_of(1e-13));
    const matrix to_own = pull_basis(work, work.outside(own.u, w), own, 1);
    const matrix to_other = pull_basis(work, work.product(w, work.product(own.u.transposed(), other.u)), other, -1);
    const matrix &g_s = apart.source_is_smaller ? to_own : to_other, &g_t = apart.source_is_smaller ? to_other : to_own; // of f_s', f_t'
    double value = std::accumulate(apart.svd.values, apart.svd.values + apart.svd.size(), 0.0);
    if (trade_off > 0) value += add_base_mismatch(work, s, t, g_s, g_t);
    if constexpr (Gradient) {
      detail::write_gradient(call.execution, g_s.transposed(), out.source, out.scale, out.mode);
      detail::write_gradient(call.execution, g_t.transposed(), out.target, out.scale, out.mode);
    }
    return value;
  }

private:
  using matrix = detail::real_matrix;

  /// Singular values and vectors of (I - Q Q') q for the smaller basis q and the larger Q.
  struct angles {
    detail::thin_svd svd;
    bool source_is_smaller;
  };

  /// The SVD of f'; its u is a basis of the row space.
  template <class Exec, class T>
  static detail::thin_svd basis_of(const detail::scratch_algebra<Exec>& work, const matrix_view<const T>& features) {
    return detail::svd_of(work, detail::copy_as<double>(work.exec, features, work.scratch).transposed());
  }
  template <class Exec>
  static angles angles_of(const detail::scratch_algebra<Exec>& work, const detail::thin_svd& s, const detail::thin_svd& t) {
    const bool smaller = s.size() < t.size();
    const matrix &own = smaller ? s.u : t.u, &other = smaller ? t.u : s.u;
    return {detail::svd_of(work, work.outside(other, work.outside(other, own))), smaller}; // twice: what rounding left of it
  }
  /// sign * slope diag(1 / values) v'.
  template <class Exec>
  static matrix pull_basis(const detail::scratch_algebra<Exec>& work, const matrix& slope, const detail::thin_svd& of, double sign) {
    const index_t sure = of.count_above(1e-14);
    return work.product(work.filled(slope.rows, sure, [&](index_t i, index_t k) { return slope(i, k) / of.values[k]; }),
                        detail::left_columns(of.v, sure).transposed(), sign);
  }

  /// trade_off | |P_s| - |P_t| |_F, and its gradient added.
  template <class Exec>
  double add_base_mismatch(const detail::scratch_algebra<Exec>& work, const detail::thin_svd& s, const detail::thin_svd& t,
                           const matrix& g_s, const matrix& g_t) const {
    const detail::thin_svd bases = detail::svd_of(work, work.product(s.u.transposed(), t.u));
    const auto gap = [&](index_t i, index_t k) { return std::abs(bases.u(i, k)) - std::abs(bases.v(i, k)); };
    double norm = 0;
    for (index_t i = 0; i < bases.u.rows; ++i)
      for (index_t k = 0; k < bases.size(); ++k) norm += gap(i, k) * gap(i, k);
    norm = std::sqrt(norm);
    if (!(norm > 0)) return 0;
    const auto slope = [&](const matrix& of, double factor) { // factor gap sign(of), 0 where it is 0
      return work.filled(of.rows, of.cols, [&](index_t i, index_t k) {
        const double sign = of(i, k) > 0 ? 1 : (of(i, k) < 0 ? -1 : 0);
        return factor * gap(i, k) * sign;
      });
    };
    const matrix inner = detail::svd_pull(work, bases)(slope(bases.u, trade_off / norm), slope(bases.v, -trade_off / norm));
    const auto add = [](const matrix& more, const matrix& to) {
      for (index_t i = 0; i < to.rows; ++i)
        for (index_t j = 0; j < to.cols; ++j) to(i, j) += more(i, j);
    };
    add(detail::svd_pull(work, s)(work.product(t.u, inner.transposed())), g_s);
    add(detail::svd_pull(work, t)(work.product(s.u, inner)), g_t);
    return trade_off * norm;
  }
};

} // namespace dalib
