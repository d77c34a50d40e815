/// @file
/// Batch spectral penalisation.
#pragma once

#include "dalib/core/random.hpp"
#include "dalib/measure/decompositions.hpp"
#include "dalib/measure/two_sample_measure.hpp"

#include <cmath>
#include <string>

namespace dalib {

namespace detail {

/// The largest eigenvalues of a symmetric positive semidefinite matrix, descending, with their eigenvectors.
struct leading_eigenpairs {
  column<double> values;
  dense<double> vectors;
};

/// All eigenpairs, of which `count` are kept.
template <class Scalar>
leading_eigenpairs leading_of_all(const dense<Scalar>& matrix, index_t count) {
  const auto eigen = symmetric_eigen<Scalar>(matrix);
  return {eigen.eigenvalues().reverse().head(count).cwiseMax(0), eigen.eigenvectors().rowwise().reverse().leftCols(count)};
}

/// A few of many by subspace iteration with Rayleigh-Ritz steps, until the residuals are rounding: O(size^2 (count + 8)) a step. Where the
/// next eigenvalues are too near for that in 100 steps, all eigenpairs. The first subspace is fixed, so the answer is too.
template <class Scalar>
leading_eigenpairs leading_eigenpairs_of(const dense<Scalar>& matrix, index_t count) {
  const eigen_on_one_thread alone;
  const index_t size = matrix.rows(), width = count + 8;
  if (size <= 4 * width) return leading_of_all<Scalar>(matrix, count);
  dense<Scalar> basis(size, width);
  for (index_t j = 0; j < width; ++j)
    for (index_t i = 0; i < size; ++i) basis(i, j) = standard_normal(7, static_cast<std::uint64_t>(j * size + i));
  const auto orthonormalise = [&] { // by the Gram matrix, twice: the columns are far from dependent after the first product
    for (int pass = 0; pass < 2; ++pass) {
      const Eigen::LLT<dense<Scalar>> factor(basis.transpose() * basis);
      if (factor.info() != Eigen::Success) return false;
      factor.matrixU().template solveInPlace<Eigen::OnTheRight>(basis);
    }
    return true;
  };
  if (!orthonormalise()) return leading_of_all<Scalar>(matrix, count);
  for (int step = 0; step < 100; ++step) {
    dense<Scalar> image = matrix * basis;
    const auto ritz = symmetric_eigen<Scalar>(basis.transpose() * image);
    const dense<Scalar> turn = ritz.eigenvectors().rowwise().reverse();
    const column<double> values = ritz.eigenvalues().reverse();
    basis = basis * turn;
    image = image * turn;
    double residual = 0;
    for (index_t k = 0; k < count; ++k) residual = std::max(residual, (image.col(k) - values(k) * basis.col(k)).norm());
    if (residual <= 1e-13 * values(0)) return {values.head(count).cwiseMax(0), basis.leftCols(count)};
    basis = image;
    if (!orthonormalise()) break;
  }
  return leading_of_all<Scalar>(matrix, count);
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
    using matrix = detail::dense<double>;
    const auto& exec = call.execution;
    const matrix_view<const double> x = detail::copy_as<double>(exec, rows, call.scratch);
    const bool wide = x.rows <= x.cols;
    const index_t side = wide ? x.rows : x.cols;
    matrix gram(side, side);
    const matrix_view<double> to_gram(gram.data(), side, side);
    const auto product = [&](const matrix_view<const double>& a, const matrix_view<const double>& b, const matrix_view<double>& c) {
      engine::product<std::remove_cvref_t<decltype(exec)>, double, host_memory>(exec, a, b, c, {}, call.scratch);
    };
    if (wide)
      product(x, x.transposed(), to_gram);
    else
      product(x.transposed(), x, to_gram);
    const auto leading = detail::leading_eigenpairs_of<double>(gram, count);
    if constexpr (Gradient)
      if (to.data) { // wide: 2 U (U' x); tall: 2 (x V) V'
        const matrix_view<const double> vectors(leading.vectors.data(), side, count, 1, side);
        const auto inner = detail::scratch_matrix<double>(call.scratch, wide ? count : x.rows, wide ? x.cols : count);
        const auto g = detail::scratch_matrix<double>(call.scratch, x.rows, x.cols);
        if (wide) {
          product(vectors.transposed(), x, inner);
          product(vectors, inner, g);
        } else {
          product(x, vectors, inner);
          product(inner, vectors.transposed(), g);
        }
        detail::write_gradient(exec, g, to, T(2) * scale, mode);
      }
    return leading.values.sum();
  }
};

} // namespace dalib
