/// @file
/// Information maximisation of SHOT: sure predictions of all classes.
#pragma once

#include "dalib/engine/row/entropy.hpp"
#include "dalib/measure/class_sums_loss.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace dalib {

namespace detail {

/// Leaves the probabilities of a register of rows in column 0, and the entropy in class 0 of column 1.
template <class T, class Memory>
struct information_sums_task {
  class_rows<const T, Memory> scores;
  T offset;

  template <class V>
  DALIB_HD void operator()(const engine::row_group& group, const engine::row_scratch<V>& scratch) const {
    const auto p = scratch(0), gap = scratch(1);
    engine::load_rows(scores, group.first, group.count, p);
    const auto summary = engine::softmax_with_gaps(p, gap);
    gap.set(0, engine::entropy_of(p, gap, summary, offset));
    for (index_t c = 1; c < p.classes; ++c) gap.set(c, V(0));
  }
};

/// Gradient of a register of rows; `table` holds what the marginal entropy adds to each class's slope.
template <class T, class Memory>
struct information_gradient_task {
  class_rows<const T, Memory> scores;
  gradient<T, Memory> out;
  T factor, offset;
  const T* table;

  template <class V>
  DALIB_HD void operator()(const engine::row_group& group, const engine::row_scratch<V>& scratch) const {
    const auto p = scratch(0), slope = scratch(1);
    engine::load_rows(scores, group.first, group.count, p);
    const auto summary = engine::softmax_with_gaps(p, slope);
    if (offset > T(0)) {
      const V top = engine::at_largest(p, [&](index_t c) { return engine::slope_with_offset(p[c], V(offset)); });
      for (index_t c = 0; c < p.classes; ++c) slope.set(c, engine::slope_with_offset(p[c], V(offset)) - top);
    }
    const V own = engine::table_at(table, summary.place);
    for (index_t c = 0; c < p.classes; ++c) slope.set(c, slope[c] + (V(table[c]) - own));
    engine::pull_relative_slopes(p, V(out.scale * factor), [&](index_t c) { return slope[c]; });
    engine::store_rows(p, group.first, group.count, scores.like(out.target), out.mode);
  }
};

} // namespace detail

/// Information maximisation loss (SHOT-IM, Liang et al. 2020, eq. 3-4), to be minimised:
///
///     mean_i H(p_i) - H(mean_i p_i),   H(p) = -sum_c p_c log(p_c + offset),   p = softmax of the logits
///
/// It is smallest, -log C, for sure predictions that name all classes equally often. Logits are (n, C), or (n, C, d1, ..., dK) as xtensor
/// tensors. With offset 0 value and gradient are right for any finite logits; SHOT's code has 1e-5. Nothing is detached. O(n C).
/// @throws std::invalid_argument for an empty tensor, a gradient of another shape, a negative offset.
///
/// @code{.cpp}
/// const Eigen::MatrixXd best = 1e3 * Eigen::MatrixXd::Identity(4, 4), same = Eigen::MatrixXd::Zero(3, 4);
/// assert(std::abs(information_maximisation{}(best) + std::log(4)) < 1e-12 && std::abs(information_maximisation{}(same)) < 1e-15);
/// @endcode
struct information_maximisation : score_measure<information_maximisation> {
  static constexpr const char* name = "information_maximisation";

  double offset;

  /// @param away  `offset`: what is added to probabilities inside the logarithm.
  explicit information_maximisation(double away = 0) : offset(away) {}

  void require_settings() const { detail::require_not_negative(name, "offset", offset); }
  template <bool Gradient, class T, class Exec, class Memory>
  T of_scores(const Exec& exec, const class_rows<const T, Memory>& rows, const gradient<T, Memory>& out,
              workspace_of<Memory>& scratch) const {
    const index_t classes = rows.classes();
    const auto n = static_cast<double>(rows.rows());
    const T away = static_cast<T>(offset), factor = static_cast<T>(rows.rows() > 1 ? 1 / n : 0); // one row: the loss is 0 whatever it is
    const auto value = [&](const auto& sums, double* table) {
      double marginal = 0, largest = -std::numeric_limits<double>::infinity();
      for (index_t c = 0; c < classes; ++c) {
        const double q = sums[static_cast<std::size_t>(c)] / n;
        if (q > 0) marginal -= q * std::log(q + offset);
        table[c] = marginal_slope(q);
        largest = std::max(largest, table[c]);
      }
      for (index_t c = 0; c < classes; ++c) table[c] -= largest; // only differences count, and these keep their digits
      return sums[static_cast<std::size_t>(classes)] / n - marginal;
    };
    return detail::of_class_sums<Gradient, T>(
        exec, rows, out,
        detail::class_sums_loss{2, classes, detail::information_sums_task<T, Memory>{rows, away}, value,
                                detail::information_gradient_task<T, Memory>{rows, out, factor, away, nullptr}},
        scratch);
  }

private:
  double marginal_slope(double share) const {
    const double q = std::max(share, std::numeric_limits<double>::min());
    return std::log(q + offset) + (offset > 0 ? q / (q + offset) : 0);
  }
};

} // namespace dalib
