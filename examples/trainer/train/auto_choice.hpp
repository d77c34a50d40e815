#pragma once
// The choice among trained models without labels.

#include "scores.hpp"

#include <Eigen/Core>

#include <cmath>
#include <span>
#include <stdexcept>
#include <vector>

namespace dalib::train {

/// What can be said of a model beside others without labels.
struct standing {
  double agreement = 0; ///< share of samples for which its class is that of the mean of all models' probabilities (EnsV, Hu et al. 2023)
  double balance = 0;   ///< how evenly it predicts the classes: the entropy of their shares, divided by log C

  /// What is chosen by. A model that is wrong in a way of its own agrees with few; models that are wrong in one way, having taken two
  /// classes for one, agree with each other, but their classes are uneven. The power weighs the two; it was chosen on tasks that are not
  /// reported.
  double value() const {
    constexpr double power = 10;
    return agreement * std::pow(balance, power);
  }
};

/// Of logits (n, C) of the models for the same samples, whose labels nobody here can know. A score of one model's own sureness is not among
/// these: it would favour methods that are trained to be sure. Balance takes for granted that the target has about as many of each class,
/// as information maximisation does. Throws std::invalid_argument for no models, no samples, fewer than two classes or different sizes.
/// O(models n C).
inline std::vector<standing> standings(std::span<const Eigen::MatrixXf> logits) {
  if (logits.empty() || logits.front().rows() == 0 || logits.front().cols() < 2)
    throw std::invalid_argument("standings: there is nothing to compare");
  const Eigen::Index samples = logits.front().rows(), classes = logits.front().cols();
  Eigen::MatrixXd mean = Eigen::MatrixXd::Zero(samples, classes);
  for (const Eigen::MatrixXf& one : logits) {
    if (one.rows() != samples || one.cols() != classes)
      throw std::invalid_argument("standings: the models' outputs are of different sizes");
    mean += probabilities(one);
  }
  std::vector<standing> result;
  for (const Eigen::MatrixXf& one : logits) {
    Eigen::Index same = 0;
    Eigen::MatrixXd shares = Eigen::MatrixXd::Zero(1, classes);
    for (Eigen::Index row = 0; row < samples; ++row) {
      Eigen::Index own = 0, common = 0;
      one.row(row).maxCoeff(&own);
      mean.row(row).maxCoeff(&common);
      same += own == common ? 1 : 0;
      shares(0, own) += 1;
    }
    shares /= static_cast<double>(samples);
    result.push_back({.agreement = static_cast<double>(same) / static_cast<double>(samples),
                      .balance = row_entropies(shares)(0) / std::log(static_cast<double>(classes))});
  }
  return result;
}

} // namespace dalib::train
