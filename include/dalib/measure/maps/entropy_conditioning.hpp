/// @file
/// How much each sample counts in CDAN, by the entropy of its class prediction.
#pragma once

#include "dalib/concepts.hpp"
#include "dalib/engine/host/backend.hpp"
#include "dalib/engine/host/rowwise.hpp"
#include "dalib/engine/row/softmax.hpp"
#include "dalib/execution/openmp.hpp"
#include "dalib/simd/vector_in.hpp"

#include <cmath>
#include <concepts>
#include <type_traits>
#include <vector>

namespace dalib {

/// What the raw weights of both domains are multiplied by.
struct domain_factors {
  double source;
  double target;
};

/// Numbers of samples and sums of raw weights of both domains.
struct domain_weights {
  index_t source_samples;
  index_t target_samples;
  double source_sum;
  double target_sum;

  double samples() const { return static_cast<double>(source_samples + target_samples); }
};

/// Entropy conditioning: a raw weight for each sample from its prediction's entropy H, and a normalisation. `offset` is added to the
/// probabilities inside the logarithm of H. `reverses_entropy()` says whether a gradient flows through H, times -lambda; it does not
/// through the normalisation.
///
/// @code{.cpp}
/// struct only_sure { // samples of entropy above 1 do not count
///   double offset = 0;
///   template <class T>
///   DALIB_HD T raw_weight(T entropy, T& slope) const {
///     slope = T(0);
///     return entropy < T(1) ? T(1) : T(0);
///   }
///   domain_factors normalise(const domain_weights& w) const {
///     const double factor = w.samples() / (w.source_sum + w.target_sum);
///     return {factor, factor};
///   }
///   bool reverses_entropy() const { return false; }
/// };
/// static_assert(conditioning_policy<only_sure> && conditioning_policy<conditioning::none>);
/// const Eigen::MatrixXd l_s = Eigen::MatrixXd::Random(2, 1), l_t = Eigen::MatrixXd::Random(1, 1);
/// const Eigen::MatrixXd g_s = (Eigen::MatrixXd(2, 3) << 9, 0, 0, 0, 0, 0).finished(), g_t = Eigen::RowVector3d(0, 9, 0);
/// const auto each = conditional_domain_adversarial{only_sure{}, reduction::none{}}(l_s, l_t, g_s, g_t);
/// assert(each[0] > 0 && each[1] == 0 && each[2] > 0); // the second is undecided between three classes
/// @endcode
template <class C>
concept conditioning_policy = requires(const C& c, double& slope, const domain_weights& sums) {
  { c.raw_weight(1.0, slope) } -> std::convertible_to<double>;
  { c.normalise(sums) } -> std::same_as<domain_factors>;
  { c.offset } -> std::convertible_to<double>;
  { c.reverses_entropy() } -> std::convertible_to<bool>;
};

namespace conditioning {

/// Every sample counts 1 (CDAN).
struct none {
  double offset = 0;
  template <class T>
  DALIB_HD T raw_weight(T, T& slope) const {
    slope = T(0);
    return T(1);
  }
  domain_factors normalise(const domain_weights&) const { return {1, 1}; }
  bool reverses_entropy() const { return false; }
};

/// w = 1 + e^-H (CDAN+E, Long et al. 2018, eq. 8), so that sure predictions count up to twice; scaled to sum n_s + n_t over both domains
/// together; detached.
struct joint_entropy {
  double offset = 0;
  template <class T>
  DALIB_HD T raw_weight(T entropy, T& slope) const {
    using std::exp;
    slope = -exp(-entropy);
    return T(1) - slope;
  }
  domain_factors normalise(const domain_weights& w) const {
    const double factor = w.samples() / (w.source_sum + w.target_sum);
    return {factor, factor};
  }
  bool reverses_entropy() const { return false; }
};

/// w = 1 + e^-H, scaled to sum (n_s + n_t) / 2 over each domain, as in the authors' code: domains count the same. With `reverse` a
/// gradient, reversed, flows through the entropy to the classifier, as there; without it w is detached.
struct per_domain_entropy {
  bool reverse = true;
  double offset = 0;
  template <class T>
  DALIB_HD T raw_weight(T entropy, T& slope) const {
    return joint_entropy{}.raw_weight(entropy, slope);
  }
  domain_factors normalise(const domain_weights& w) const { return {w.samples() / (2 * w.source_sum), w.samples() / (2 * w.target_sum)}; }
  bool reverses_entropy() const { return reverse; }
};

} // namespace conditioning

namespace engine {

/// Entropy -sum p log(p + offset) of the softmax of each row of logits, in natural units; the column is used up. With offset 0 it is exact
/// for any finite logits, with 0 log 0 = 0.
template <class V>
DALIB_HD V entropy_in_place(const class_column<V>& logits, double offset) {
  using std::log;
  using std::log1p;
  if (offset == 0) { // log sum e^x - sum p x, x relative to the largest: no term is negative, and the largest's own 1 is left out
    const top_score<V> top = top_of(logits);
    class_sum<V> sum, others;
    for (index_t c = 0; c < logits.classes; ++c) {
      const auto [x, e] = relative_to(logits[c], top.score);
      others.add(c, where_equal(V(c), top.place, V(0), e));
      sum.add(c, where_nonzero(e, e * x.high));
    }
    return log1p(others.value()) - sum.value() / (V(1) + others.value());
  }
  softmax_in_place(logits);
  class_sum<V> sum;
  for (index_t c = 0; c < logits.classes; ++c) sum.add(c, logits[c] * log(logits[c] + V(offset)));
  return -sum.value();
}

/// Gradient of that entropy with respect to the logits, times factor, in place of the logits; `slopes` is used up. The slope of class c
/// less that of the largest is f(p_c) - f(p), f(p) = -log(p + offset) - p / (p + offset), written so that nothing cancels:
/// log(1 + gap / (p_c + offset)) + offset gap / ((p_c + offset) (p + offset)) with gap = p - p_c.
template <class V>
DALIB_HD void pull_entropy(const class_column<V>& logits, const class_column<V>& slopes, double offset, const V& factor) {
  using std::log1p;
  const V kept = V(offset), largest = largest_of(logits);
  for (index_t c = 0; c < logits.classes; ++c) slopes.set(c, logits[c] - largest);
  softmax_in_place(logits);
  const V top = largest_of(logits);
  for (index_t c = 0; c < logits.classes; ++c) {
    const V x = slopes[c], p = logits[c];
    V slope = -x; // offset 0
    if (offset != 0) {
      const V gap = where_greater(x, V(-series_radius<V>), -top * expm1_near_zero(x), top - p), shifted = p + kept;
      slope = log1p(gap / shifted) + kept * gap / (shifted * (top + kept));
    }
    slopes.set(c, where_nonzero(p, slope));
  }
  pull_softmax(logits, factor, [&](index_t c) { return slopes[c]; });
}

} // namespace engine

/// Normalised weights of all samples, source first, and what the gradient needs.
///
/// @code{.cpp}
/// const Eigen::MatrixXd sure = (Eigen::MatrixXd(1, 2) << 50, 0).finished(), unsure = Eigen::MatrixXd::Zero(1, 2);
/// const auto weights = [&](auto conditioning) -> sample_weights<double> {
///   return weigh_samples(exec::serial{}, conditioning, const_view_of(sure), const_view_of(unsure));
/// };
/// const std::vector<double> joint = weights(conditioning::joint_entropy{}).values; // 2 and 1 + 1/2, scaled to sum 2
/// assert(std::abs(joint[0] - 4 / 3.5) < 1e-12 && std::abs(joint[1] - 3 / 3.5) < 1e-12);
/// const std::vector<double> each = weights(conditioning::per_domain_entropy{}).values; // sum 1 in each domain
/// assert(std::abs(each[0] - 1) < 1e-12 && std::abs(each[1] - 1) < 1e-12);
/// @endcode
template <class T, class Memory = host_memory>
struct sample_weights {
  vector_in<Memory, T> values; ///< n_s + n_t of them
  vector_in<Memory, T> slopes; ///< d weight / d entropy, the normalisation held fixed
};

namespace detail {

/// Raw weights of a register of rows.
template <class T, class Memory, class Conditioning>
struct weigh_task {
  class_rows<const T, Memory> source, target;
  Conditioning conditioning;
  T* values;
  T* slopes;

