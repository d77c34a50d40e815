#include "standard_method.hpp"

namespace dalib::train {
namespace {

/// Conditional domain adversarial network (Long et al., NeurIPS 2018): DANN whose discriminator sees the product of features and class
/// predictions; both domains forwarded as one batch.
///
/// @tparam Map joins features and predictions, @tparam Conditioning weighs the samples by the entropy of their predictions
template <class Map, class Conditioning>
class cdan {
public:
  cdan(const method_config& config, io::random_generator& random)
      : classifier_(make_backbone(config, random), config.classes, nn::bottleneck_dann, random),
        adversarial_(make_loss(make_map(classifier_.features(), config.classes, random), config, random)) {}

  losses operator()(const batch<scalar>& images) {
    const auto [source, target] = forward_jointly(classifier_, images);
    const auto [transfer, domain_accuracy] = adversarial_(source.logits, source.features, target.logits, target.features);
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
    if constexpr (is_randomised) f("map", adversarial_.map);
  }

private:
  using loss = conditional_domain_adversarial_loss<nn::domain_discriminator<scalar>, Map, Conditioning>;
  static constexpr bool is_randomised = std::is_same_v<Map, randomised_multilinear_map<scalar>>;
  static constexpr index hidden_units = 512;
  static constexpr index randomised_dimension = 1024;

  static Map make_map(index features, index classes, io::random_generator& random) {
    if constexpr (is_randomised)
      return Map(features, classes, randomised_dimension, random());
    else
      return {};
  }
  loss make_loss(Map map, const method_config& config, io::random_generator& random) const {
    const index columns = map.columns(classifier_.features(), config.classes);
    return {{columns, hidden_units, random}, std::move(map), {}, {.high = 1, .iterations = config.reversal_iterations}};
  }

  digits_classifier classifier_;
  loss adversarial_;
};

using plain_cdan = cdan<multilinear_map, conditioning::none>;
using entropy_cdan = cdan<multilinear_map, conditioning::joint_entropy>;
using randomised_cdan = cdan<randomised_multilinear_map<scalar>, conditioning::none>;

const register_method plain({40, "cdan", "DANN on the product of features and predictions", {}, {}, make_standard_method<plain_cdan>});
const register_method entropy({41, "cdan-e", "the same, sure predictions counting more", {}, {}, make_standard_method<entropy_cdan>});
const register_method
    randomised({42, "cdan-randomised", "CDAN on a random projection of the product", {}, {}, make_standard_method<randomised_cdan>});

} // namespace
} // namespace dalib::train
