/// @file
/// The matrix decompositions that measures use, by Eigen, in double and in scratch memory. Each is one function with one instantiation, and
/// a template, so that a file that includes this and uses none compiles none.
#pragma once

#include "dalib/core/eigen_core.hpp"
#include "dalib/measure/scratch_algebra.hpp"

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>

#if defined(_OPENMP)
#  include <omp.h>
#endif

#include <algorithm>
#include <cmath>
#include <limits>
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

/// matrix = unit Q T Q': the tridiagonal T, and in place of the symmetric matrix what Q is made of. @returns unit
template <class Scalar>
[[gnu::noinline]] Scalar tridiagonalise(Scalar* matrix, index_t size, Scalar* diagonal, Scalar* below, Scalar* factors) {
  Eigen::Map<dense<Scalar>> all(matrix, size, size);
  Eigen::Map<column<Scalar>> reflections(factors, size - 1);
  const Scalar largest = all.cwiseAbs().maxCoeff(), unit = largest > 0 ? largest : Scalar(1);
  all /= unit;
  if (size > 1) Eigen::internal::tridiagonalization_inplace(all, reflections);
  Eigen::Map<column<Scalar>>(diagonal, size) = all.diagonal();
  Eigen::Map<column<Scalar>>(below, size - 1) = all.template diagonal<-1>();
  return unit;
}
/// Q, in place; `work` holds `size` numbers.
template <class Scalar>
[[gnu::noinline]] void form_reflections(Scalar* matrix, index_t size, Scalar* factors, Scalar* work) {
  using square = Eigen::Map<dense<Scalar>>;
  using line = Eigen::Map<column<Scalar>>;
  square all(matrix, size, size);
  line reflections(factors, size - 1), space(work, size);
  Eigen::HouseholderSequence<square, line>(all, reflections).setLength(size - 1).setShift(1).evalTo(all, space);
}

/// Eigenvalues, ascending, and eigenvectors, column by column in place of the symmetric matrix; `work` holds 3 size numbers. The steps of
/// Eigen's SelfAdjointEigenSolver, which has memory of its own.
template <class Scalar>
[[gnu::noinline]] void eigen_in_place(Scalar* matrix, index_t size, Scalar* values, Scalar* work) {
  Eigen::Map<column<Scalar>> diagonal(values, size), below(work, size - 1);
  const Scalar unit = tridiagonalise(matrix, size, values, work, work + size);
  form_reflections(matrix, size, work + size, work + 2 * size);
  Eigen::Map<dense<Scalar>> vectors(matrix, size, size);
  static_cast<void>(Eigen::internal::computeFromTridiagonal_impl(diagonal, below, 30, true, vectors)); // 30 a value: as Eigen
  diagonal *= unit;
}

/// Eigenvalues, descending, and an eigenvector in each column.
struct eigenpairs {
  double* values;
  real_matrix vectors;
};

/// Of a symmetric matrix that lies in one piece and is destroyed. O(size^3).
template <class Scratch>
eigenpairs symmetric_eigen(const real_matrix& matrix, Scratch& scratch) {
  const index_t size = matrix.rows;
  double* const values = scratch.template allocate<double>(size);
  {
    const workspace_mark mark(scratch);
    eigen_in_place<double>(matrix.data, size, values, scratch.template allocate<double>(3 * size));
  }
  std::reverse(values, values + size);
  for (index_t k = 0; k < size / 2; ++k)
    std::swap_ranges(matrix.data + k * size, matrix.data + (k + 1) * size, matrix.data + (size - 1 - k) * size);
  return {values, {matrix.data, size, size, 1, size}};
}

/// U diag(values) V' with k = min(rows, cols) columns, values descending.
struct thin_svd {
  real_matrix u, v;
  double* values;

  index_t size() const { return u.cols; }
  /// The number of singular values above a limit.
  index_t count_of(double limit) const {
    return std::count_if(values, values + size(), [&](double value) { return value > limit; });
  }
  /// Above a share of the largest.
  index_t count_above(double share) const { return count_of(share * values[0]); }
  /// Those that are not 0 up to rounding.
  index_t rank() const { return count_above(static_cast<double>(std::max(u.rows, v.rows)) * std::numeric_limits<double>::epsilon()); }
};

/// Turns columns p and q, `rows` numbers each, by an angle.
template <class Scalar>
void turn_columns(Scalar* p, Scalar* q, index_t rows, Scalar cosine, Scalar sine) {
  for (index_t i = 0; i < rows; ++i) {
    const Scalar old = p[i];
    p[i] = cosine * old - sine * q[i];
    q[i] = sine * old + cosine * q[i];
  }
}

