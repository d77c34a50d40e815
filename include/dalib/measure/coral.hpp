/// @file
/// Correlation alignment: the distance of two covariance matrices.
#pragma once

#include "dalib/measure/scratch_algebra.hpp"
#include "dalib/measure/two_sample_measure.hpp"

#include <algorithm>
#include <cmath>

namespace dalib {

namespace detail {

/// Rows less their domain's mean, and the difference of the covariances, both in T.
template <class T>
struct covariance_gap {
  matrix_view<T> source, target; ///< centred rows
  matrix_view<T> difference;     ///< (C_s - C_t) / scale
  double scale;
  const double *mean_s, *mean_t;
};

/// difference = alpha X'X + beta difference, in its blocks on and above the diagonal.
template <class T, class Exec>
void add_gram(const Exec& exec, const matrix_view<T>& rows, const matrix_view<T>& to, engine::product_scale<T> scale, workspace& scratch) {
  constexpr index_t block = 64;
  for (index_t first = 0; first < rows.cols; first += block) {
    const index_t count = std::min(block, rows.cols - first), rest = rows.cols - first;
    const matrix_view<const T> right(&rows(0, first), rows.rows, rest, rows.row_stride, 1);
    const matrix_view<T> part(&to(first, first), count, rest, to.row_stride, 1);
    engine::product<Exec, T, host_memory>(exec, left_columns(right, count).transposed(), right, part, scale, scratch);
  }
}
/// The elements below the diagonal from those above.
template <class T>
void mirror(const matrix_view<T>& square) {
  constexpr index_t block = 32;
  for (index_t i = 0; i < square.rows; i += block)
    for (index_t j = 0; j <= i; j += block)
      for (index_t r = i; r < std::min(i + block, square.rows); ++r)
        for (index_t c = j; c < std::min(j + block, r); ++c) square(r, c) = square(c, r);
}

template <class T, class Exec>
covariance_gap<T> covariance_gap_of(const Exec& exec, const matrix_view<const T>& source, const matrix_view<const T>& target,
                                    workspace& scratch) {
  covariance_gap<T> gap;
  gap.mean_s = column_means(exec, source, scratch);
  gap.mean_t = column_means(exec, target, scratch);
  gap.source = centred_copy<T>(exec, source, gap.mean_s, scratch);
  gap.target = centred_copy<T>(exec, target, gap.mean_t, scratch);
  gap.difference = scratch_matrix<T>(scratch, source.cols, source.cols);
  gap.scale = 1 / static_cast<double>(source.rows - 1);
  // Sums of squares, not covariances: where a product adds to a matrix by fused operations, those of equal samples still cancel to 0.
  add_gram<T>(exec, gap.target, gap.difference,
              {static_cast<T>(-static_cast<double>(source.rows - 1) / static_cast<double>(target.rows - 1)), T(0)}, scratch);
  add_gram<T>(exec, gap.source, gap.difference, {T(1), T(1)}, scratch);
  mirror(gap.difference);
  return gap;
}

/// Sum of squares of a matrix's elements, in double, row by row.
template <class T, class Exec>
double squared_norm(const Exec& exec, const matrix_view<T>& matrix, workspace& scratch) {
  return backend<host_memory>::sum_over_rows(
      exec, matrix.rows,
      [&](index_t row) {
        double sum = 0;
        for (index_t j = 0; j < matrix.cols; ++j) sum += static_cast<double>(matrix(row, j)) * static_cast<double>(matrix(row, j));
        return sum;
      },
      scratch);
}

/// Writes scale * (centred rows) D + constant row.
template <class T, class Exec>
void write_covariance_gradient(const Exec& exec, const matrix_view<T>& centred, const matrix_view<T>& slope, const double* constant,
                               const matrix_view<T>& to, T scale, write_mode mode, workspace& scratch) {
  if (to.data == nullptr) return;
  const matrix_view<const T> x = centred, d = slope;
  engine::product<Exec, T, host_memory>(exec, x, d, to, {scale, mode == write_mode::accumulate ? T(1) : T(0)}, scratch);
  if (constant == nullptr) return;
  backend<host_memory>::for_each_entry(exec, to.rows, to.cols, [&](index_t row, index_t first, index_t count) {
    for (index_t j = first; j < first + count; ++j) to(row, j) += static_cast<T>(constant[j]);
  });
}

/// Both domains need two rows for a covariance.
template <class View>
void require_covariances(const char* measure, const View& source, const View& target) {
  require_shapes(source.rows > 1 && target.rows > 1, measure, "a covariance needs at least two samples in each domain", source, target);
}

} // namespace detail

/// Deep CORAL (Sun and Saenko 2016, eq. 1-3):
///
///     |C_s - C_t|_F^2 / (4 F^2),   C = (X - mean)'(X - mean) / (n - 1)
///
/// Features are (n_s, F) and (n_t, F). Gradient 1/(F^2 (n - 1)) (X - mean)(C_s - C_t), minus that for the target. O(n F min(n, F)) with n =
/// n_s + n_t, by matrix products; memory n F and F^2, or n^2 for few rows. Host only.
/// @throws std::invalid_argument for domains of less than two rows, different numbers of features, gradients of the wrong shape.
///
/// @code{.cpp}
/// const Eigen::MatrixXd f_s = Eigen::MatrixXd::Random(20, 3), f_t = 2 * Eigen::MatrixXd::Random(16, 3);
/// const auto [value, g_s, g_t] = value_and_gradient(coral{}, f_s, f_t);
/// assert(value > 0 && coral{}(f_s, (f_s.array() + 5).matrix().eval()) < 1e-20); // means do not count
/// assert(g_s.colwise().sum().norm() < 1e-15);
/// @endcode
struct coral : two_sample_measure<coral> {
  static constexpr const char* name = "coral";

