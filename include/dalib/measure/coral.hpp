/// @file
/// Correlation alignment: the distance of two covariance matrices.
#pragma once

#include "dalib/measure/two_sample_measure.hpp"

#include <cmath>

namespace dalib {

namespace detail {

/// Rows less their domain's mean, and the difference of the covariances, both in T.
template <class T>
struct covariance_gap {
  matrix_view<T> source, target; ///< centred rows
  matrix_view<T> difference;     ///< C_s - C_t
  const double *mean_s, *mean_t;
};

template <class T, class Exec>
matrix_view<T> centred_copy(const Exec& exec, const matrix_view<const T>& rows, const double* mean, workspace& scratch) {
  const matrix_view<T> to = scratch_matrix<T>(scratch, rows.rows, rows.cols);
  backend<host_memory>::for_each_entry(exec, rows.rows, rows.cols, [&](index_t row, index_t first, index_t count) {
    for (index_t j = first; j < first + count; ++j) to(row, j) = static_cast<T>(static_cast<double>(rows(row, j)) - mean[j]);
  });
  return to;
}

/// difference = alpha X'X + beta difference.
template <class T, class Exec>
void add_gram(const Exec& exec, const matrix_view<T>& rows, const matrix_view<T>& to, engine::product_scale<T> scale, workspace& scratch) {
  const matrix_view<const T> x = rows;
  engine::product<Exec, T, host_memory>(exec, x.transposed(), x, to, scale, scratch);
}

template <class T, class Exec>
covariance_gap<T> covariance_gap_of(const Exec& exec, const matrix_view<const T>& source, const matrix_view<const T>& target,
                                    workspace& scratch) {
  covariance_gap<T> gap;
  gap.mean_s = column_means(exec, source, scratch);
  gap.mean_t = column_means(exec, target, scratch);
  gap.source = centred_copy(exec, source, gap.mean_s, scratch);
  gap.target = centred_copy(exec, target, gap.mean_t, scratch);
  gap.difference = scratch_matrix<T>(scratch, source.cols, source.cols);
  add_gram<T>(exec, gap.target, gap.difference, {static_cast<T>(-1 / static_cast<double>(target.rows - 1)), T(0)}, scratch);
  add_gram<T>(exec, gap.source, gap.difference, {static_cast<T>(1 / static_cast<double>(source.rows - 1)), T(1)}, scratch);
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
/// Features are (n_s, F) and (n_t, F). Gradient 1/(F^2 (n - 1)) (X - mean)(C_s - C_t), minus that for the target. O((n_s + n_t) F^2) by
/// matrix products; memory (n_s + n_t + F) F. Host only.
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
    const auto gap = detail::covariance_gap_of<T>(call.execution, source, target, call.scratch);
    const double features = static_cast<double>(source.cols), factor = 1 / (features * features);
    if constexpr (Gradient) {
      const auto write = [&](const matrix_view<T>& centred, const matrix_view<T>& to, double sign) {
        const T scale = static_cast<T>(sign * factor / static_cast<double>(centred.rows - 1)) * out.scale;
        detail::write_covariance_gradient(call.execution, centred, gap.difference, nullptr, to, scale, out.mode, call.scratch);
      };
      write(gap.source, out.source, 1);
      write(gap.target, out.target, -1);
    }
    return factor / 4 * detail::squared_norm(call.execution, gap.difference, call.scratch);
  }
};

} // namespace dalib