/// Rotates pairs of columns of `image` = A `basis` until all are orthogonal (one-sided Jacobi): what squaring took from the small singular
/// values comes back. After an eigendecomposition of A'A few pairs need it; one product says which.
template <class Exec>
void orthogonalise_columns(const scratch_algebra<Exec>& work, const real_matrix& image, const real_matrix& basis) {
  constexpr double digits = std::numeric_limits<double>::epsilon();
  const workspace_mark mark(work.scratch);
  const real_matrix gram = work.matrix(image.cols, image.cols);
  for (int sweep = 0; sweep < 30; ++sweep) {
    work.multiply(image.transposed(), image, gram, {1, 0});
    double least = 0; // shorter columns are rounding
    for (index_t k = 0; k < image.cols; ++k) least += gram(k, k) * digits * digits;
    bool turned = false;
    for (index_t p = 0; p + 1 < image.cols; ++p)
      for (index_t q = p + 1; q < image.cols; ++q) {
        if (std::min(gram(p, p), gram(q, q)) <= least || std::abs(gram(p, q)) <= 4 * digits * std::sqrt(gram(p, p) * gram(q, q))) continue;
        const Eigen::Map<const column<double>> x(&image(0, p), image.rows), y(&image(0, q), image.rows);
        const double a = x.squaredNorm(), b = y.squaredNorm(), c = x.dot(y); // as the turns of this sweep left them
        if (std::abs(c) <= 4 * digits * std::sqrt(a * b)) continue;
        turned = true;
        const double zeta = (b - a) / (2 * c), t = std::copysign(1.0, zeta) / (std::abs(zeta) + std::hypot(1.0, zeta));
        const double cosine = 1 / std::hypot(1.0, t), sine = cosine * t;
        turn_columns(&image(0, p), &image(0, q), image.rows, cosine, sine);
        turn_columns(&basis(0, p), &basis(0, q), basis.rows, cosine, sine);
      }
    if (!turned) return;
  }
}

/// From the eigenvectors of the Gram matrix of the smaller side, by Eigen, made orthogonal anew: O(n m k), k = min(n, m).
template <class Exec>
thin_svd svd_of(const scratch_algebra<Exec>& work, const const_real_matrix& matrix) {
  const bool tall = matrix.rows >= matrix.cols;
  const const_real_matrix upright = tall ? matrix : matrix.transposed();
  const index_t rows = upright.rows, size = upright.cols;
  const auto by_columns = [&](index_t length) {
    return real_matrix(work.scratch.template allocate<double>(length * size), length, size, 1, length);
  };
  const real_matrix image = by_columns(rows), basis = by_columns(size);
  double* const norms = work.scratch.template allocate<double>(size);
  work.multiply(upright.transposed(), upright, basis, {1, 0});
  symmetric_eigen(basis, work.scratch);
  work.multiply(upright, basis, image, {1, 0});
  orthogonalise_columns(work, image, basis);
  for (index_t k = 0; k < size; ++k) {
    double square = 0;
    for (index_t i = 0; i < rows; ++i) square += image(i, k) * image(i, k);
    norms[k] = std::sqrt(square);
  }
  for (index_t k = 1; k < size; ++k) // nearly sorted already
    for (index_t j = k; j > 0 && norms[j - 1] < norms[j]; --j) {
      std::swap(norms[j - 1], norms[j]);
      std::swap_ranges(&image(0, j), &image(0, j) + rows, &image(0, j - 1));
      std::swap_ranges(&basis(0, j), &basis(0, j) + size, &basis(0, j - 1));
    }
  for (index_t k = 0; k < size; ++k)
    for (index_t i = 0; i < rows; ++i) image(i, k) *= norms[k] > 0 ? 1 / norms[k] : 0;
  return tall ? thin_svd{image, basis, norms} : thin_svd{basis, image, norms};
}

/// The singular values of a matrix, descending; its memory is its own.
template <matrix_like A>
std::vector<double> singular_values(const A& matrix) {
  workspace scratch;
  const exec::default_policy exec;
  const scratch_algebra work(exec, scratch);
  const auto rows = const_view_of(matrix);
  const thin_svd svd = svd_of(work, copy_as<double>(exec, rows, scratch));
  return {svd.values, svd.values + svd.size()};
}

/// U V' of the first `rank` singular values: the gradient of their sum.
template <class Exec>
real_matrix outer_product(const scratch_algebra<Exec>& work, const thin_svd& svd, index_t rank) {
  return work.product(left_columns(svd.u, rank), left_columns(svd.v, rank).transposed());
}

/// x with matrix x = x for a symmetric positive definite matrix that lies in one piece and is destroyed (Cholesky); false if it is
/// singular up to rounding.
template <class Scalar>
[[gnu::noinline]] bool solve_in_place(Scalar* matrix, index_t size, Scalar* x) {
  Eigen::Map<dense<Scalar>> given(matrix, size, size);
  const Eigen::LLT<Eigen::Ref<dense<Scalar>>> factor(given);
  const auto diagonal = given.diagonal();
  if (factor.info() != Eigen::Success || !(diagonal.minCoeff() > Scalar(1e-8) * diagonal.maxCoeff())) return false;
  Eigen::Map<column<Scalar>> right(x, size);
  factor.solveInPlace(right);
  return true;
}

} // namespace dalib::detail
