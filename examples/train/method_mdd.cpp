#include "standard_method.hpp"

namespace dalib::train {
namespace {

/// Margin disparity discrepancy (Zhang et al., ICML 2019): an adversarial head behind a gradient reversal that agrees with the head on the
/// source and disagrees on the target. One joint forward.
class mdd {
public:
  mdd(const method_config& config, io::random_generator& random)
      : classifier_(make_backbone(config, random), config.classes, {.bottleneck_dim = width, .width = width, .dropout = 0.5}, random),
        disparity_(config.settings.at("margin")) {
    classifier_.reversal.iterations = config.reversal_iterations;
  }

  losses operator()(const batch<scalar>& images) {
    const auto [logits, adversarial_logits, features] = classifier_(images.both);
    classifier_.step();
    const std::vector<index> sizes{images.source_size(), images.target_size()};
    const auto y = ad::split_rows(logits, sizes), y_adv = ad::split_rows(adversarial_logits, sizes);
    return {ad::cross_entropy<scalar>(y[0], images.source_labels), disparity_(y[0], y_adv[0], y[1], y_adv[1]), y[0]};
  }
  nn::classifier_output<scalar> predict(const variable<scalar>& images) {
    const auto [logits, adversarial_logits, features] = classifier_(images);
    return {logits, features};
  }
  std::vector<nn::parameter_group<scalar>> parameter_groups(double backbone_multiplier) {
    return classifier_.parameter_groups(backbone_multiplier);
  }
  auto& classifier() { return classifier_; }

  template <class Visitor>
  void parts(Visitor&& f) {
    f("classifier", classifier_);
  }

private:
  static constexpr index width = 256;

  nn::mdd_classifier<scalar, digits_backbone> classifier_;
  margin_disparity<> disparity_;
};

const register_method entry({50,
                             "mdd",
                             "margin disparity: an adversarial head that disagrees with the head on the target only",
                             {},
                             {{"margin", 4, 1e-6, 1e3, "mdd: weight of the source's term"}},
                             make_standard_method<mdd>});

} // namespace
} // namespace dalib::train
