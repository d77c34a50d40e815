/// @file
/// Batch spectral penalisation.
#pragma once

#include "dalib/core/random.hpp"
#include "dalib/measure/decompositions.hpp"
#include "dalib/measure/two_sample_measure.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

namespace dalib {

namespace detail {

/// The columns of `basis` made orthonormal by their Gram matrix, twice: they are far from dependent after the first time. `spare` holds as
/// many numbers; false if they are dependent.
template <class Exec>
bool orthonormalise(const scratch_algebra<Exec>& work, real_matrix& basis, real_matrix& spare) {
  for (int pass = 0; pass < 2; ++pass) {
    const workspace_mark mark(work.scratch);
    const eigenpairs gram = symmetric_eigen(work.product(basis.transposed(), basis), work.scratch);
    for (index_t k = 0; k < basis.cols; ++k) {
      if (!(gram.values[k] > 1e-14 * gram.values[0])) return false;
      for (index_t i = 0; i < basis.cols; ++i) gram.vectors(i, k) /= std::sqrt(gram.values[k]);
    }
    work.multiply(basis, gram.vectors, spare, {1, 0});
    std::swap(basis, spare);
  }
  return true;
}

/// The largest `count` eigenvalues of a symmetric positive semidefinite matrix with their eigenvectors. A few of many by subspace iteration
/// with Rayleigh-Ritz steps, until the residuals are rounding: O(size^2 (count + 8)) a step. Where the next eigenvalues are too near for
/// that in 100 steps, or many are asked for, from all of them. The first subspace is fixed, so the answer is too. The matrix is destroyed.
template <class Exec>
eigenpairs leading_eigenpairs_of(const scratch_algebra<Exec>& work, const real_matrix& matrix, index_t count) {
  const index_t size = matrix.rows, width = count + 8;
  const auto of_all = [&] {
    const eigenpairs all = symmetric_eigen(matrix, work.scratch);
    return eigenpairs{all.values, left_columns(all.vectors, count)};
  };
  if (size <= 4 * width) return of_all();
  real_matrix basis = work.filled(
      size, width, [&](index_t i, index_t j) { return static_cast<double>(standard_normal(7, static_cast<std::uint64_t>(j * size + i))); });
  real_matrix image = work.matrix(size, width), spare = work.matrix(size, width);
  double* const values = work.scratch.template allocate<double>(width);
  bool good = orthonormalise(work, basis, spare);
  for (int step = 0; good && step < 100; ++step) {
    const workspace_mark mark(work.scratch);
    work.multiply(matrix, basis, image, {1, 0});
    const eigenpairs ritz = symmetric_eigen(work.product(basis.transposed(), image), work.scratch);
    for (real_matrix* turning : {&basis, &image}) {
      work.multiply(*turning, ritz.vectors, spare, {1, 0});
      std::swap(*turning, spare);
    }
    double residual = 0;
    for (index_t k = 0; k < count; ++k) {
      double square = 0;
      for (index_t i = 0; i < size; ++i) square += std::pow(image(i, k) - ritz.values[k] * basis(i, k), 2);
      residual = std::max(residual, std::sqrt(square));
    }
    if (residual <= 1e-13 * ritz.values[0]) {
      std::copy_n(ritz.values, count, values);
      return {values, left_columns(basis, count)};
    }
    std::swap(basis, image);
    good = orthonormalise(work, basis, spare);
  }
  return of_all();
}

} // namespace detail

/// Batch spectral penalisation (BSP, Chen et al. 2019, eq. 4): the sum of the k largest squared singular values of both domains' features,
///
///     sum_{i<=k} sigma_i(f_s)^2 + sum_{i<=k} sigma_i(f_t)^2
///
/// Features are (n_s, F) and (n_t, F), k at most the smallest of the three. Gradient 2 U_k U_k' f. Found from the Gram matrix of the
/// smaller side, for few singular values by subspace iteration, without a full decomposition: O(n F m) with m = min(n, F), in double; host
/// only. Where singular values k and k + 1 are equal the gradient is that of one choice of the two, the same in every call.
/// @throws std::invalid_argument for empty domains, different numbers of features, gradients of the wrong shape, a k out of range.
///
/// @code{.cpp}
/// const Eigen::MatrixXd f_s = Eigen::Vector3d(3, 2, 1).asDiagonal(), f_t = Eigen::MatrixXd::Identity(2, 3);
/// const auto [value, g_s, g_t] = value_and_gradient(batch_spectral_penalisation{2}, f_s, f_t);
/// assert(std::abs(value - 15) < 1e-12 && std::abs(g_s(0, 0) - 6) < 1e-12 && std::abs(g_s(2, 2)) < 1e-12);
/// @endcode
struct batch_spectral_penalisation : two_sample_measure<batch_spectral_penalisation> {
  static constexpr const char* name = "batch_spectral_penalisation";

  index_t count;

  /// @param k  `count`: the number of singular values of each domain; 1 in the paper.
  explicit batch_spectral_penalisation(index_t k = 1) : count(k) {}

  template <class View>
  void require_settings(const View& source, const View& target) const {
    const index_t most = std::min({source.rows, target.rows, source.cols});
    if (count < 1 || count > most)
      fail(name, "the number of singular values must be in 1 .. " + std::to_string(most) + " (got " + std::to_string(count) + ")");
  }
  template <bool Gradient, class Call, class T>
  double of_samples(const Call& call, const matrix_view<const T>& source, const matrix_view<const T>& target,
                    const gradients<T>& out) const {
    const double of_source = of_domain<Gradient>(call, source, out.source, out.scale, out.mode);
    return of_source + of_domain<Gradient>(call, target, out.target, out.scale, out.mode);
  }

private:
  template <bool Gradient, class Call, class T>
  double of_domain(const Call& call, const matrix_view<const T>& rows, const matrix_view<T>& to, T scale, write_mode mode) const {
    const detail::scratch_algebra work(call.execution, call.scratch);
    const detail::const_real_matrix x = detail::copy_as<double>(call.execution, rows, call.scratch);
    const bool wide = x.rows <= x.cols;
    const auto leading =
        detail::leading_eigenpairs_of(work, wide ? work.product(x, x.transposed()) : work.product(x.transposed(), x), count);
    if constexpr (Gradient)
      if (to.data) { // wide: 2 U (U' x); tall: 2 (x V) V'
        const detail::real_matrix u = leading.vectors;
        const detail::real_matrix g =
            wide ? work.product(u, work.product(u.transposed(), x)) : work.product(work.product(x, u), u.transposed());
        detail::write_gradient(call.execution, g, to, T(2) * scale, mode);
      }
    double sum = 0;
    for (index_t k = 0; k < count; ++k) sum += std::max(leading.values[k], 0.0);
    return sum;
  }
};

} // namespace dalib
