/// @file
/// Partial domain adaptation: weights of PADA and IWAN, and the adversarial loss that takes them.
#pragma once

#include "dalib/engine/row/entropy.hpp"
#include "dalib/measure/class_labels.hpp"
#include "dalib/measure/score_measure.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace dalib {

namespace detail {

/// Leaves softmax(scores * sharpness) of a register of rows.
template <class T, class Memory>
struct sharpened_prediction_task {
  class_rows<const T, Memory> scores;
  T sharpness;

  template <class V>
  DALIB_HD void operator()(const engine::row_group& group, const engine::row_scratch<V>& scratch) const {
    engine::load_rows(scores, group.first, group.count, scratch(0));
    engine::softmax_with_gaps(scratch(0), scratch(1), V(sharpness));
    for (index_t c = 0; c < scores.classes(); ++c) scratch(1).set(c, V(0));
  }
};

/// The share of a register of logits, or of one, in weighted_domain_adversarial, and their gradient.
template <class T, class Memory>
struct weighted_adversarial_task {
  sample<T, Memory> source, target;
  gradients<T, Memory> out;
  T source_factor, target_factor;

  template <class V>
  DALIB_HD V operator()(const engine::row_group& group, const engine::row_scratch<V>& scratch) const {
    const auto logits = scratch(0);
    const sample<T, Memory>& own = group.is_source ? source : target;
    engine::load_rows(class_rows<const T, Memory>{own.rows}, group.first, group.count, logits);
    V factor = group.is_source ? V(source_factor) : V(target_factor);
    if (own.weights) factor = factor * load_row_numbers<V>(own.weights, group.first, group.count);
    V slope(0);
    const V loss = binary_cross_entropy(logits[0], group.is_source, slope);
    logits.set(0, V(out.scale) * factor * slope);
    engine::store_rows(logits, group.first, group.count, class_rows<T, Memory>{group.is_source ? out.source : out.target}, out.mode);
    return factor * loss;
  }
};

} // namespace detail

/// Weight of each source class by how much of the target's predictions it has (PADA, Cao et al. 2018, eq. 2):
///
///     w = mean_i softmax(y_t,i / temperature), divided by its largest entry
///
/// Classes that are not in the target get little. `logits_t` are the target's, (n_t, C). Constants: no gradient flows through them. O(n C).
/// @throws std::invalid_argument for an empty tensor or a temperature that is not positive.
///
/// @code{.cpp}
/// const Eigen::MatrixXd y_t = 9 * Eigen::MatrixXd::Identity(2, 3); // the target has the first two of three classes
/// const std::vector<double> w = partial_class_weights(y_t);
/// assert(w[0] == 1 && w[1] == 1 && w[2] < 1e-3);
/// @endcode
template <matrix_like A>
std::vector<double> partial_class_weights(const A& logits_t, double temperature = 1) {
  using T = value_type_of<A>;
  using Memory = memory_of<A>;
  const char* const name = "partial_class_weights";
  detail::require_positive(name, "temperature", temperature);
  const class_rows<const T, Memory> rows = class_rows_of(logits_t);
  require_same_scores(name, rows, rows);
  workspace_of<Memory> scratch;
  const auto sums = backend<Memory>::template sum_classes<T>(
      exec::default_for<Memory>{}, engine::row_problem{rows.rows(), 0, 2, rows.classes()},
      detail::sharpened_prediction_task<T, Memory>{rows, static_cast<T>(1 / temperature)}, scratch);
  std::vector<double> weights(sums.begin(), sums.begin() + rows.classes());
  const double largest = *std::max_element(weights.begin(), weights.end());
  for (double& weight : weights) weight /= largest;
  return weights;
}

/// The weight of each row's class.
///
/// @code{.cpp}
/// const std::vector<double> of_classes = {1, 0.25};
/// const std::vector<std::int64_t> labels = {1, 0, 1};
/// assert(weights_of_labels(of_classes, labels) == (std::vector<double>{0.25, 1, 0.25}));
/// @endcode
inline std::vector<double> weights_of_labels(std::span<const double> class_weights, label_span labels) {
  detail::require_labels("weights_of_labels", labels, static_cast<index_t>(labels.size()), static_cast<index_t>(class_weights.size()));
  std::vector<double> result;
  for (const std::int64_t label : labels) result.push_back(class_weights[static_cast<std::size_t>(label)]);
  return result;
}

