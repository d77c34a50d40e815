/// @file
/// MMDAgg's rule: many statistics, each with a null sample, become one test of the promised level.
#pragma once

#include "dalib/inference/result.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace dalib::inference {

/// What an aggregated test answers. Everything but `reject` has one entry for each kernel.
struct aggregated_result {
  bool reject = false; ///< whether any kernel rejects
  double u_alpha = 0;  ///< what corrects the levels: kernel k is tested at u_alpha w_k
  std::vector<double> statistics{};
  std::vector<double> p_values{};     ///< each by the decision rule
  std::vector<double> p_thresholds{}; ///< u_alpha w_k: the kernel rejects if its p is at most this
  std::vector<double> quantiles{};    ///< the same in terms of the statistic
  std::vector<char> rejected{};
  std::vector<std::vector<double>> null_samples{};  ///< if `keep_null`: for each kernel the draws of its quantiles ...
  std::vector<std::vector<double>> level_samples{}; ///< ... and those of the level
  std::string warning{};

  /// The kernel that speaks most clearly: the one with the smallest p / threshold.
  std::size_t strongest() const {
    std::size_t best = 0;
    for (std::size_t k = 1; k < p_values.size(); ++k)
      if (p_values[k] * p_thresholds[best] < p_values[best] * p_thresholds[k]) best = k;
    return best;
  }
};

/// Statistics of every kernel: the observed one, and two null samples.
struct kernel_null_samples {
  std::vector<double> observed;
  std::vector<std::vector<double>> for_quantiles; ///< m_k x B1
  std::vector<std::vector<double>> for_level;     ///< m_k x B2
};

namespace detail {

/// q_k(a): the max(1, ceil((B + 1)(1 - a)))-th smallest of `sorted`. The index is found by one expression, here and in the bisection.
inline double quantile_of(const std::vector<double>& sorted, double level) {
  const double place = std::ceil(static_cast<double>(sorted.size()) * (1 - level));
  return sorted[static_cast<std::size_t>(std::clamp(place, 1.0, static_cast<double>(sorted.size()))) - 1];
}

/// P(u): how often any kernel rejects at u w_k among the draws of the level.
inline double rejections(const std::vector<std::vector<double>>& sorted, const std::vector<std::vector<double>>& level,
                         const std::vector<double>& weights, double u) {
  std::vector<char> any(level.front().size(), 0);
  for (std::size_t k = 0; k < sorted.size(); ++k) {
    const double quantile = quantile_of(sorted[k], u * weights[k]);
    for (std::size_t b = 0; b < any.size(); ++b)
      if (level[k][b] > quantile) any[b] = 1;
  }
  return static_cast<double>(std::count(any.begin(), any.end(), 1)) / static_cast<double>(any.size());
}

/// A kernel that overflowed says nothing: all its values are 0, so that its p is 1.
inline kernel_null_samples finite_samples(kernel_null_samples samples, std::string& warning) {
  for (std::size_t k = 0; k < samples.observed.size(); ++k) {
    if (all_finite(samples.observed[k], samples.for_quantiles[k]) && all_finite(0, samples.for_level[k])) continue;
    warning = not_finite;
    samples.observed[k] = 0;
    std::fill(samples.for_quantiles[k].begin(), samples.for_quantiles[k].end(), 0.0);
    std::fill(samples.for_level[k].begin(), samples.for_level[k].end(), 0.0);
  }
  return samples;
}

} // namespace detail

/// MMDAgg (Schrab et al. 2023, algorithm 1): kernel k is tested at level u w_k with the quantile of its own null sample, the observed value
/// included; u is the largest for which at most a share alpha of a second null sample would be rejected by any kernel, by bisection.
/// The level is alpha, whatever the kernels. O(m_k B log B + steps m_k B).
/// @param weights  positive, with sum 1
/// @param steps    of the bisection
///
/// @code{.cpp}
/// const std::vector<double> null = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9};
/// const inference::kernel_null_samples samples{{5.0, 0.35}, {null, null}, {null, null}}; // two kernels, the first sees a difference
/// const inference::aggregated_result r = inference::aggregate(samples, {0.5, 0.5}, {.alpha = 0.2}, 50);
/// assert(r.reject && r.rejected[0] != 0 && r.rejected[1] == 0 && r.strongest() == 0 && r.p_values[0] == 0.1);
/// @endcode
inline aggregated_result aggregate(const kernel_null_samples& given, const std::vector<double>& weights, const test_options& options,
                                   int steps) {
  aggregated_result result;
  const kernel_null_samples samples = detail::finite_samples(given, result.warning);
  result.statistics = samples.observed;
  std::vector<std::vector<double>> sorted = samples.for_quantiles;
  for (std::size_t k = 0; k < sorted.size(); ++k) {
    sorted[k].push_back(samples.observed[k]);
    std::sort(sorted[k].begin(), sorted[k].end());
  }
  double low = 0, high = INFINITY;
  for (const double w : weights) high = std::min(high, 1 / w);
  for (int i = 0; i < steps; ++i) {
    const double u = (low + high) / 2;
    (detail::rejections(sorted, samples.for_level, weights, u) <= options.alpha ? low : high) = u;
  }
  result.u_alpha = low;
  for (std::size_t k = 0; k < sorted.size(); ++k) {
    const test_result one = decide(samples.observed[k], samples.for_quantiles[k], {.alpha = options.alpha});
    result.p_values.push_back(one.p_value);
    result.p_thresholds.push_back(low * weights[k]);
    result.quantiles.push_back(detail::quantile_of(sorted[k], low * weights[k]));
    result.rejected.push_back(samples.observed[k] > result.quantiles[k] ? 1 : 0);
    result.reject = result.reject || result.rejected[k] != 0;
  }
  const double smallest = 1 / static_cast<double>(sorted.front().size());
  if (std::none_of(result.p_thresholds.begin(), result.p_thresholds.end(), [&](double t) { return t >= smallest; }))
    result.warning = "with so few draws no kernel's p value can be as small as its threshold: the test cannot reject";
  if (options.keep_null) {
    result.null_samples = samples.for_quantiles;
    result.level_samples = samples.for_level;
  }
  return result;
}

} // namespace dalib::inference
