#pragma once
// The choice among trained models without labels.

#include "scores.hpp"

#include <Eigen/Core>

#include <algorithm>
#include <array>
#include <cstddef>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string_view>
#include <vector>

namespace dalib::train {

/// What --method auto tries: methods that do well on some of the digits' tasks, of which none is the best on all; three have a teacher.
inline constexpr std::array<std::string_view, 6> auto_candidates{
    "shot+self-ensembling", "im+self-ensembling", "mcc+self-ensembling", "shot", "mdd+mcc", "cdan-e+mcc"};

/// How far each model agrees with all: the share of samples for which its class is that of the mean of all models' probabilities. A model
/// that is wrong in a way of its own agrees with few; a score of one model's own sureness would favour methods that are trained to be sure.
/// Logits (n, C) of the models for the same samples, whose labels nobody here can know. After EnsV (Hu et al. 2023).
/// Throws std::invalid_argument for no models, no samples or different sizes. O(models n C).
inline std::vector<double> agreements(std::span<const Eigen::MatrixXf> logits) {
  if (logits.empty() || logits.front().size() == 0) throw std::invalid_argument("agreements: there is nothing to compare");
  Eigen::MatrixXd mean = Eigen::MatrixXd::Zero(logits.front().rows(), logits.front().cols());
  for (const Eigen::MatrixXf& one : logits) {
    if (one.rows() != mean.rows() || one.cols() != mean.cols())
      throw std::invalid_argument("agreements: the models' outputs are of different sizes");
    mean += probabilities(one);
  }
  std::vector<double> shares;
  for (const Eigen::MatrixXf& one : logits) {
    Eigen::Index same = 0;
    for (Eigen::Index row = 0; row < mean.rows(); ++row) {
      Eigen::Index own = 0, common = 0;
      one.row(row).maxCoeff(&own);
      mean.row(row).maxCoeff(&common);
      same += own == common ? 1 : 0;
    }
    shares.push_back(static_cast<double>(same) / static_cast<double>(mean.rows()));
  }
  return shares;
}

/// Numbers of the better half, best first; at least one, and two of three.
inline std::vector<std::size_t> better_half(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] > values[b]; });
  order.resize((values.size() + 1) / 2);
  return order;
}

} // namespace dalib::train
