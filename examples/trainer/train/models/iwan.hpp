#pragma once

#include "classifier_model.hpp"
#include "weighted_adversary.hpp"

#include <dalib/measure/prediction_entropy.hpp>

namespace dalib::train {

/// Importance weighted adversarial nets (Zhang et al., CVPR 2018): a first discriminator, of which the features learn nothing, tells which
/// samples of the source are like the target; a second one behind a gradient reversal has them count more. The target's entropy is small.
template <class T, class Backbone>
class iwan_model : public classifier_model<T, nn::image_classifier<T, Backbone>> {
public:
  iwan_model(nn::image_classifier<T, Backbone> classifier, nn::domain_discriminator<T> first, weighted_adversary<T> adversary,
             double entropy_weight)
      : iwan_model::classifier_model(std::move(classifier)), first_(std::move(first)), adversary_(std::move(adversary)),
        entropy_weight_(static_cast<T>(entropy_weight)) {}

  losses<T> operator()(const batch<T>& images) {
    const auto outputs = forward_domains(this->classifier_, images, forwarding::jointly);
    const auto& [source, target] = outputs;
    const auto both = ad::detach(ad::concat_rows<T>({source.features, target.features}));
    const auto d = ad::split_rows(first_(both), {images.source_size(), images.target_size()});
    const std::vector<double> weights = importance_weights_of(d[0].value());
    const auto [adversarial, domain_accuracy] =
        adversary_(source.features, target.features, std::vector<T>(weights.begin(), weights.end()));
    const auto entropy = ad::scale(prediction_entropy{}(target.logits), entropy_weight_);
    const auto transfer = ad::add(ad::add(adversarial, domain_adversarial{}(d[0], d[1])), entropy);
    return {this->source_loss(source.logits, images), transfer, source.logits, domain_accuracy, outputs};
  }
  std::vector<nn::parameter_group<T>> parameter_groups(double backbone_multiplier) {
    auto groups = this->classifier_.parameter_groups(backbone_multiplier);
    groups.push_back(nn::group_of<T>(first_));
    groups.push_back(nn::group_of<T>(adversary_.discriminator));
    return groups;
  }

  template <class Visitor>
  void parts(Visitor&& f) {
    f("classifier", this->classifier_);
    f("first_discriminator", first_);
    f("discriminator", adversary_.discriminator);
    f("reversal", adversary_.reversal);
  }

private:
  nn::domain_discriminator<T> first_;
  weighted_adversary<T> adversary_;
  T entropy_weight_;
};

} // namespace dalib::train
