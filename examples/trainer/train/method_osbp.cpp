#include "models/osbp.hpp"
#include "standard_method.hpp"

namespace dalib::train::osbp_method {
namespace {

std::unique_ptr<method> make_osbp(const method_config& config, io::random_generator random) {
  using model = osbp_model<scalar, image_backbone>;
  return make_standard_method(model(make_classifier(config, nn::bottleneck_dann, random), config.settings.at("unknown-share"),
                                    config.settings.at("unknown-offset")),
                              config);
}

} // namespace
} // namespace dalib::train::osbp_method

namespace dalib::train {

method_entry osbp() {
  return {.name = "osbp",
          .description = "an unknown class that head and features play for (--open-set)",
          .settings = {{"unknown-share", 0.5, 1e-6, 0.999999, "osbp: share of the unknown class that the head is to give target samples"},
                       {"unknown-offset", 1e-6, 0, 1, "osbp: added to probabilities inside logarithms, which ends the play over a sure sample"}},
          .make = osbp_method::make_osbp,
          .needs_open_set = true};
}

} // namespace dalib::train
