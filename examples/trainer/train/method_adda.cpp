#include "descent_method.hpp"
#include "models/adda.hpp"

namespace dalib::train::adda_method {
namespace {

// Without dropout: the kept classifier's features of the source are those of evaluation, and nothing but the domain may tell them apart.
constexpr nn::bottleneck_options bottleneck{256, false, 0};

std::unique_ptr<method> make_adda(const method_config& config, io::random_generator random) {
  using descent = adda_descent<scalar, image_backbone>;
  auto classifier = make_classifier(config, bottleneck, random);
  nn::domain_discriminator<scalar> discriminator(classifier.features(), config.discriminator_width, random);
  return make_descent_method(descent(std::move(classifier), std::move(discriminator),
                                     {.source_iterations = static_cast<std::int64_t>(config.settings.at("adda-source-iterations")),
                                      .target_rate = config.settings.at("adda-lr-share"),
                                      .trade_off = config.trade_off,
                                      .sgd = config.sgd,
                                      .schedule = make_schedule(config),
                                      .backbone_multiplier = config.backbone_multiplier}));
}

} // namespace
} // namespace dalib::train::adda_method

namespace dalib::train {

method_entry adda() {
  return {.name = "adda",
          .description = "the source alone at first; then a copy learns features that a discriminator takes for the source's",
          .settings = {{"adda-source-iterations", 500, 1, 1e9, "adda: iterations on the source before the target's begin"},
                       {"adda-lr-share", 0.02, 0, 1e3, "adda: learning rate on the target, relative to --lr"}},
          .make = adda_method::make_adda,
          .takes = additions::none};
}

} // namespace dalib::train
