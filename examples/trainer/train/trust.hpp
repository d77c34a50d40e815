#pragma once
// How far predictions can be trusted: calibrated probabilities, and whether a sample lies where any training sample lies.

#include <Eigen/Core>

#include <span>
#include <string>
#include <vector>

namespace dalib::train {

/// Where the features of a domain lie: mean and deviation of each, and how far from the mean its own samples are.
struct feature_region {
  std::vector<float> mean, deviation;
  double limit = 0; ///< 99 of 100 of the domain's samples are nearer than this

  /// Mean over the features of ((x - mean) / deviation)^2; about 1 for the domain's own samples.
  double distance(const Eigen::Ref<const Eigen::RowVectorXf>& features) const;
};

/// The region of features, one row per sample. The limit comes from `others` of the same domain, or from the same where there are none.
feature_region region_of(const Eigen::MatrixXf& features, const Eigen::MatrixXf& others);

/// Temperature T that makes softmax(logits / T) likeliest for the labels (Guo et al., On Calibration of Modern Neural Networks, ICML 2017),
/// in [1/20, 20]; 1 without samples.
double fit_temperature(const Eigen::MatrixXf& logits, const std::vector<int>& labels);

/// What turns outputs into predictions with a warning.
struct trust {
  double temperature = 1;
  feature_region source, target;

  template <class Visitor>
  void visit_state(Visitor&& visitor) {
    visitor("temperature", {}, std::span<double>(&temperature, 1));
    for (auto* const region : {&source, &target}) {
      const std::string name = region == &source ? "source." : "target.";
      const auto size = static_cast<long>(region->mean.size());
      visitor(name + "mean", {size}, std::span<float>(region->mean));
      visitor(name + "deviation", {size}, std::span<float>(region->deviation));
      visitor(name + "limit", {}, std::span<double>(&region->limit, 1));
    }
  }
};

/// Expected calibration error in percent: over ten bins of the confidence, the mean of |accuracy - confidence|, weighted by the bins'
/// sizes.
double calibration_error(const std::vector<double>& confidences, const std::vector<bool>& correct);

} // namespace dalib::train