  template <class V>
  DALIB_HD void operator()(const engine::row_group& group, const engine::row_scratch<V>& scratch) const {
    const auto p = scratch(0);
    engine::load_rows(group.is_source ? source : target, group.first, group.count, p);
    T entropies[lanes_of<V>];
    store_lanes(engine::entropy_in_place(p, conditioning.offset), entropies);
    for (index_t lane = 0; lane < group.count; ++lane)
      values[group.sample + lane] = conditioning.raw_weight(entropies[lane], slopes[group.sample + lane]);
  }
};

/// A sample's weight without conditioning.
template <class T>
struct plain_weight_task {
  T* values;
  T* slopes;
  DALIB_HD void operator()(index_t i) const {
    values[i] = T(1);
    slopes[i] = T(0);
  }
};

/// One sample's weight.
template <class T>
struct weight_task {
  const T* values;
  DALIB_HD double operator()(index_t i) const { return static_cast<double>(values[i]); }
};

/// Multiplies one sample's weight by its domain's factor.
template <class T>
struct scale_weight_task {
  T* values;
  T* slopes;
  index_t source;
  T source_factor, target_factor;

  DALIB_HD void operator()(index_t i) const {
    const T factor = i < source ? source_factor : target_factor;
    values[i] *= factor;
    slopes[i] *= factor;
  }
};

} // namespace detail

/// @internal
/// Where weigh_samples writes: the weights of all samples, source first, and their slopes.
template <class T>
struct weights_to {
  T* values;
  T* slopes;
};

/// The weights that a conditioning gives to the samples with these class logits. O((n_s + n_t) C).
template <class Exec, conditioning_policy Conditioning, class T, class Memory>
void weigh_samples(const Exec& exec, const Conditioning& conditioning, const matrix_view<const T, Memory>& logits_s,
                   const matrix_view<const T, Memory>& logits_t, const weights_to<T>& to, workspace_of<Memory>& scratch) {
  const index_t source = logits_s.rows, target = logits_t.rows;
  if constexpr (std::is_same_v<Conditioning, conditioning::none>) {
    backend<Memory>::for_each_row(exec, source + target, detail::plain_weight_task<T>{to.values, to.slopes});
  } else {
    backend<Memory>::template visit_groups<T>(
        exec, engine::row_problem{source, target, 1, logits_s.cols},
        detail::weigh_task<T, Memory, Conditioning>{{logits_s}, {logits_t}, conditioning, to.values, to.slopes}, scratch);
    const domain_factors factors =
        conditioning.normalise({source, target, backend<Memory>::sum_over_rows(exec, source, detail::weight_task<T>{to.values}, scratch),
                                backend<Memory>::sum_over_rows(exec, target, detail::weight_task<T>{to.values + source}, scratch)});
    const T source_factor = static_cast<T>(factors.source), target_factor = static_cast<T>(factors.target);
    backend<Memory>::for_each_row(exec, source + target,
                                  detail::scale_weight_task<T>{to.values, to.slopes, source, source_factor, target_factor});
  }
}

/// The same in memory of their own.
template <class Exec, conditioning_policy Conditioning, class T, class Memory>
sample_weights<T, Memory> weigh_samples(const Exec& exec, const Conditioning& conditioning, const matrix_view<const T, Memory>& logits_s,
                                        const matrix_view<const T, Memory>& logits_t) {
  const auto total = static_cast<std::size_t>(logits_s.rows + logits_t.rows);
  sample_weights<T, Memory> result{vector_in<Memory, T>(total), vector_in<Memory, T>(total)};
  workspace_of<Memory> scratch;
  weigh_samples(exec, conditioning, logits_s, logits_t, weights_to<T>{result.values.data(), result.slopes.data()}, scratch);
  return result;
}

} // namespace dalib
