/// @file
/// Norms of the matrix of predictions that need no decomposition: fast batch nuclear norm and Frobenius norm.
#pragma once

#include "dalib/engine/row/entropy.hpp"
#include "dalib/measure/score_measure.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace dalib {

namespace detail {

/// Leaves p^2 of a register of rows.
template <class T, class Memory>
struct squares_task {
  class_rows<const T, Memory> scores;

  template <class V>
  DALIB_HD void operator()(const engine::row_group& group, const engine::row_scratch<V>& scratch) const {
    const auto p = scratch(0);
    engine::load_rows(scores, group.first, group.count, p);
    engine::softmax_in_place(p);
    for (index_t c = 0; c < p.classes; ++c) p.set(c, p[c] * p[c]);
  }
};

/// Gradient of a register of rows of a loss whose slope with respect to p_ic is table[c] p_ic.
template <class T, class Memory>
struct scaled_prediction_task {
  class_rows<const T, Memory> scores;
  gradient<T, Memory> out;
  const T* table;

  template <class V>
  DALIB_HD void operator()(const engine::row_group& group, const engine::row_scratch<V>& scratch) const {
    const auto p = scratch(0), slope = scratch(1);
    engine::load_rows(scores, group.first, group.count, p);
    engine::softmax_in_place(p);
    for (index_t c = 0; c < p.classes; ++c) slope.set(c, V(table[c]) * p[c]);
    engine::pull_softmax(p, V(out.scale), [&](index_t c) { return slope[c]; });
    engine::store_rows(p, group.first, group.count, scores.like(out.target), out.mode);
  }
};

/// Value, and gradient, of a function of the sums of squares of the columns of P. `fill(squares, slopes)` returns the value and leaves what
/// each column is multiplied by.
template <bool Gradient, class T, class Exec, class Memory, class Fill>
T function_of_squares(const Exec& exec, const class_rows<const T, Memory>& rows, const gradient<T, Memory>& out, const Fill& fill,
                      workspace_of<Memory>& scratch) {
  const index_t classes = rows.classes();
  const auto squares = backend<Memory>::template sum_classes<T>(exec, engine::row_problem{rows.rows(), 0, 1, classes},
                                                                squares_task<T, Memory>{rows}, scratch);
  std::vector<double> slopes(static_cast<std::size_t>(classes));
  const double value = fill(squares, slopes);
  if constexpr (Gradient)
    if (out.target.data) {
      const T* table = backend<Memory>::template filled_for<T>(
          exec, classes,
          [&](T* numbers) { std::transform(slopes.begin(), slopes.end(), numbers, [](double slope) { return static_cast<T>(slope); }); },
          scratch);
      backend<Memory>::template visit_groups<T>(exec, engine::row_problem{rows.rows(), 0, 2, classes},
                                                scaled_prediction_task<T, Memory>{rows, out, table}, scratch);
    }
  return static_cast<T>(value);
}

} // namespace detail

/// Fast batch nuclear norm maximisation (FBNM, Cui et al. 2021, from the bound of Cui et al. 2020), to be minimised:
///
///     -1/n sum of the min(n, C) largest |P_.c|_2,   P = softmax of the logits
///
/// Of columns of equal norm the first ones count; a column of zeros has gradient 0. Logits are (n, C), or (n, C, d1, ..., dK) as xtensor
/// tensors. O(n C), without a decomposition.
/// @throws std::invalid_argument for an empty tensor or a gradient of another shape.
///
/// @code{.cpp}
/// const Eigen::MatrixXd sure = 1e3 * Eigen::MatrixXd::Identity(4, 4); // P = I: every column has norm 1
/// assert(std::abs(fast_batch_nuclear_norm{}(sure) + 1) < 1e-12);
/// @endcode
struct fast_batch_nuclear_norm : score_measure<fast_batch_nuclear_norm> {
  static constexpr const char* name = "fast_batch_nuclear_norm";

  template <bool Gradient, class T, class Exec, class Memory>
  T of_scores(const Exec& exec, const class_rows<const T, Memory>& rows, const gradient<T, Memory>& out,
              workspace_of<Memory>& scratch) const {
    const auto n = static_cast<double>(rows.rows());
    const auto most = static_cast<std::size_t>(std::min(rows.rows(), rows.classes()));
    return detail::function_of_squares<Gradient, T>(
        exec, rows, out,
        [&](const auto& squares, std::vector<double>& slopes) {
          std::vector<std::size_t> order(slopes.size());
          std::iota(order.begin(), order.end(), std::size_t{0});
          if (most < order.size()) std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return squares[a] > squares[b]; });
          double value = 0;
          for (std::size_t i = 0; i < most; ++i) {
            const double norm = std::sqrt(squares[order[i]]);
            value -= norm / n;
            slopes[order[i]] = norm > 0 ? -1 / (n * norm) : 0;
          }
          return value;
        },
        scratch);
  }
};

/// Batch Frobenius norm maximisation, to be minimised: -|P|_F / n, P = softmax of the logits: it grows with sure predictions, not with
/// their variety (Cui et al. 2020, section 3.2). Shapes, cost and errors as fast_batch_nuclear_norm.
///
/// @code{.cpp}
/// const Eigen::MatrixXd undecided = Eigen::MatrixXd::Zero(9, 4); // P is 1/4 everywhere: |P|_F = 3/2
/// assert(std::abs(batch_frobenius_norm{}(undecided) + 1.5 / 9) < 1e-15);
/// @endcode
struct batch_frobenius_norm : score_measure<batch_frobenius_norm> {
  static constexpr const char* name = "batch_frobenius_norm";

  template <bool Gradient, class T, class Exec, class Memory>
  T of_scores(const Exec& exec, const class_rows<const T, Memory>& rows, const gradient<T, Memory>& out,
              workspace_of<Memory>& scratch) const {
    const auto n = static_cast<double>(rows.rows());
    return detail::function_of_squares<Gradient, T>(
        exec, rows, out,
        [&](const auto& squares, std::vector<double>& slopes) {
          const double norm = std::sqrt(std::accumulate(squares.begin(), squares.end(), 0.0));
          std::fill(slopes.begin(), slopes.end(), -1 / (n * norm));
          return -norm / n;
        },
        scratch);
  }
};

} // namespace dalib
