#pragma once

#include "classifier_model.hpp"
#include "weighted_adversary.hpp"

#include <dalib/measure/weighted_cross_entropy.hpp>

#include <algorithm>
#include <numeric>

namespace dalib::train {

/// Weights of the source's classes by their shares of the target's predictions, moving means over batches: min(1, C share), so that a
/// class with an even share counts wholly. The paper divides by the largest share instead. Where the target's classes are mistaken for one,
/// that one is then the only class that counts, the features of the target learn to be like it, and its share grows further.
class moving_class_weights {
public:
  explicit moving_class_weights(index_t classes) : shares_(static_cast<std::size_t>(classes), 1.0 / static_cast<double>(classes)) {}

  /// Logits of the target's batch, (n, C).
  template <class Logits>
  void see(const Logits& logits) {
    constexpr double kept = 0.9;
    const std::vector<double> now = partial_class_weights(logits);
    const double all = std::accumulate(now.begin(), now.end(), 0.0);
    for (std::size_t c = 0; c < shares_.size(); ++c) shares_[c] = kept * shares_[c] + (1 - kept) * now[c] / all;
  }
  std::vector<double> weights() const {
    std::vector<double> result;
    for (const double share : shares_) result.push_back(std::min(1.0, share * static_cast<double>(shares_.size())));
    return result;
  }

  template <class Visitor>
  void visit_state(Visitor& visitor) {
    visitor("shares", {static_cast<std::int64_t>(shares_.size())}, std::span<double>(shares_));
  }

private:
  std::vector<double> shares_;
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
