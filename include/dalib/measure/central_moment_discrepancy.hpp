/// @file
/// Central moment discrepancy.
#pragma once

#include "dalib/measure/score_measure.hpp"
#include "dalib/measure/two_sample_measure.hpp"

#include <cmath>
#include <numeric>
#include <vector>

namespace dalib {

namespace detail {

/// Central moments 2 .. orders of every column in double: moment k of column j is at [(k - 1) cols + j]; [j] is 0.
template <class Exec, class T>
double* central_moments(const Exec& exec, const matrix_view<const T>& rows, const double* mean, int orders, workspace& scratch) {
  const index_t cols = rows.cols;
  double* const moments = scratch.template allocate_zero<double>(orders * cols);
  constexpr index_t block = 64;
  exec.run((cols + block - 1) / block, [&](index_t task, int) {
    const index_t first = task * block, count = std::min(cols - first, block);
    double apart[block], power[block];
    for (index_t i = 0; i < rows.rows; ++i) {
      for (index_t j = 0; j < count; ++j) power[j] = apart[j] = static_cast<double>(rows(i, first + j)) - mean[first + j];
      for (int k = 1; k < orders; ++k) {
        double* const to = moments + k * cols + first;
        for (index_t j = 0; j < count; ++j) {
          power[j] *= apart[j];
          to[j] += power[j];
        }
      }
    }
    for (int k = 1; k < orders; ++k)
      for (index_t j = 0; j < count; ++j) moments[k * cols + first + j] /= static_cast<double>(rows.rows);
  });
  return moments;
}

/// Moments of both domains, and the summands of the discrepancy with their slopes.
struct moment_gap {
  const double *mean_s, *mean_t, *moments_s, *moments_t;
  double* slopes; ///< of the loss with respect to the source's moments: the differences over their norms
  double* terms;  ///< the K summands
};

} // namespace detail

/// Central moment discrepancy (CMD_K, Zellinger et al. 2017, definition 3):
///
///     |mean_s - mean_t|_2 / w + sum_{k=2..K} |c_k(s) - c_k(t)|_2 / w^k,   c_k = mean over rows of (x - mean)^k by feature, w = b - a
///
/// for activations in [a, b]. Moments are the biased ones; a norm of 0 has gradient 0. Features are (n_s, F) and (n_t, F). O((n_s + n_t) F
/// K) in double; host only.
/// @throws std::invalid_argument for empty domains, different numbers of features, gradients of the wrong shape, K < 1, or b <= a.
///
/// @code{.cpp}
/// const Eigen::MatrixXd f_s = Eigen::MatrixXd::Random(20, 3).cwiseAbs(), f_t = Eigen::MatrixXd::Random(16, 3).cwiseAbs2();
/// const central_moment_discrepancy loss;
/// assert(loss(f_s, f_t) > 0 && loss(f_s, f_s) == 0 && loss.terms(f_s, f_t).size() == 5);
/// @endcode
struct central_moment_discrepancy : two_sample_measure<central_moment_discrepancy> {
  static constexpr const char* name = "central_moment_discrepancy";

  int orders;
  double low, high;

  /// @param k  `orders`: the number of moments; 5 in the paper. @param a, b  `low`, `high`: the range of the activations.
  explicit central_moment_discrepancy(int k = 5, double a = 0, double b = 1) : orders(k), low(a), high(b) {}

  /// The K summands.
  template <matrix_like FS, matrix_like FT>
  std::vector<double> terms(const FS& features_s, const FT& features_t) const {
    const auto source = const_view_of(features_s), target = const_view_of(features_t);
    require_two_samples(name, source, target);
    require_settings(source, target);
    workspace scratch;
    const double* const terms = gap_of(exec::default_policy{}, source, target, scratch).terms;
    return {terms, terms + orders};
  }

  template <class View>
  void require_settings(const View&, const View&) const {
    if (orders < 1) fail(name, "there must be at least one moment (got " + std::to_string(orders) + ")");
    if (!(high > low) || !is_finite(high - low)) fail(name, "the range of the activations must be finite and not empty");
  }
  template <bool Gradient, class Call, class T>
  double of_samples(const Call& call, const matrix_view<const T>& source, const matrix_view<const T>& target,
                    const gradients<T>& out) const {
    const auto gap = gap_of(call.execution, source, target, call.scratch);
    if constexpr (Gradient) {
      write_domain(call, source, gap.mean_s, gap.moments_s, gap.slopes, out.source, static_cast<double>(out.scale), out.mode);
      write_domain(call, target, gap.mean_t, gap.moments_t, gap.slopes, out.target, -static_cast<double>(out.scale), out.mode);
    }
    return std::accumulate(gap.terms, gap.terms + orders, 0.0);
  }

private:
  template <class Exec, class T>
  detail::moment_gap gap_of(const Exec& exec, const matrix_view<const T>& source, const matrix_view<const T>& target,
                            workspace& scratch) const {
    const index_t cols = source.cols;
    detail::moment_gap gap{};
    gap.mean_s = detail::column_means(exec, source, scratch);
    gap.mean_t = detail::column_means(exec, target, scratch);
    gap.moments_s = detail::central_moments(exec, source, gap.mean_s, orders, scratch);
    gap.moments_t = detail::central_moments(exec, target, gap.mean_t, orders, scratch);
    gap.slopes = scratch.template allocate<double>(orders * cols);
    gap.terms = scratch.template allocate<double>(orders);
    double divisor = 1;
    for (int k = 0; k < orders; ++k) {
      divisor *= high - low;
      double* const to = gap.slopes + k * cols;
      double square = 0;
      for (index_t j = 0; j < cols; ++j) {
        to[j] = k == 0 ? gap.mean_s[j] - gap.mean_t[j] : gap.moments_s[k * cols + j] - gap.moments_t[k * cols + j];
        square += to[j] * to[j];
      }
      const double norm = std::sqrt(square);
      for (index_t j = 0; j < cols; ++j) to[j] *= norm > 0 ? 1 / (norm * divisor) : 0;
      gap.terms[k] = norm / divisor;
    }
    return gap;
  }

  /// d c_k / d x = k/n ((x - mean)^(k-1) - c_(k-1)), c_1 = 0.
  template <class Call, class T>
  void write_domain(const Call& call, const matrix_view<const T>& rows, const double* mean, const double* moments, const double* slopes,
                    const matrix_view<T>& to, double scale, write_mode mode) const {
    if (to.data == nullptr) return;
    const index_t cols = rows.cols;
    const double share = scale / static_cast<double>(rows.rows);
    backend<host_memory>::for_each_entry(call.execution, rows.rows, cols, [&](index_t i, index_t first, index_t count) {
      for (index_t j = first; j < first + count; ++j) {
        const double apart = static_cast<double>(rows(i, j)) - mean[j];
        double power = 1, sum = slopes[j];
        for (int k = 1; k < orders; ++k) {
          power *= apart;
          sum += slopes[k * cols + j] * (k + 1) * (power - moments[(k - 1) * cols + j]);
        }
        const T value = static_cast<T>(share * sum);
        to(i, j) = mode == write_mode::accumulate ? to(i, j) + value : value;
      }
    });
  }
};

} // namespace dalib
