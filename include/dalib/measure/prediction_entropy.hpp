/// @file
/// Entropy minimisation, with Shannon's and Tsallis' entropy.
#pragma once

#include "dalib/engine/row/entropy.hpp"
#include "dalib/measure/score_measure.hpp"
#include "dalib/reduction/reductions.hpp"

namespace dalib {

namespace detail {

/// Entropy of a register of rows, or of one, and its gradient.
template <bool Gradient, class T, class Memory>
struct entropy_task {
  class_rows<const T, Memory> scores;
  gradient<T, Memory> out;
  T factor, offset;

  template <class V>
  DALIB_HD V operator()(const engine::row_group& group, const engine::row_scratch<V>& scratch) const {
    const auto p = scratch(0), gap = scratch(1);
    engine::load_rows(scores, group.first, group.count, p);
    const auto summary = engine::softmax_with_gaps(p, gap);
    const V value = engine::entropy_of(p, gap, summary, offset);
    if constexpr (Gradient) {
      if (offset > T(0))
        for (index_t c = 0; c < p.classes; ++c) gap.set(c, engine::slope_with_offset(p[c], V(offset)));
      // Without the offset the slope -log p_c - 1 less that of the largest p is the gap itself: nothing cancels.
      const V top = offset > T(0) ? engine::at_largest(p, [&](index_t c) { return gap[c]; }) : V(0);
      engine::pull_relative_slopes(p, V(out.scale * factor), [&](index_t c) { return gap[c] - top; });
      engine::store_rows(p, group.first, group.count, scores.like(out.target), out.mode);
    }
    return V(factor) * value;
  }
};

/// The same of Tsallis' entropy.
template <bool Gradient, class T, class Memory>
struct tsallis_task {
  class_rows<const T, Memory> scores;
  gradient<T, Memory> out;
  T factor, alpha;

  template <class V>
  DALIB_HD V operator()(const engine::row_group& group, const engine::row_scratch<V>& scratch) const {
    using std::exp;
    using std::expm1;
    const auto p = scratch(0), gap = scratch(1);
    engine::load_rows(scores, group.first, group.count, p);
    const auto summary = engine::softmax_with_gaps(p, gap);
    const V a(alpha), inverse = V(T(1) / (alpha - T(1)));
    engine::class_sum<V> others;
    for (index_t c = 0; c < p.classes; ++c) others.add(c, where_equal(V(c), summary.place, V(0), exp(-a * (gap[c] + summary.log_total))));
    // 1 - sum p^a, where the largest p is near 1.
    const V value = -(expm1(-a * summary.log_total) + others.value()) * inverse;
    if constexpr (Gradient) {
      const V power = a - V(1), top = exp(-power * summary.log_total);
      for (index_t c = 0; c < p.classes; ++c) // p^(a - 1) less that of the largest; e^(-power gap) - 1 = expm1
        gap.set(c, where_nonzero(p[c], -a * inverse * top * expm1(-power * gap[c])));
      engine::pull_relative_slopes(p, V(out.scale * factor), [&](index_t c) { return gap[c]; });
      engine::store_rows(p, group.first, group.count, scores.like(out.target), out.mode);
    }
    return V(factor) * value;
  }
};

} // namespace detail

/// Entropy of predictions (entropy minimisation, Grandvalet and Bengio 2004):
///
///     mean_i -sum_c p_ic log(p_ic + offset),   p = softmax of the logits
///
/// Logits are (n, C), or (n, C, d1, ..., dK) as xtensor tensors. With offset 0 (the definition) value and gradient are right for any finite
/// logits, 0 log 0 = 0; some programs (SHOT, TLlib) have 1e-5 there. In nats: 0 .. log C. With reduction::none one value per row. O(n C).
/// @throws std::invalid_argument for an empty tensor, a gradient of another shape, a negative offset.
///
/// @code{.cpp}
/// const Eigen::MatrixXd undecided = Eigen::MatrixXd::Zero(3, 4), sure = 1e4 * Eigen::MatrixXd::Identity(4, 4);
/// assert(std::abs(prediction_entropy{}(undecided) - std::log(4)) < 1e-15 && prediction_entropy{}(sure) == 0);
/// const auto [value, g] = value_and_gradient(prediction_entropy{}, Eigen::MatrixXd((Eigen::MatrixXd(1, 2) << 1, 0).finished()));
/// assert(value > 0 && g(0, 0) < 0); // a larger logit of the larger class makes the prediction surer
/// @endcode
template <reduction_policy Reduction = reduction::mean>
struct prediction_entropy : score_measure<prediction_entropy<Reduction>> {
  static constexpr const char* name = "prediction_entropy";

  double offset;

  /// @param away  `offset`: what is added to p inside the logarithm.
  explicit prediction_entropy(double away = 0, Reduction = {}) : offset(away) {}

  void require_settings() const { detail::require_not_negative(name, "offset", offset); }
  template <bool Gradient, class T, class Exec, class Memory>
  reduced<T, Reduction> of_scores(const Exec& exec, const class_rows<const T, Memory>& rows, const gradient<T, Memory>& out,
                                  workspace_of<Memory>& scratch) const {
    return detail::reduce_rows<Reduction, T>(
        exec, rows, 2,
        [&](T factor) {
          return detail::entropy_task<Gradient, T, Memory>{rows, out, factor, static_cast<T>(offset)};
        },
        scratch);
  }
};
prediction_entropy()->prediction_entropy<>;
prediction_entropy(double)->prediction_entropy<>;
template <class Reduction>
prediction_entropy(double, Reduction) -> prediction_entropy<Reduction>;

/// Tsallis' entropy of predictions (Tsallis 1988; Liu et al. 2021 for domain adaptation):
///
///     mean_i (1 - sum_c p_ic^alpha) / (alpha - 1),   p = softmax of the logits
///
/// alpha = 2 is the Gini impurity; towards 1 it becomes Shannon's entropy, which is prediction_entropy. Right for any finite logits. O(n
/// C).
/// @throws std::invalid_argument as prediction_entropy, and unless alpha is positive and not 1.
///
/// @code{.cpp}
/// const Eigen::MatrixXd logits = (Eigen::MatrixXd(1, 2) << std::log(3), 0).finished(); // p = (3/4, 1/4)
/// assert(std::abs(tsallis_entropy{2}(logits) - (1 - 10.0 / 16)) < 1e-15);
/// @endcode
template <reduction_policy Reduction = reduction::mean>
struct tsallis_entropy : score_measure<tsallis_entropy<Reduction>> {
  static constexpr const char* name = "tsallis_entropy";

  double alpha;

  explicit tsallis_entropy(double order = 2, Reduction = {}) : alpha(order) {}

  void require_settings() const {
    detail::require_positive(name, "alpha", alpha);
    if (alpha == 1) fail(name, "alpha must not be 1: that is prediction_entropy");
  }
  template <bool Gradient, class T, class Exec, class Memory>
  reduced<T, Reduction> of_scores(const Exec& exec, const class_rows<const T, Memory>& rows, const gradient<T, Memory>& out,
                                  workspace_of<Memory>& scratch) const {
    return detail::reduce_rows<Reduction, T>(
        exec, rows, 2,
        [&](T factor) {
          return detail::tsallis_task<Gradient, T, Memory>{rows, out, factor, static_cast<T>(alpha)};
        },
        scratch);
  }
};
tsallis_entropy()->tsallis_entropy<>;
tsallis_entropy(double)->tsallis_entropy<>;
template <class Reduction>
tsallis_entropy(double, Reduction) -> tsallis_entropy<Reduction>;

} // namespace dalib
