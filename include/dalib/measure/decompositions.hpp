/// @file
/// The matrix decompositions that measures use, by Eigen, in double. Functions are templates so that a file that includes this and uses
/// none compiles none.
#pragma once

#include "dalib/core/eigen_core.hpp"
#include "dalib/core/matrix_view.hpp"

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>

#if defined(_OPENMP)
#  include <omp.h>
#endif

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

namespace dalib::detail {

/// Keeps Eigen on the calling thread within a scope: how its products group their sums depends on the number of threads.
class eigen_on_one_thread {
public:
  eigen_on_one_thread(const eigen_on_one_thread&) = delete;
  eigen_on_one_thread& operator=(const eigen_on_one_thread&) = delete;
#if defined(_OPENMP)
  eigen_on_one_thread() : before_(omp_get_max_threads()) { omp_set_num_threads(1); } // of this thread alone
  ~eigen_on_one_thread() { omp_set_num_threads(before_); }

private:
  int before_;
#else
  eigen_on_one_thread() {} // NOLINT: not trivial, so that an object of it is no unused variable
  ~eigen_on_one_thread() {}
#endif
};

template <class Scalar = double>
using dense = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic>;
template <class Scalar = double>
using column = Eigen::Matrix<Scalar, Eigen::Dynamic, 1>;

/// The elements of a view in double.
template <class T>
dense<double> dense_of(const matrix_view<const T>& view) {
  dense<double> result(view.rows, view.cols);
  for (index_t i = 0; i < view.rows; ++i)
    for (index_t j = 0; j < view.cols; ++j) result(i, j) = static_cast<double>(view(i, j));
  return result;
}

/// Eigenvalues, ascending, and eigenvectors of a symmetric matrix.
template <class Scalar>
Eigen::SelfAdjointEigenSolver<dense<Scalar>> symmetric_eigen(const dense<Scalar>& matrix) {
  const eigen_on_one_thread alone;
  return Eigen::SelfAdjointEigenSolver<dense<Scalar>>(matrix);
}

/// U diag(values) V' with min(rows, cols) columns, values descending.
template <class Scalar>
struct thin_svd {
  dense<Scalar> u, v;
  column<Scalar> values;
};

/// Rotates pairs of columns of `image` = A `basis` until all are orthogonal (one-sided Jacobi): what squaring took from the small singular
/// values comes back. After an eigendecomposition of A'A one sweep or two do.
template <class Scalar>
void orthogonalise_columns(dense<Scalar>& image, dense<Scalar>& basis) {
  constexpr Scalar digits = std::numeric_limits<Scalar>::epsilon();
  const Scalar least = image.squaredNorm() * digits * digits; // shorter columns are rounding
  for (int sweep = 0; sweep < 30; ++sweep) {
    bool turned = false;
    for (index_t p = 0; p + 1 < image.cols(); ++p)
      for (index_t q = p + 1; q < image.cols(); ++q) {
        const Scalar a = image.col(p).squaredNorm(), b = image.col(q).squaredNorm(), c = image.col(p).dot(image.col(q));
        if (std::min(a, b) <= least || std::abs(c) <= 4 * digits * std::sqrt(a * b)) continue;
        turned = true;
        const Scalar zeta = (b - a) / (2 * c), t = std::copysign(Scalar(1), zeta) / (std::abs(zeta) + std::hypot(Scalar(1), zeta));
        const Scalar cosine = 1 / std::hypot(Scalar(1), t), sine = cosine * t;
        for (dense<Scalar>* turning : {&image, &basis}) {
          const column<Scalar> old = turning->col(p);
          turning->col(p) = cosine * old - sine * turning->col(q);
          turning->col(q) = sine * old + cosine * turning->col(q);
        }
      }
    if (!turned) return;
  }
}

/// From the eigenvectors of the Gram matrix of the smaller side, by Eigen, made orthogonal anew: O(n m k), k = min(n, m).
template <class Scalar>
thin_svd<Scalar> svd_of(const dense<Scalar>& matrix) {
  const eigen_on_one_thread alone;
  const bool tall = matrix.rows() >= matrix.cols();
  const dense<Scalar> upright = tall ? matrix : dense<Scalar>(matrix.transpose());
  dense<Scalar> basis = symmetric_eigen<Scalar>(upright.transpose() * upright).eigenvectors().rowwise().reverse();
  dense<Scalar> image = upright * basis;
  orthogonalise_columns(image, basis);
  const column<Scalar> norms = image.colwise().norm().transpose();
  std::vector<index_t> order(static_cast<std::size_t>(norms.size()));
  std::iota(order.begin(), order.end(), index_t{0});
  std::stable_sort(order.begin(), order.end(), [&](index_t i, index_t j) { return norms(i) > norms(j); });
  thin_svd<Scalar> result{image, basis, norms};
  for (index_t k = 0; k < norms.size(); ++k) {
    const index_t from = order[static_cast<std::size_t>(k)];
    result.values(k) = norms(from);
    result.u.col(k) = image.col(from) * (norms(from) > 0 ? 1 / norms(from) : 0);
    result.v.col(k) = basis.col(from);
  }
  if (!tall) std::swap(result.u, result.v);
  return result;
}

/// The number of singular values that are not 0 up to rounding.
template <class Scalar>
index_t rank_of(const thin_svd<Scalar>& svd) {
  const Scalar sides = static_cast<Scalar>(std::max(svd.u.rows(), svd.v.rows()));
  return svd.values.size() > 0 ? (svd.values.array() > sides * std::numeric_limits<Scalar>::epsilon() * svd.values(0)).count() : 0;
}

/// U V' of the first `rank` singular values: the gradient of their sum.
template <class Scalar>
dense<Scalar> outer_product(const thin_svd<Scalar>& svd, index_t rank) {
  const eigen_on_one_thread alone;
  return svd.u.leftCols(rank) * svd.v.leftCols(rank).transpose();
}

} // namespace dalib::detail
