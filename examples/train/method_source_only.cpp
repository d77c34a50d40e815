#include "standard_method.hpp"

namespace dalib::train {
namespace {

/// The classifier trained on the source alone; what adaptation is compared with.
class source_only {
public:
  source_only(const method_config& config, const nn::bottleneck_options& bottleneck, io::random_generator& random)
      : classifier_(make_backbone(config, random), config.classes, bottleneck, random) {}

  losses operator()(const batch<scalar>& images) {
    const auto logits = classifier_(images.source).logits;
    return {ad::cross_entropy<scalar>(logits, images.source_labels), {}, logits};
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

private:
  digits_classifier classifier_;
};

/// Without batch norm: DAN's classifier.
struct plain_source_only : source_only {
  plain_source_only(const method_config& config, io::random_generator& random) : source_only(config, nn::bottleneck_dan, random) {}
};

/// With batch norm: DANN's classifier. In evaluation the statistics are the source's, which the target does not have.
struct normalised_source_only : source_only {
  normalised_source_only(const method_config& config, io::random_generator& random) : source_only(config, nn::bottleneck_dann, random) {}
};

const register_method plain({0,
                             "source-only",
                             "no adaptation, classifier without batch norm: the fair reference",
                             {},
                             {},
                             make_standard_method<plain_source_only>});
const register_method normalised({1,
                                  "source-only-bn",
                                  "no adaptation, classifier with batch norm (keeps the source's statistics)",
                                  {},
                                  {},
                                  make_standard_method<normalised_source_only>});

} // namespace
} // namespace dalib::train
