#pragma once

#include "classifier_model.hpp"
#include "weighted_adversary.hpp"

#include <dalib/measure/weighted_cross_entropy.hpp>

#include <algorithm>

namespace dalib::train {

/// Weights of the source's classes by how much of the target's predictions they have, a moving mean over batches, the largest 1.
class moving_class_weights {
public:
  explicit moving_class_weights(index_t classes) : weights_(static_cast<std::size_t>(classes), 1.0) {}

  /// Logits of the target's batch, (n, C).
  template <class Logits>
  void see(const Logits& logits) {
    constexpr double kept = 0.9;
    const std::vector<double> now = partial_class_weights(logits);
    for (std::size_t c = 0; c < weights_.size(); ++c) weights_[c] = kept * weights_[c] + (1 - kept) * now[c];
    const double largest = *std::max_element(weights_.begin(), weights_.end());
    for (double& weight : weights_) weight /= largest;
  }
  const std::vector<double>& weights() const { return weights_; }

  template <class Visitor>
  void visit_state(Visitor& visitor) {
    visitor("weights", {static_cast<std::int64_t>(weights_.size())}, std::span<double>(weights_));
  }

private:
  std::vector<double> weights_;
};

/// Partial adversarial domain adaptation (Cao et al., ECCV 2018): DANN in which classes that the target seems to lack count less, for the
/// classifier and for the discriminator.
template <class T, class Backbone>
class pada_model : public classifier_model<T, nn::image_classifier<T, Backbone>> {
public:
  pada_model(nn::image_classifier<T, Backbone> classifier, weighted_adversary<T> adversary)
      : pada_model::classifier_model(std::move(classifier)), adversary_(std::move(adversary)), classes_(this->classifier_.classes()) {}

  losses<T> operator()(const batch<T>& images) {
    const auto outputs = forward_domains(this->classifier_, images, forwarding::jointly);
    const auto& [source, target] = outputs;
    classes_.see(target.logits.value());
    const std::vector<double> weights = weights_of_labels(classes_.weights(), images.source_labels);
    const auto [transfer, domain_accuracy] = adversary_(source.features, target.features, std::vector<T>(weights.begin(), weights.end()));
    const auto classification = weighted_cross_entropy{images.source_labels, weights}(source.logits);
    return {classification, transfer, source.logits, domain_accuracy, outputs};
  }
  std::vector<nn::parameter_group<T>> parameter_groups(double backbone_multiplier) {
    auto groups = this->classifier_.parameter_groups(backbone_multiplier);
    groups.push_back(nn::group_of<T>(adversary_.discriminator));
    return groups;
  }

  template <class Visitor>
  void parts(Visitor&& f) {
    f("classifier", this->classifier_);
    f("discriminator", adversary_.discriminator);
    f("reversal", adversary_.reversal);
    f("class_weights", classes_);
  }

private:
  weighted_adversary<T> adversary_;
  moving_class_weights classes_;
};

} // namespace dalib::train
