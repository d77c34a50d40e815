#include "models/can.hpp"
#include "standard_method.hpp"

namespace dalib::train::can_method {
namespace {

std::unique_ptr<method> make_can(const method_config& config, io::random_generator random) {
  using model = can_model<scalar, image_backbone>;
  return make_standard_method(
      model(make_classifier(config, nn::bottleneck_dann, random), {.weight = config.settings.at("can-weight"),
                                                                   .farthest = config.settings.at("can-distance"),
                                                                   .fewest = static_cast<long>(config.settings.at("can-fewest")),
                                                                   .period = static_cast<long>(config.settings.at("can-period")),
                                                                   .ramp_iterations = config.reversal_iterations}),
      config);
}

} // namespace
} // namespace dalib::train::can_method

namespace dalib::train {

method_entry can() {
  return {.name = "can",
          .description = "contrastive: features of one class near in both domains, by clusters of the target, those of others far",
          .settings = {{"can-weight", 0.3, 0, 1e6, "can: weight of the loss"},
                       {"can-distance", 0.2, 0, 2, "can: largest distance (1 - cosine) / 2 of a target sample from its cluster's centre"},
                       {"can-fewest", 3, 1, 1e6, "can: samples of a class in a batch of each domain, without which it is left out"},
                       {"can-period", 50, 1, 1e9, "can: iterations from one start of the clustering at the source's centres to the next"}},
          .make = can_method::make_can};
}

} // namespace dalib::train
