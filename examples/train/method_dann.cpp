#include "standard_method.hpp"

namespace dalib::train {
namespace {

/// Domain-adversarial training of neural networks (Ganin et al., JMLR 2016): a discriminator behind a gradient reversal, both domains
/// forwarded as one batch.
class dann {
public:
  dann(const method_config& config, io::random_generator& random)
      : classifier_(make_backbone(config, random), config.classes, nn::bottleneck_dann, random),
        adversarial_{{classifier_.features(), hidden_units, random}, {.high = 1, .iterations = config.reversal_iterations}} {}

  losses operator()(const batch<scalar>& images) {
    const auto [source, target] = forward_jointly(classifier_, images);
    const auto [transfer, domain_accuracy] = adversarial_(source.features, target.features);
    return {ad::cross_entropy<scalar>(source.logits, images.source_labels), transfer, source.logits, domain_accuracy};
  }
  nn::classifier_output<scalar> predict(const variable<scalar>& images) { return classifier_(images); }
  std::vector<nn::parameter_group<scalar>> parameter_groups(double backbone_multiplier) {
    auto groups = classifier_.parameter_groups(backbone_multiplier);
    groups.push_back(nn::group_of<scalar>(adversarial_.discriminator));
    return groups;
  }
  digits_classifier& classifier() { return classifier_; }

  template <class Visitor>
  void parts(Visitor&& f) {
    f("classifier", classifier_);
    f("discriminator", adversarial_.discriminator);
    f("reversal", adversarial_.reversal);
  }

private:
  static constexpr index hidden_units = 512;

  digits_classifier classifier_;
  domain_adversarial_loss<nn::domain_discriminator<scalar>> adversarial_;
};

const register_method
    entry({10, "dann", "domain-adversarial training: a discriminator behind a gradient reversal", {}, {}, make_standard_method<dann>});

} // namespace
} // namespace dalib::train
