/// @file
/// Open set domain adaptation by backpropagation.
#pragma once

#include "dalib/engine/row/against_rest.hpp"
#include "dalib/measure/score_measure.hpp"
#include "dalib/reduction/reductions.hpp"

#include <cmath>

namespace dalib {

namespace detail {

/// Loss of a register of rows, or of one, and its gradient.
template <bool Gradient, class T, class Memory>
struct unknown_class_task {
  class_rows<const T, Memory> scores;
  gradient<T, Memory> out;
  T factor, share, offset;

  template <class V>
  DALIB_HD V operator()(const engine::row_group& group, const engine::row_scratch<V>& scratch) const {
    using std::log;
    const auto terms = scratch(0);
    engine::load_rows(scores, group.first, group.count, terms);
    const V unknown(static_cast<T>(terms.classes - 1)), t(share), away(offset);
    const auto [logit, inverse] = engine::against_rest_in_place(terms, unknown);
    V value, slope(0);
    if (offset > T(0)) {
      const V rest(T(1) - share);
      const engine::split_sigmoid<V> p = engine::sigmoid_of(logit);
      value = -(t * log(p.sigmoid + away) + rest * log(p.complement + away));
      slope = -(t / (p.sigmoid + away) - rest / (p.complement + away)) * p.sigmoid * p.complement;
    } else {
      value = engine::binary_cross_entropy(logit, t, slope);
    }
    if constexpr (Gradient) {
      engine::pull_against_rest(terms, unknown, V(out.scale * factor) * slope, inverse);
      engine::store_rows(terms, group.first, group.count, scores.like(out.target), out.mode);
    }
    return V(factor) * value;
  }
};

} // namespace detail

/// Boundary of the unknown class (OSBP, Saito et al. 2018, eq. 3), without the reversal of the gradient towards the features:
///
///     -mean_i (t log(p_i + offset) + (1 - t) log(1 - p_i + offset)),   p = softmax of the logits at the last class, "unknown"
///
/// Scores are (n, K) with K >= 2, or (n, K, d1, ..., dK) as xtensor tensors. With offset 0 (the paper) it is found from the last logit
/// against the others, so it is right for any finite logits; TLlib has 1e-6. With reduction::none one value per row. O(n K).
/// @throws std::invalid_argument for an empty tensor, fewer than two classes, a gradient of another shape, a share t outside (0, 1), a
/// negative offset.
///
/// @code{.cpp}
/// const Eigen::MatrixXd balanced = (Eigen::MatrixXd(1, 3) << 0, 0, std::log(2)).finished(); // p = 1/2
/// const auto [value, g] = value_and_gradient(unknown_class_boundary{}, balanced);
/// assert(std::abs(value - std::log(2)) < 1e-15 && g.norm() < 1e-15);
/// @endcode
template <reduction_policy Reduction = reduction::mean>
struct unknown_class_boundary : score_measure<unknown_class_boundary<Reduction>> {
  static constexpr const char* name = "unknown_class_boundary";

  double share;
  double offset;

  /// @param t  `share`: what the classifier is to give the unknown class. @param away  `offset`: added inside the logarithms.
  explicit unknown_class_boundary(double t = 0.5, double away = 0, Reduction = {}) : share(t), offset(away) {}

  void require_settings() const {
    if (!(share > 0 && share < 1)) fail(name, "the share t must be between 0 and 1 (got " + std::to_string(share) + ")");
    detail::require_not_negative(name, "offset", offset);
  }
  template <bool Gradient, class T, class Exec, class Memory>
  reduced<T, Reduction> of_scores(const Exec& exec, const class_rows<const T, Memory>& rows, const gradient<T, Memory>& out,
                                  workspace_of<Memory>& scratch) const {
    require_shapes(rows.classes() >= 2, name, "there must be a known class beside the unknown one", rows.tensor, rows.tensor);
    return detail::reduce_rows<Reduction, T>(
        exec, rows, 1,
        [&](T factor) {
          return detail::unknown_class_task<Gradient, T, Memory>{rows, out, factor, static_cast<T>(share), static_cast<T>(offset)};
        },
        scratch);
  }
};
unknown_class_boundary()->unknown_class_boundary<>;
unknown_class_boundary(double)->unknown_class_boundary<>;
unknown_class_boundary(double, double)->unknown_class_boundary<>;
template <class Reduction>
unknown_class_boundary(double, double, Reduction) -> unknown_class_boundary<Reduction>;

} // namespace dalib
