/// @file
/// Cross-entropy with a weight for each sample.
#pragma once

#include "dalib/engine/row/entropy.hpp"
#include "dalib/measure/class_labels.hpp"
#include "dalib/measure/score_measure.hpp"

#include <numeric>
#include <type_traits>

namespace dalib {

namespace detail {

/// w CE of a register of rows, or of one, and its gradient.
template <bool Gradient, class T, class Memory>
struct weighted_cross_entropy_task {
  class_rows<const T, Memory> scores;
  gradient<T, Memory> out;
  T factor, sharpness, smoothing;
  const T *labels, *weights;

  template <class V>
  DALIB_HD V operator()(const engine::row_group& group, const engine::row_scratch<V>& scratch) const {
    const auto p = scratch(0), gap = scratch(1);
    engine::load_rows(scores, group.first, group.count, p);
    const auto summary = engine::softmax_with_gaps(p, gap, V(sharpness));
    const V label = load_row_numbers<V>(labels, group.first, group.count);
    const V weight = weights ? V(factor) * load_row_numbers<V>(weights, group.first, group.count) : V(factor);
    const V spread = V(smoothing) / V(p.classes), kept = V(T(1) - smoothing);
    V own(0);
    engine::class_sum<V> all;
    for (index_t c = 0; c < p.classes; ++c) {
      own = where_equal(V(c), label, gap[c], own);
      all.add(c, gap[c]);
    }
    if constexpr (Gradient) {
      const V scale = V(out.scale * sharpness) * weight;
      for (index_t c = 0; c < p.classes; ++c) { // less 1 - smoothing + spread at the label, less spread elsewhere
        const V at_label = (V(smoothing) - spread) - engine::complement_of(p, summary, c);
        p.set(c, scale * where_equal(V(c), label, at_label, p[c] - spread));
      }
      engine::store_rows(p, group.first, group.count, scores.like(out.target), out.mode);
    }
    return weight * (kept * own + spread * all.value() + summary.log_total);
  }
};

} // namespace detail

/// What a weighted mean is divided by.
enum class weighted_mean {
  by_count,  ///< the number of samples
  by_weight, ///< the sum of the weights
};

/// How weighted_cross_entropy softens its labels.
struct label_softening {
  double smoothing = 0;   ///< s: the label has 1 - s, and every class s/C (Szegedy et al. 2016, section 7)
  double temperature = 1; ///< divides the logits
};

/// Cross-entropy of logits with labels, each sample with a weight:
///
///     1/n sum_i w_i (-log p_i,label_i),   p = softmax of the logits; or divided by sum_i w_i
///
/// the classification loss of PADA (Cao et al. 2018, eq. 4) with the weights of partial_class_weights. Logits are (n, C). Labels and
/// weights are the caller's and constants. Right for any finite logits. O(n C). A weight for each class instead is weights_of_labels, by
/// weight; label smoothing and a temperature are settings.
/// @throws std::invalid_argument for an empty tensor, labels or weights that are not n, a label out of range, a weight that is negative or
/// not finite, weights of sum 0, a gradient of another shape, a smoothing outside 0 .. 1, a temperature that is not positive.
///
/// @code{.cpp}
/// const Eigen::MatrixXd logits = Eigen::MatrixXd::Random(3, 4);
/// const std::vector<std::int64_t> labels = {2, 0, 3};
/// const weighted_cross_entropy smooth{labels, {}, weighted_mean::by_count, label_softening{.smoothing = 0.1}};
/// const Eigen::MatrixXd alike = Eigen::MatrixXd::Zero(3, 4);
/// assert(std::abs(smooth(alike) - std::log(4)) < 1e-15); // nothing to soften
/// const std::vector<double> weights = {1, 0, 0.5};
/// const weighted_cross_entropy plain{labels}, weighted_loss{labels, weights};
/// assert(weighted_loss(logits) < plain(logits));
/// assert(value_and_gradient(weighted_loss, logits).gradient.row(1).norm() == 0);
/// const weighted_cross_entropy by_weight{labels, weights, weighted_mean::by_weight};
/// assert(std::abs(by_weight(logits) * 1.5 - weighted_loss(logits) * 3) < 1e-14);
/// @endcode
struct weighted_cross_entropy : score_measure<weighted_cross_entropy> {
  static constexpr const char* name = "weighted_cross_entropy";

  label_span labels;
  std::span<const double> weights; ///< none: all ones
  weighted_mean mean;
  label_softening softening;

  explicit weighted_cross_entropy(label_span of_rows, std::span<const double> of_samples = {}, weighted_mean by = weighted_mean::by_count,
                                  label_softening soft = {})
      : labels(of_rows), weights(of_samples), mean(by), softening(soft) {}

  void require_settings() const {
    detail::require_positive(name, "the temperature", softening.temperature);
    if (!(softening.smoothing >= 0 && softening.smoothing <= 1)) fail(name, "the smoothing must be in 0 .. 1");
  }

  template <bool Gradient, class T, class Exec, class Memory>
  T of_scores(const Exec& exec, const class_rows<const T, Memory>& rows, const gradient<T, Memory>& out,
              workspace_of<Memory>& scratch) const {
    detail::require_labels(name, labels, rows.rows(), rows.classes());
    double total = static_cast<double>(rows.rows());
    if (!weights.empty()) {
      require_weights(matrix_view<const double>(nullptr, rows.rows(), rows.classes()), weights.data(),
                      static_cast<index_t>(weights.size()));
      if (mean == weighted_mean::by_weight) total = std::accumulate(weights.begin(), weights.end(), 0.0);
    }
    const T* numbers = nullptr;
    if (!weights.empty())
      numbers = backend<Memory>::template filled_for<T>(
          exec, rows.rows(),
          [&](T* to) {
            for (double w : weights) *to++ = static_cast<T>(w);
          },
          scratch);
    return backend<Memory>::template reduce_groups<T, reduction::sum>(
        exec, engine::row_problem{rows.rows(), 0, 2, rows.classes()},
        detail::weighted_cross_entropy_task<Gradient, T, Memory>{
            rows, out, static_cast<T>(1 / total), static_cast<T>(1 / softening.temperature), static_cast<T>(softening.smoothing),
            detail::labels_for<T, Memory>(exec, labels, scratch), numbers},
        scratch);
  }
};

} // namespace dalib
