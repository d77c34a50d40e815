/// @file
/// Scores of a model from labelled source samples and a domain classifier: importance-weighted validation and distances of domains.
/// Every score: higher is better.
#pragma once

#include "dalib/core/check.hpp"
#include "dalib/core/matrix_traits.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace dalib::model_selection {

/// Importance weights of source samples from a domain classifier's logits (n, 2), columns source and target, trained on n_s source and n_t
/// target samples (You et al. 2019, eq. 4): n_s / n_t * p(target | x) / p(source | x). O(n).
/// @throws std::invalid_argument for other than two columns or numbers of samples that are not positive.
template <matrix_like A>
std::vector<double> importance_weights(const A& domain_logits, double source_samples, double target_samples) {
  const auto logits = const_view_of(domain_logits);
  require_shapes(logits.cols == 2 && logits.rows > 0, "importance_weights", "domain logits have two columns, source and target", logits,
                 logits);
  if (!(source_samples > 0) || !(target_samples > 0)) fail("importance_weights", "both domains must have samples");
  std::vector<double> weights;
  for (index_t i = 0; i < logits.rows; ++i)
    weights.push_back(source_samples / target_samples * std::exp(static_cast<double>(logits(i, 1)) - static_cast<double>(logits(i, 0))));
  return weights;
}

/// An estimate of the target's risk; score = -risk.
///
/// @code{.cpp}
/// const std::vector<double> weights = {1, 3}, losses = {0.5, 0.1};
/// const model_selection::validated_risk found = model_selection::importance_weighted_validation(weights, losses, true);
/// assert(std::abs(found.risk - 0.2) < 1e-15 && found.score == -found.risk && found.eta == 0);
/// @endcode
struct validated_risk {
  double eta; ///< of the control variate; 0 where there is none
  double risk;
  double score;
};

namespace detail {
inline void require_pairs(const char* score, std::span<const double> weights, std::span<const double> losses) {
  if (weights.empty() || weights.size() != losses.size())
    fail(score, "needs one weight and one loss for each sample (got " + std::to_string(weights.size()) + " and " +
                    std::to_string(losses.size()) + ")");
}
inline double mean_of(std::span<const double> numbers) {
  double sum = 0;
  for (const double number : numbers) sum += number;
  return sum / static_cast<double>(numbers.size());
}
} // namespace detail

/// Importance-weighted validation (IWCV, Sugiyama et al. 2007): risk = mean w_i l_i, or sum w l / sum w if self-normalised. O(n).
/// @throws std::invalid_argument for no samples, different numbers of weights and losses, weights of sum 0 where they are divided by it.
inline validated_risk importance_weighted_validation(std::span<const double> weights, std::span<const double> losses,
                                                     bool self_normalised = false) {
  const char* const name = "importance_weighted_validation";
  detail::require_pairs(name, weights, losses);
  double sum = 0, total = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    sum += weights[i] * losses[i];
    total += weights[i];
  }
  if (self_normalised && !(total > 0)) fail(name, "the sum of the weights must be positive");
  const double risk = sum / (self_normalised ? total : static_cast<double>(weights.size()));
  return {0, risk, -risk};
}

/// Deep embedded validation (DEV, You et al. 2019, eq. 6-8): IWCV with the weights as a control variate,
///
///     risk = mean w l + eta (mean w - 1),   eta = -cov(w l, w) / var(w)
///
/// with n - 1 in both; equal weights have eta 0. O(n). @throws std::invalid_argument for no samples or different numbers of both.
inline validated_risk deep_embedded_validation(std::span<const double> weights, std::span<const double> losses) {
  detail::require_pairs("deep_embedded_validation", weights, losses);
  std::vector<double> products(weights.size());
  for (std::size_t i = 0; i < weights.size(); ++i) products[i] = weights[i] * losses[i];
  const double mean_w = detail::mean_of(weights), mean_a = detail::mean_of(products);
  double covariance = 0, variance = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    covariance += (products[i] - mean_a) * (weights[i] - mean_w);
    variance += (weights[i] - mean_w) * (weights[i] - mean_w);
  }
  const auto [least, most] = std::minmax_element(weights.begin(), weights.end());
  const double eta = *least < *most && variance > 0 ? -covariance / variance : 0;
  const double risk = mean_a + eta * mean_w - eta;
  return {eta, risk, -risk};
}

/// How well a classifier tells the domains apart.
///
/// @code{.cpp}
/// const std::vector<std::int64_t> domains = {1, 1, 0, 0}, predictions = {1, 0, 0, 0};
/// const model_selection::domain_distance found = model_selection::proxy_a_distance(domains, predictions);
/// assert(found.error == 0.25 && found.distance == 1 && found.balanced_distance == 1 && found.score == -1);
/// @endcode
struct domain_distance {
  double error;
  double distance;          ///< 2 (1 - 2 error), not clamped
  double balanced_distance; ///< the same with the mean of both domains' errors
  double score;             ///< -distance
};

/// Proxy A-distance (Ben-David et al. 2007) from a domain classifier's predictions on held-out samples; 1 = source, 0 = target. O(n).
/// @throws std::invalid_argument for no samples, different numbers of both, other numbers than 0 and 1, or a domain that has none.
inline domain_distance proxy_a_distance(std::span<const std::int64_t> domains, std::span<const std::int64_t> predictions) {
  const char* const name = "proxy_a_distance";
  if (domains.size() != predictions.size()) fail(name, "needs one prediction for each sample");
  double count[2] = {0, 0}, wrong[2] = {0, 0};
  for (std::size_t i = 0; i < domains.size(); ++i) {
    if ((domains[i] != 0 && domains[i] != 1) || (predictions[i] != 0 && predictions[i] != 1))
      fail(name, "domains are 0 (target) and 1 (source)");
    count[domains[i]] += 1;
    wrong[domains[i]] += domains[i] != predictions[i] ? 1 : 0;
  }
  if (!(count[0] > 0 && count[1] > 0)) fail(name, "there must be samples of both domains");
  const double error = (wrong[0] + wrong[1]) / (count[0] + count[1]);
  const double balanced = 0.5 * (wrong[0] / count[0] + wrong[1] / count[1]);
  const double distance = 2 * (1 - 2 * error);
  return {error, distance, 2 * (1 - 2 * balanced), -distance};
}

} // namespace dalib::model_selection