  template <class View>
  void require_settings(const View& source, const View& target) const {
    detail::require_covariances(name, source, target);
  }
  template <bool Gradient, class Call, class T>
  double of_samples(const Call& call, const matrix_view<const T>& source, const matrix_view<const T>& target,
                    const gradients<T>& out) const {
    const double features = static_cast<double>(source.cols), factor = 1 / (features * features);
    if (2 * (source.rows + target.rows) < source.cols) return of_few_rows<Gradient>(call, source, target, out);
    const auto gap = detail::covariance_gap_of<T>(call.execution, source, target, call.scratch);
    if constexpr (Gradient) {
      const auto write = [&](const matrix_view<T>& centred, const matrix_view<T>& to, double sign) {
        const T scale = static_cast<T>(sign * factor * gap.scale / static_cast<double>(centred.rows - 1)) * out.scale;
        detail::write_covariance_gradient(call.execution, centred, gap.difference, nullptr, to, scale, out.mode, call.scratch);
      };
      write(gap.source, out.source, 1);
      write(gap.target, out.target, -1);
    }
    return factor / 4 * gap.scale * gap.scale * detail::squared_norm(call.execution, gap.difference, call.scratch);
  }

private:
  /// Fewer rows than features: with A and B the centred rows over the roots of n - 1 and m - 1, |A'A - B'B|^2 is |AA'|^2 - 2 |AB'|^2 +
  /// |BB'|^2, a signed sum over pairs of rows: O(n^2 F) instead of O(n F^2). In double, for covariances that are near each other.
  template <bool Gradient, class Call, class T>
  double of_few_rows(const Call& call, const matrix_view<const T>& source, const matrix_view<const T>& target,
                     const gradients<T>& out) const {
    const index_t n = source.rows, all = n + target.rows, cols = source.cols;
    const detail::scratch_algebra work(call.execution, call.scratch);
    const double *const mean_s = detail::column_means(call.execution, source, call.scratch), *const mean_t = detail::column_means(
                                                                                                 call.execution, target, call.scratch);
    const double share_s = 1 / std::sqrt(static_cast<double>(n - 1)), share_t = 1 / std::sqrt(static_cast<double>(all - n - 1));
    const detail::real_matrix x = work.filled(all, cols, [&](index_t i, index_t j) {
      return i < n ? share_s * (static_cast<double>(source(i, j)) - mean_s[j])
                   : share_t * (static_cast<double>(target(i - n, j)) - mean_t[j]);
    });
    const detail::real_matrix pairs = work.product(x, x.transposed());
    const double factor = 1 / (static_cast<double>(cols) * static_cast<double>(cols));
    double value = 0;
    for (index_t i = 0; i < all; ++i)
      for (index_t j = 0; j < all; ++j) {
        const double sign = (i < n) == (j < n) ? 1 : -1;
        value += sign * pairs(i, j) * pairs(i, j);
        pairs(i, j) *= sign * factor * (i < n ? share_s : share_t);
      }
    if constexpr (Gradient) {
      const detail::real_matrix pulls = work.product(pairs, x);
      detail::write_gradient(call.execution, pulls.rows_from(0, n), out.source, out.scale, out.mode);
      detail::write_gradient(call.execution, pulls.rows_from(n, all - n), out.target, out.scale, out.mode);
    }
    return factor / 4 * std::max(value, 0.0);
  }
};

} // namespace dalib
