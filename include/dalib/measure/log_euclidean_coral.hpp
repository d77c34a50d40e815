/// @file
/// Correlation alignment on the manifold of covariances.
#pragma once

#include "dalib/measure/coral.hpp"
#include "dalib/measure/decompositions.hpp"
#include "dalib/measure/score_measure.hpp"

#include <cmath>
#include <string>

namespace dalib {

namespace detail {

/// log(C + ridge I) of a domain, and what its gradient needs.
struct logarithm_of_covariance {
  dense<double> rows; ///< centred
  dense<double> vectors, logarithm;
  column<double> values;
};

template <class T>
logarithm_of_covariance logarithm_of(const char* measure, const matrix_view<const T>& rows, double ridge) {
  const eigen_on_one_thread alone;
  logarithm_of_covariance result{dense_of<T>(rows), {}, {}, {}};
  result.rows.rowwise() -= result.rows.colwise().mean().eval();
  dense<double> covariance = result.rows.transpose() * result.rows / static_cast<double>(rows.rows - 1);
  covariance.diagonal().array() += ridge;
  const auto eigen = symmetric_eigen<double>(covariance);
  result.values = eigen.eigenvalues();
  result.vectors = eigen.eigenvectors();
  if (!(result.values(0) > 1e-15 * static_cast<double>(rows.cols) * result.values(rows.cols - 1)))
    fail(measure,
         "a covariance has no logarithm: it is singular. Take a ridge, or more samples than features (got " + shape_of(rows) + ")");
  result.logarithm = result.vectors * result.values.array().log().matrix().asDiagonal() * result.vectors.transpose();
  return result;
}

/// `factor` times the rows times the gradient with respect to the covariance, from that with respect to its logarithm (Daleckii and Krein):
/// divided differences of the logarithm, which are 1/lambda for equal eigenvalues.
template <class Slope>
dense<double> pull_logarithm(const logarithm_of_covariance& of, const Slope& slope, double factor) {
  const eigen_on_one_thread alone;
  dense<double> inner = of.vectors.transpose() * slope * of.vectors;
  const auto divided = [&](double a, double b) {
    const double ratio = (a - b) / b;
    return std::abs(ratio) < 1e-300 ? 1 / b : std::log1p(ratio) / (a - b);
  };
  for (index_t i = 0; i < inner.rows(); ++i)
    for (index_t j = 0; j < inner.cols(); ++j) inner(i, j) *= divided(of.values(std::max(i, j)), of.values(std::min(i, j)));
  return factor * (of.rows * of.vectors) * inner * of.vectors.transpose();
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
    const auto log_s = detail::logarithm_of<T>(name, source, ridge), log_t = detail::logarithm_of<T>(name, target, ridge);
    const detail::dense<double> difference = log_s.logarithm - log_t.logarithm;
    const double factor = 1 / (4 * static_cast<double>(source.cols) * static_cast<double>(source.cols));
    if constexpr (Gradient) {
      const auto write = [&](const detail::logarithm_of_covariance& of, const matrix_view<T>& to, double sign) {
        if (to.data == nullptr) return;
        const detail::dense<double> g = detail::pull_logarithm(of, difference, sign * 4 * factor / static_cast<double>(of.rows.rows() - 1));
        detail::write_gradient(call.execution, matrix_view<const double>(g.data(), g.rows(), g.cols(), 1, g.rows()), to, out.scale,
                               out.mode);
      };
      write(log_s, out.source, 1);
      write(log_t, out.target, -1);
    }
    return factor * difference.squaredNorm();
  }
};

} // namespace dalib
