#include "models/mdd.hpp"
#include "standard_method.hpp"

namespace dalib::train::mdd_method {
namespace {

image_protocol protocol(std::string_view data) {
  constexpr iterations_of_data iterations{20000, 30000, 30000, 200000};
  return {.learning_rate = 0.004,
          .lr_gamma = 0.0002,
          .iterations = iterations(data),
          .head_width = data == "office-home" || data == "domainnet" ? 2048 : 1024,
          .centre_crop = data == "visda2017"};
}

std::unique_ptr<method> make_mdd(const method_config& config, io::random_generator random) {
  nn::mdd_classifier<scalar, image_backbone> classifier(make_backbone(config, random), config.classes,
                                                        {.bottleneck_dim = config.head_width, .width = config.head_width, .dropout = 0.5},
                                                        random);
  classifier.reversal.iterations = config.reversal_iterations;
  const margin_disparity<> disparity(config.settings.at("margin"));
  return make_standard_method(mdd_model<scalar, image_backbone>(std::move(classifier), disparity), config);
}

} // namespace
} // namespace dalib::train::mdd_method

namespace dalib::train {

method_entry mdd() {
  return {.name = "mdd",
          .description = "margin disparity: an adversarial head that disagrees with the head on the target only",
          .settings = {{"margin", 4, 1e-6, 1e3, "mdd: weight of the source's term"}},
          .make = mdd_method::make_mdd,
          .protocol = mdd_method::protocol};
}

} // namespace dalib::train
