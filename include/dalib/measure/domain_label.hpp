/// @file
/// A discriminator's logits against one label: the steps of ADDA and domain confusion.
#pragma once

#include "dalib/engine/row/against_rest.hpp"
#include "dalib/measure/score_measure.hpp"
#include "dalib/reduction/reductions.hpp"

#include <cmath>

namespace dalib {

namespace detail {

/// label softplus(-x) + (1 - label) softplus(x) for a register of logits, or one, and its gradient.
template <bool Gradient, class T, class Memory>
struct domain_label_task {
  class_rows<const T, Memory> logits;
  gradient<T, Memory> out;
  T factor, label;

  template <class V>
  DALIB_HD V operator()(const engine::row_group& group, const engine::row_scratch<V>& scratch) const {
    const auto column = scratch(0);
    engine::load_rows(logits, group.first, group.count, column);
    V slope(0);
    const V value = engine::binary_cross_entropy(engine::split_number<V>{column[0], V(0)}, V(label), slope);
    if constexpr (Gradient) {
      column.set(0, V(out.scale * factor) * slope);
      engine::store_rows(column, group.first, group.count, logits.like(out.target), out.mode);
    }
    return V(factor) * value;
  }
};

} // namespace detail

/// Cross-entropy of a discriminator's logits with one domain label for all rows, source label 1:
///
///     mean_i (label softplus(-d_i) + (1 - label) softplus(d_i)),   softplus(x) = log(1 + e^x)
///
/// ADDA (Tzeng et al. 2017, eq. 7-9) trains its discriminator with label 1 on source and label 0 on target features, added, and the
/// target's mapping with label 1 on target features; label 1/2 is domain confusion (Tzeng et al. 2015). Logits are (n, 1). Finite with a
/// right gradient for any finite logit. With reduction::none one value per row. O(n).
/// @throws std::invalid_argument for an empty tensor, more than one column, a gradient of another shape, a label outside 0 .. 1.
///
/// @code{.cpp}
/// const Eigen::MatrixXd d_s = Eigen::MatrixXd::Constant(6, 1, 2), d_t = Eigen::MatrixXd::Constant(4, 1, -1);
/// const double discriminator = domain_label{1}(d_s) + domain_label{0}(d_t), mapping = domain_label{1}(d_t);
/// assert(std::abs(discriminator - 2 * domain_adversarial{}(d_s, d_t)) < 1e-14 && mapping > discriminator);
/// @endcode
template <reduction_policy Reduction = reduction::mean>
struct domain_label : score_measure<domain_label<Reduction>> {
  static constexpr const char* name = "domain_label";

  double label;

  explicit domain_label(double towards = 1, Reduction = {}) : label(towards) {}

  void require_settings() const {
    if (!(label >= 0 && label <= 1)) fail(name, "the label must be in 0 .. 1 (got " + std::to_string(label) + ")");
  }
  template <bool Gradient, class T, class Exec, class Memory>
  reduced<T, Reduction> of_scores(const Exec& exec, const class_rows<const T, Memory>& rows, const gradient<T, Memory>& out,
                                  workspace_of<Memory>& scratch) const {
    require_shapes(rows.classes() == 1, name, "a discriminator gives one logit per sample", rows.tensor, rows.tensor);
    return detail::reduce_rows<Reduction, T>(
        exec, rows, 1,
        [&](T factor) {
          return detail::domain_label_task<Gradient, T, Memory>{rows, out, factor, static_cast<T>(label)};
        },
        scratch);
  }
};
domain_label()->domain_label<>;
domain_label(double)->domain_label<>;
template <class Reduction>
domain_label(double, Reduction) -> domain_label<Reduction>;

} // namespace dalib
