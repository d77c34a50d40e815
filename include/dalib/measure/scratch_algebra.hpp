/// @file
/// Algebra of small matrices in scratch memory, in double, for measures with matrix decompositions.
#pragma once

#include "dalib/measure/two_sample_measure.hpp"

#include <utility>

namespace dalib::detail {

using real_matrix = matrix_view<double>;
using const_real_matrix = matrix_view<const double>;

/// New matrices of scratch memory by an execution; they live until the scratch is released, or a workspace_mark ends.
template <class Exec>
struct scratch_algebra {
  const Exec& exec;
  workspace& scratch;

  scratch_algebra(const Exec& by, workspace& memory) : exec(by), scratch(memory) {}

  real_matrix matrix(index_t rows, index_t cols) const { return scratch_matrix<double>(scratch, rows, cols); }
  real_matrix zeros(index_t rows, index_t cols) const { return {scratch.template allocate_zero<double>(rows * cols), rows, cols}; }

  /// The matrix of f(i, j).
  template <class F>
  real_matrix filled(index_t rows, index_t cols, const F& f) const {
    const real_matrix to = matrix(rows, cols);
    for (index_t i = 0; i < rows; ++i)
      for (index_t j = 0; j < cols; ++j) to(i, j) = f(i, j);
    return to;
  }
  /// a diag(factors).
  real_matrix scaled(const const_real_matrix& a, const double* factors) const {
    return filled(a.rows, a.cols, [&](index_t i, index_t j) { return a(i, j) * factors[j]; });
  }
  real_matrix product(const const_real_matrix& a, const const_real_matrix& b, double factor = 1) const {
    const real_matrix to = matrix(a.rows, b.cols);
    multiply(a, b, to, {factor, 0});
    return to;
  }
  /// to += factor a b.
  void add_product(const const_real_matrix& a, const const_real_matrix& b, double factor, const real_matrix& to) const {
    multiply(a, b, to, {factor, 1});
  }
  /// a - b (b' a): what the orthonormal columns of b leave of a.
  real_matrix outside(const const_real_matrix& b, const const_real_matrix& a) const {
    const real_matrix left = filled(a.rows, a.cols, [&](index_t i, index_t j) { return a(i, j); });
    add_product(b, product(b.transposed(), a), -1, left);
    return left;
  }
  void multiply(const const_real_matrix& a, const const_real_matrix& b, const real_matrix& to, engine::product_scale<double> scale) const {
    engine::product<Exec, double, host_memory>(exec, a, b, to, scale, scratch);
  }
};
/// The first `count` columns.
template <class T>
matrix_view<T> left_columns(const matrix_view<T>& of, index_t count) {
  return {of.data, of.rows, count, of.row_stride, of.col_stride};
}

} // namespace dalib::detail
