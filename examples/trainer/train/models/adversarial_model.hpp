#pragma once

#include "../../../autodiff/dalib_graph.hpp"
#include "classifier_model.hpp"

#include <dalib/dalib.hpp>

namespace dalib::train {

/// A classifier against a domain discriminator; both domains are forwarded as one batch.
///
/// @tparam Loss  domain_adversarial_loss on the features (DANN) or conditional_domain_adversarial_loss on features and predictions (CDAN)
template <class T, class Backbone, class Loss>
class adversarial_model : public classifier_model<T, nn::image_classifier<T, Backbone>> {
public:
  adversarial_model(nn::image_classifier<T, Backbone> classifier, Loss adversarial)
      : adversarial_model::classifier_model(std::move(classifier)), adversarial_(std::move(adversarial)) {}

  losses<T> operator()(const batch<T>& images) {
    const auto outputs = forward_domains(this->classifier_, images, forwarding::jointly);
    const auto& [source, target] = outputs;
    const auto [transfer, domain_accuracy] = [&, &s = source, &t = target] {
      if constexpr (is_conditional)
        return adversarial_(s.logits, s.features, t.logits, t.features);
      else
        return adversarial_(s.features, t.features);
    }();
    return {this->source_loss(source.logits, images), transfer, source.logits, domain_accuracy, outputs};
  }
  /// The discriminator learns at the full rate.
  std::vector<nn::parameter_group<T>> parameter_groups(double backbone_multiplier) {
    auto groups = this->classifier_.parameter_groups(backbone_multiplier);
    groups.push_back(nn::group_of<T>(adversarial_.discriminator));
    return groups;
  }

  template <class Visitor>
  void parts(Visitor&& f) {
    f("classifier", this->classifier_);
    f("discriminator", adversarial_.discriminator);
    f("reversal", adversarial_.reversal);
    if constexpr (has_state) f("map", adversarial_.map);
  }

private:
  static constexpr bool is_conditional = requires(Loss & loss) { loss.map; };
  /// A randomised map is part of the checkpoint.
  static constexpr bool has_state = requires(Loss & loss) { loss.map.feature_matrix(); };

  Loss adversarial_;
};

/// Domain-adversarial training of neural networks (Ganin et al., JMLR 2016).
template <class T, class Backbone>
using dann_model = adversarial_model<T, Backbone, domain_adversarial_loss<nn::domain_discriminator<T>>>;

/// Conditional domain adversarial network (Long et al., NeurIPS 2018): the discriminator sees the product of features and predictions.
///
/// @tparam Map joins features and predictions, @tparam Conditioning weighs the samples by the entropy of their predictions
template <class T, class Backbone, class Map, class Conditioning>
using cdan_model = adversarial_model<T, Backbone, conditional_domain_adversarial_loss<nn::domain_discriminator<T>, Map, Conditioning>>;

/// The loss of a cdan_model, its discriminator as wide as the map's output asks for.
template <class T, class Map, class Conditioning>
auto make_conditional_loss(index_t features, index_t classes, index_t hidden, Map map, Conditioning conditioning,
                           warm_start_reversal reversal, io::random_generator& random) {
  nn::domain_discriminator<T> discriminator(map.columns(features, classes), hidden, random);
  return conditional_domain_adversarial_loss<nn::domain_discriminator<T>, Map, Conditioning>{std::move(discriminator), std::move(map),
                                                                                             conditioning, reversal};
}

} // namespace dalib::train
