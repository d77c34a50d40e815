/// @file
/// How much each sample counts in CDAN, by the entropy of its class prediction.
#pragma once

#include "dalib/core/concepts.hpp"
#include "dalib/engine/softmax.hpp"
#include "dalib/execution/openmp.hpp"

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
  index source_samples;
  index target_samples;
  double source_sum;
  double target_sum;

  double samples() const { return static_cast<double>(source_samples + target_samples); }
};

/// Entropy conditioning: a raw weight for each sample from its prediction's entropy H, and a normalisation. `offset` is added to the
/// probabilities inside the logarithm of H. `reverses_entropy()` says whether a gradient flows through H, times -lambda; it does not
/// through the normalisation.
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

namespace compat {

/// DALIB's entropy conditioning: joint_entropy with 1e-5 inside the logarithm.
struct entropy_conditioning : conditioning::joint_entropy {
  entropy_conditioning() : conditioning::joint_entropy{1e-5} {}
};

} // namespace compat

namespace engine {

/// Entropy -sum p log(p + offset) of the softmax of each row of logits, in natural units; the column holds p afterwards. With offset 0
/// it is exact for any finite logits, with 0 log 0 = 0.
template <class V>
DALIB_HD V entropy_in_place(const class_column<V>& logits, double offset) {
  using std::log;
  softmax_in_place(logits);
  V entropy = V(0);
  for (index c = 0; c < logits.classes; ++c) {
    const V p = logits[c];
    entropy = entropy - where_greater(p, V(0), p * log(p + V(offset)), V(0));
  }
  return entropy;
}

/// Gradient of the entropy (offset 0) with respect to the logits, times factor, in place of p.
template <class V>
DALIB_HD void pull_entropy(const class_column<V>& p, const V& factor) {
  using std::log;
  pull_softmax(p, factor, [&](index c) { return where_greater(p[c], V(0), -log(p[c]), V(0)); });
}

} // namespace engine

/// Normalised weights of all samples, source first, and what the gradient needs.
template <class T>
struct sample_weights {
  std::vector<T> values; ///< n_s + n_t of them
  std::vector<T> slopes; ///< d weight / d entropy, the normalisation held fixed
};

/// The weights that a conditioning gives to the samples with these class logits. O((n_s + n_t) C).
template <class Exec, conditioning_policy Conditioning, class T>
sample_weights<T> weigh_samples(const Exec& exec, const Conditioning& conditioning, const matrix_view<const T>& logits_s,
                                const matrix_view<const T>& logits_t) {
  const engine::row_groups groups{logits_s.rows, logits_t.rows, simd_lanes<T>};
  const auto total = static_cast<std::size_t>(logits_s.rows + logits_t.rows);
  if constexpr (std::is_same_v<Conditioning, conditioning::none>) return {std::vector<T>(total, T(1)), std::vector<T>(total)};
  sample_weights<T> result{std::vector<T>(total), std::vector<T>(total)};
  workspace memory;
  const engine::column_scratch<T> scratch(memory, exec.workers(), 1, logits_s.cols);
  exec.run(groups.count(), [&](index task, int worker) {
    const engine::row_group group = groups[task];
    const auto p = scratch(worker, 0);
    engine::load_rows(class_rows<const T>{group.is_source ? logits_s : logits_t}, group.first, group.count, p);
    T entropies[simd_lanes<T>];
    store_lanes(engine::entropy_in_place(p, conditioning.offset), entropies);
    for (index lane = 0; lane < group.count; ++lane) {
      const auto place = static_cast<std::size_t>(group.sample + lane);
      result.values[place] = conditioning.raw_weight(entropies[lane], result.slopes[place]);
    }
  });
  domain_weights sums{logits_s.rows, logits_t.rows, 0, 0};
  const auto source_count = static_cast<std::size_t>(logits_s.rows);
  for (std::size_t i = 0; i < total; ++i) (i < source_count ? sums.source_sum : sums.target_sum) += static_cast<double>(result.values[i]);
  const domain_factors factors = conditioning.normalise(sums);
  for (std::size_t i = 0; i < total; ++i) {
    const T factor = static_cast<T>(i < source_count ? factors.source : factors.target);
    result.values[i] *= factor;
    result.slopes[i] *= factor;
  }
  return result;
}

} // namespace dalib
