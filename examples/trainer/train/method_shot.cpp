#include "models/shot.hpp"
#include "standard_method.hpp"

namespace dalib::train::shot_method {
namespace {

std::unique_ptr<method> make_shot(const method_config& config, io::random_generator random) {
  const auto source_iterations = static_cast<std::int64_t>(config.settings.at("shot-source-iterations"));
  return make_standard_method(shot_model<scalar, image_backbone>(make_classifier(config, nn::bottleneck_dann, random), source_iterations),
                              config);
}

} // namespace
} // namespace dalib::train::shot_method

namespace dalib::train {

method_entry shot() {
  return {.name = "shot",
          .description = "source-free: the source alone at first, then information maximisation on the target with the head kept",
          .settings = {{"shot-source-iterations", 250, 1, 1e9, "shot: iterations on the source before the target's begin"}},
          .make = shot_method::make_shot,
          .takes = additions::teacher};
}

} // namespace dalib::train
