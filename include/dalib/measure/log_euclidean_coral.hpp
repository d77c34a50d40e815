/// @file
/// Correlation alignment on the manifold of covariances.
#pragma once

#include "dalib/measure/coral.hpp"
#include "dalib/measure/decompositions.hpp"
#include "dalib/measure/score_measure.hpp"

#include <algorithm>
#include <cmath>
#include <string>

namespace dalib {

namespace detail {

/// log(C + ridge I) of a domain, and what its gradient needs.
struct logarithm_of_covariance {
  real_matrix rows; ///< centred
  real_matrix logarithm;
  eigenpairs covariance;
};

template <class T, class Exec>
logarithm_of_covariance logarithm_of(const char* measure, const scratch_algebra<Exec>& work, const matrix_view<const T>& rows,
                                     double ridge) {
  const index_t cols = rows.cols;
  const double* const mean = column_means(work.exec, rows, work.scratch);
  logarithm_of_covariance result;
  result.rows = work.filled(rows.rows, cols, [&](index_t i, index_t j) { return static_cast<double>(rows(i, j)) - mean[j]; });
  const real_matrix covariance = work.product(result.rows.transposed(), result.rows, 1 / static_cast<double>(rows.rows - 1));
  for (index_t j = 0; j < cols; ++j) covariance(j, j) += ridge;
  result.covariance = symmetric_eigen(covariance, work.scratch);
  const auto& [values, vectors] = result.covariance;
  if (!(values[cols - 1] > 1e-15 * static_cast<double>(cols) * values[0]))
    fail(measure,
         "a covariance has no logarithm: it is singular. Take a ridge, or more samples than features (got " + shape_of(rows) + ")");
  double* const logarithms = work.scratch.template allocate<double>(cols);
  std::transform(values, values + cols, logarithms, [](double value) { return std::log(value); });
  result.logarithm = work.product(work.scaled(vectors, logarithms), vectors.transposed());
  return result;
}

/// `factor` times the rows times the gradient with respect to the covariance, from that with respect to its logarithm (Daleckii and Krein):
/// divided differences of the logarithm, which are 1/lambda for equal eigenvalues.
template <class Exec>
real_matrix pull_logarithm(const scratch_algebra<Exec>& work, const logarithm_of_covariance& of, const real_matrix& slope, double factor) {
  const auto& [values, vectors] = of.covariance;
  const real_matrix inner = work.product(work.product(vectors.transposed(), slope), vectors, factor);
  const auto divided = [&](double a, double b) {
    const double ratio = (a - b) / b;
    return std::abs(ratio) < 1e-300 ? 1 / b : std::log1p(ratio) / (a - b);
  };
  for (index_t i = 0; i < inner.rows; ++i)
    for (index_t j = 0; j < inner.cols; ++j) inner(i, j) *= divided(values[std::min(i, j)], values[std::max(i, j)]);
  return work.product(work.product(work.product(of.rows, vectors), inner), vectors.transposed());
}

} // namespace detail

/// Log-Euclidean CORAL (Morerio et al. 2018, eq. 4):
///
///     |log(C_s + ridge I) - log(C_t + ridge I)|_F^2 / (4 F^2)
///
/// with C as in coral and the matrix logarithm. Without a ridge covariances must have full rank: n_s, n_t > F. Equal eigenvalues have a
/// defined gradient. O((n_s + n_t) F^2 + F^3), by Eigen in double; host only.
/// @throws std::invalid_argument as coral, for a negative ridge, and for a covariance that is singular up to rounding.
///
/// @code{.cpp}
/// const Eigen::MatrixXd f_s = Eigen::MatrixXd::Random(20, 3), f_t = 2 * f_s; // C_t = 4 C_s: the logarithms differ by log 4 I
/// assert(std::abs(log_euclidean_coral{}(f_s, f_t) - 3 * std::log(4) * std::log(4) / 36) < 1e-13);
/// @endcode
struct log_euclidean_coral : two_sample_measure<log_euclidean_coral> {
  static constexpr const char* name = "log_euclidean_coral";

  double ridge;

  explicit log_euclidean_coral(double regularisation = 0) : ridge(regularisation) {}

  template <class View>
  void require_settings(const View& source, const View& target) const {
    detail::require_covariances(name, source, target);
    detail::require_not_negative(name, "the ridge", ridge);
  }
  template <bool Gradient, class Call, class T>
  double of_samples(const Call& call, const matrix_view<const T>& source, const matrix_view<const T>& target,
                    const gradients<T>& out) const {
    const detail::scratch_algebra work(call.execution, call.scratch);
    const auto log_s = detail::logarithm_of<T>(name, work, source, ridge), log_t = detail::logarithm_of<T>(name, work, target, ridge);
    const detail::real_matrix difference =
        work.filled(source.cols, source.cols, [&](index_t i, index_t j) { return log_s.logarithm(i, j) - log_t.logarithm(i, j); });
    const double factor = 1 / (4 * static_cast<double>(source.cols) * static_cast<double>(source.cols));
    if constexpr (Gradient) {
      const auto write = [&](const detail::logarithm_of_covariance& of, const matrix_view<T>& to, double sign) {
        if (to.data == nullptr) return;
        const double share = sign * 4 * factor / static_cast<double>(of.rows.rows - 1);
        detail::write_gradient(call.execution, detail::pull_logarithm(work, of, difference, share), to, out.scale, out.mode);
      };
      write(log_s, out.source, 1);
      write(log_t, out.target, -1);
    }
    return factor * detail::squared_norm(call.execution, difference, call.scratch);
  }
};

} // namespace dalib