/// Weight of each source sample by a first discriminator's logits (IWAN, Zhang et al. 2018, eq. 6-7), source label 1:
///
///     w_i = (1 - D_i) / (mean_j (1 - D_j) + offset),   D = sigmoid(d_s)
///
/// Samples that are surely source, being of classes that the target lacks, get little. `logits_s` are (n, 1). Constants. O(n).
/// @throws std::invalid_argument for an empty tensor, more than one column, a negative offset.
///
/// @code{.cpp}
/// const Eigen::MatrixXd d_s = (Eigen::MatrixXd(2, 1) << 5, -5).finished();
/// const std::vector<double> w = importance_weights_of(d_s);
/// assert(w[0] < 0.02 && std::abs(w[0] + w[1] - 2) < 1e-14);
/// @endcode
template <matrix_like A>
std::vector<double> importance_weights_of(const A& logits_s, double offset = 0) {
  const char* const name = "importance_weights_of";
  const auto logits = const_view_of(logits_s);
  static_assert(std::is_same_v<memory_of<A>, host_memory>, "dalib: importance_weights_of reads logits of the host");
  require_shapes(logits.rows > 0 && logits.cols == 1, name, "a discriminator gives one logit per sample", logits, logits);
  detail::require_not_negative(name, "offset", offset);
  std::vector<double> weights;
  double sum = 0;
  for (index_t i = 0; i < logits.rows; ++i) {
    weights.push_back(sigmoid(-static_cast<double>(logits(i, 0))));
    sum += weights.back();
  }
  const double mean = sum / static_cast<double>(logits.rows) + offset;
  for (double& weight : weights) weight = mean > 0 ? weight / mean : 1; // none is less surely source than another
  return weights;
}

/// Domain adversarial loss in which source samples have weights (PADA, Cao et al. 2018, eq. 4; IWAN, Zhang et al. 2018, eq. 8), source
/// label 1:
///
///     source_factor mean_i w_i softplus(-d_s,i) + target_factor mean_j softplus(d_t,j)
///
/// Logits are (n_s, 1) and (n_t, 1). Weights come as `weighted(d_s, w)` and are constants; means are over the numbers of samples, not over
/// the weights, as in both papers. TLlib's PADA has the factors 1/2 and mean(w) / 2. Right for any finite logit. O(n).
/// @throws std::invalid_argument for empty domains, other than one column, gradients of the wrong shape, factors that are negative.
///
/// @code{.cpp}
/// const Eigen::MatrixXd d_s = Eigen::MatrixXd::Random(4, 1), d_t = Eigen::MatrixXd::Random(6, 1);
/// const std::vector<double> w = importance_weights_of(d_s);
/// const weighted_domain_adversarial loss;
/// assert(std::abs(loss(d_s, d_t) - 2 * domain_adversarial{}(d_s, d_t)) < 1e-14);
/// assert(loss(weighted(d_s, w), d_t) > 0);
/// @endcode
struct weighted_domain_adversarial : call_forms<weighted_domain_adversarial> {
  static constexpr const char* name = "weighted_domain_adversarial";
  static constexpr std::size_t arity = 2;

  double source_factor;
  double target_factor;

  explicit weighted_domain_adversarial(double of_source = 1, double of_target = 1) : source_factor(of_source), target_factor(of_target) {}

  /// The operation that every form of call comes down to.
  template <class Call, class LS, class LT>
  auto evaluate(const Call& call, const LS& logits_s, const LT& logits_t) const {
    using types = two_sample_types<LS, LT>;
    require_execution<typename Call::execution_type, typename types::memory>();
    const auto out = call.template output<0>(no_gradients<typename types::value_type, typename types::memory>());
    require_gradient_types<types>(out);
    return run(call.execution, sample_of(logits_s), sample_of(logits_t), out, call.scratch);
  }

private:
  template <class Exec, class T, class Memory>
  T run(const Exec& exec, const sample<T, Memory>& source, const sample<T, Memory>& target, const gradients<T, Memory>& out,
        workspace_of<Memory>& scratch) const {
    require_two_samples(name, source.rows, target.rows);
    require_shapes(source.rows.cols == 1, name, "a discriminator gives one logit per sample", source.rows, target.rows);
    require_gradients(name, source, target, out);
    detail::require_not_negative(name, "the source's factor", source_factor);
    detail::require_not_negative(name, "the target's factor", target_factor);
    const workspace_scope scope(scratch);
    return backend<Memory>::template reduce_groups<T, reduction::sum>(
        exec, engine::row_problem{source.rows.rows, target.rows.rows, 1, 1},
        detail::weighted_adversarial_task<T, Memory>{source, target, out,
                                                     static_cast<T>(source_factor / static_cast<double>(source.rows.rows)),
                                                     static_cast<T>(target_factor / static_cast<double>(target.rows.rows))},
        scratch);
  }
};

} // namespace dalib
