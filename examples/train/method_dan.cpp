#include "standard_method.hpp"

namespace dalib::train {
namespace {

/// Deep adaptation network (Long et al., ICML 2015): MK-MMD between the bottleneck features of both domains, five Gaussians with
/// sigma^2 = 2^-3 .. 2^1 times the mean squared distance. The domains are forwarded one after the other.
template <class Estimator>
class dan {
public:
  dan(const method_config& config, io::random_generator& random)
      : classifier_(make_backbone(config, random), config.classes, nn::bottleneck_dan, random) {}

  losses operator()(const batch<scalar>& images) {
    const auto [source, target] = forward_separately(classifier_, images);
    return {ad::cross_entropy<scalar>(source.logits, images.source_labels), ad::apply(mk_mmd_, source.features, target.features),
            source.logits};
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
  mmd<kernel::gaussian_ladder<>, Estimator> mk_mmd_;
};

// Equal batches: the unbiased estimator has the gradient of DALIB's non-linear form, which is larger by the constant 2 / (n - 1).
const register_method full({20,
                            "dan",
                            "MK-MMD of the features, unbiased estimate over all pairs",
                            {"dan-nonlinear"},
                            {},
                            make_standard_method<dan<estimator::unbiased>>});
const register_method
    ring({21, "dan-linear", "MK-MMD of the features, DALIB's ring of neighbouring pairs", {}, {}, make_standard_method<dan<compat::ring>>});

} // namespace
} // namespace dalib::train
