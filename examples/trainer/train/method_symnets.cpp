#include "descent_method.hpp"
#include "models/symnets.hpp"

namespace dalib::train::symnets_method {
namespace {

std::unique_ptr<method> make_symnets(const method_config& config, io::random_generator random) {
  using descent = symnets_descent<scalar, image_backbone>;
  symmetric_classifier<scalar, image_backbone> network(make_backbone(config, random), config.classes, nn::bottleneck_dan, random);
  return make_descent_method(descent(std::move(network), {.trade_off = config.trade_off,
                                                          .ramp_iterations = config.reversal_iterations,
                                                          .sgd = config.sgd,
                                                          .schedule = make_schedule(config),
                                                          .backbone_multiplier = config.backbone_multiplier}));
}

} // namespace
} // namespace dalib::train::symnets_method

namespace dalib::train {

method_entry symnets() {
  return {.name = "symnets",
          .description = "two heads, one for each domain, whose predictions together tell class and domain",
          .make = symnets_method::make_symnets,
          .takes = additions::none};
}

} // namespace dalib::train
