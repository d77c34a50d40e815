/// @file
/// Norms of the matrix of predictions that need no decomposition: fast batch nuclear norm and Frobenius norm.
#pragma once

#include "dalib/engine/row/entropy.hpp"
#include "dalib/measure/class_sums_loss.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

namespace dalib {

namespace detail {

/// Leaves p^2 of a register of rows, and p in `kept` if it is there: a softmax costs more than memory.
template <class T, class Memory>
struct squares_task {
  class_rows<const T, Memory> scores;
  class_rows<T, Memory> kept;

  template <class V>
  DALIB_HD void operator()(const engine::row_group& group, const engine::row_scratch<V>& scratch) const {
    const auto p = scratch(0);
    engine::load_rows(scores, group.first, group.count, p);
    engine::softmax_in_place(p);
    if (kept.tensor.data != nullptr) engine::store_rows(p, group.first, group.count, kept, write_mode::overwrite);
    for (index_t c = 0; c < p.classes; ++c) p.set(c, p[c] * p[c]);
  }
};

/// Gradient of a register of rows of a loss whose slope with respect to p_ic is table[c] p_ic.
template <class T, class Memory>
struct scaled_prediction_task {
  class_rows<const T, Memory> predictions, scores;
  gradient<T, Memory> out;
  const T* table;

  template <class V>
  DALIB_HD void operator()(const engine::row_group& group, const engine::row_scratch<V>& scratch) const {
    const auto p = scratch(0), slope = scratch(1);
    engine::load_rows(predictions, group.first, group.count, p);
    for (index_t c = 0; c < p.classes; ++c) slope.set(c, V(table[c]) * p[c]);
    engine::pull_softmax(p, V(out.scale), [&](index_t c) { return slope[c]; });
    engine::store_rows(p, group.first, group.count, scores.like(out.target), out.mode);
  }
};

/// Value, and gradient, of a function of the sums of squares of the columns of P: `value(squares, slopes)` leaves what each column is
/// multiplied by. There is room for as many numbers again behind the slopes.
template <bool Gradient, class T, class Exec, class Memory, class Value>
T function_of_squares(const Exec& exec, const class_rows<const T, Memory>& rows, const gradient<T, Memory>& out, const Value& value,
                      workspace_of<Memory>& scratch) {
  const index_t n = rows.rows(), classes = rows.classes();
  const bool wanted = Gradient && out.target.data != nullptr;
  const matrix_view<T, Memory> kept{wanted ? scratch.template allocate<T>(n * classes) : nullptr, n, classes};
  return of_class_sums<Gradient, T>(
      exec, rows, out,
      class_sums_loss{1, 2 * classes, squares_task<T, Memory>{rows, {kept}}, value,
                      scaled_prediction_task<T, Memory>{{matrix_view<const T, Memory>(kept)}, rows, out, nullptr}},
      scratch);
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
    const index_t classes = rows.classes(), most = std::min(rows.rows(), classes);
    return detail::function_of_squares<Gradient, T>(
        exec, rows, out,
        [&](const auto& squares, double* slopes) {
          double* const sorted = slopes + classes;
          std::copy_n(squares.begin(), classes, sorted);
          std::nth_element(sorted, sorted + (most - 1), sorted + classes, std::greater<>());
          const double least = sorted[most - 1];
          index_t ties = most - std::count_if(sorted, sorted + classes, [&](double square) { return square > least; });
          double value = 0;
          for (index_t c = 0; c < classes; ++c) {
            const double square = squares[static_cast<std::size_t>(c)], norm = std::sqrt(square);
            const bool counts = square > least || (square == least && ties-- > 0);
            value -= counts ? norm / n : 0;
            slopes[c] = counts && norm > 0 ? -1 / (n * norm) : 0;
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
        [&](const auto& squares, double* slopes) {
          const double norm = std::sqrt(std::accumulate(squares.begin(), squares.end(), 0.0));
          std::fill_n(slopes, 2 * squares.size(), -1 / (n * norm));
          return -norm / n;
        },
        scratch);
  }
};

} // namespace dalib
