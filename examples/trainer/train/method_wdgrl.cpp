#include "models/wdgrl.hpp"
#include "standard_method.hpp"

namespace dalib::train::wdgrl_method {
namespace {

constexpr index_t critic_width = 100; // as in the paper

std::unique_ptr<method> make_wdgrl(const method_config& config, io::random_generator random) {
  using model = wdgrl_model<scalar, image_backbone>;
  auto classifier = make_classifier(config, nn::bottleneck_dan, random);
  wasserstein_critic<scalar> critic(classifier.features(), critic_width, random);
  const model::options o{static_cast<int>(config.settings.at("critic-steps")), config.settings.at("critic-lr"),
                         config.settings.at("gradient-penalty")};
  const io::random_generator points(random());
  method_config own = config;
  own.trade_off *= config.settings.at("wdgrl-weight");
  return make_standard_method(model(std::move(classifier), std::move(critic), o, points), own);
}

} // namespace
} // namespace dalib::train::wdgrl_method

namespace dalib::train {

method_entry wdgrl() {
  return {.name = "wdgrl",
          .description = "the Wasserstein distance of the features, by a critic with a gradient penalty",
          .settings = {{"wdgrl-weight", 0.1, 0, 1e6, "wdgrl: weight of the distance"},
                       {"critic-steps", 5, 1, 1000, "wdgrl: steps of the critic in each iteration"},
                       {"critic-lr", 0.05, 1e-12, 1e3, "wdgrl: learning rate of the critic"},
                       {"gradient-penalty", 10, 0, 1e6, "wdgrl: weight of the gradient penalty"}},
          .make = wdgrl_method::make_wdgrl,
          .takes = additions::none};
}

} // namespace dalib::train
