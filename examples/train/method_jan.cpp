#include "standard_method.hpp"

namespace dalib::train {
namespace {

/// Joint adaptation network (Long et al., ICML 2017): the joint MMD of bottleneck features and softmax outputs. The domains are forwarded
/// one after the other.
class jan {
public:
  jan(const method_config& config, io::random_generator& random)
      : classifier_(make_backbone(config, random), config.classes, nn::bottleneck_jan, random) {}

  losses operator()(const batch<scalar>& images) {
    const auto [source, target] = forward_separately(classifier_, images);
    const auto transfer =
        joint_mmd_(layers(source.features, ad::softmax(source.logits)), layers(target.features, ad::softmax(target.logits)));
    return {ad::cross_entropy<scalar>(source.logits, images.source_labels), transfer, source.logits};
  }
  nn::classifier_output<scalar> predict(const variable<scalar>& images) { return classifier_(images); }
  std::vector<nn::parameter_group<scalar>> parameter_groups(double backbone_multiplier) {
    return classifier_.parameter_groups(backbone_multiplier);
  }
  digits_classifier& classifier() { return classifier_; }

  template <class Visitor>
  void parts(Visitor&& f) {
    f("classifier", classifier_);
  }

protected:
  digits_classifier classifier_;
  joint_mmd<> joint_mmd_;
};

/// JAN-A: each layer's activations pass a linear map that is trained to make the joint MMD large (section 3.3 there).
class adversarial_jan : public jan {
public:
  adversarial_jan(const method_config& config, io::random_generator& random)
      : jan(config, random), feature_map_(classifier_.features(), random), output_map_(config.classes, random),
        map_multiplier_(config.backbone_multiplier) {}

  losses operator()(const batch<scalar>& images) {
    const auto [source, target] = forward_separately(classifier_, images);
    const auto mapped = [&](const nn::classifier_output<scalar>& output) {
      return layers(feature_map_(output.features), output_map_(ad::softmax(output.logits)));
    };
    return {ad::cross_entropy<scalar>(source.logits, images.source_labels), joint_mmd_(mapped(source), mapped(target)), source.logits};
  }
  /// The maps learn at the backbone's rate, as in DALIB.
  std::vector<nn::parameter_group<scalar>> parameter_groups(double backbone_multiplier) {
    auto groups = jan::parameter_groups(backbone_multiplier);
    groups.push_back(nn::group_of<scalar>(feature_map_, map_multiplier_));
    groups.push_back(nn::group_of<scalar>(output_map_, map_multiplier_));
    return groups;
  }

  template <class Visitor>
  void parts(Visitor&& f) {
    jan::parts(f);
    f("feature_map", feature_map_);
    f("output_map", output_map_);
  }

private:
  nn::theta<scalar> feature_map_, output_map_;
  double map_multiplier_;
};

const register_method plain({30,
                             "jan",
                             "joint MMD of features and predictions, unbiased estimate over all pairs",
                             {"jan-nonlinear"},
                             {},
                             make_standard_method<jan>});
const register_method adversarial(
    {31, "jan-adversarial", "the same behind linear maps that learn to make it large", {}, {}, make_standard_method<adversarial_jan>});

} // namespace
} // namespace dalib::train
