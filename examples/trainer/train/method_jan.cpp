#include "models/jan.hpp"
#include "standard_method.hpp"

namespace dalib::train::jan_method {
namespace {

image_protocol protocol(std::string_view data) {
  constexpr iterations_of_data iterations{10000, 10000, 10000, 75000};
  return {.learning_rate = 0.003, .lr_gamma = 0.0003, .iterations = iterations(data)};
}

// The protocol forwards the domains one after the other; DALIB's example program takes them as one batch.
std::unique_ptr<method> make_jan(const method_config& config, io::random_generator random) {
  using model = jan_model<scalar, image_backbone, joint_mmd<>>;
  return make_standard_method(model(make_classifier(config, nn::bottleneck_jan, random), {}, forwarding::separately), config);
}

std::unique_ptr<method> make_adversarial_jan(const method_config& config, io::random_generator random) {
  using model = adversarial_jan_model<scalar, image_backbone, joint_mmd<>>;
  return make_standard_method(model(make_classifier(config, nn::bottleneck_jan, random), {}, forwarding::separately, random), config);
}

} // namespace
} // namespace dalib::train::jan_method

namespace dalib::train {

method_entry jan() {
  return {.name = "jan",
          .description = "joint MMD of features and predictions, unbiased estimate over all pairs",
          .aliases = {"jan-nonlinear"},
          .make = jan_method::make_jan,
          .protocol = jan_method::protocol};
}

method_entry jan_adversarial() {
  return {.name = "jan-adversarial",
          .description = "the same behind linear maps that learn to make it large",
          .make = jan_method::make_adversarial_jan,
          .protocol = jan_method::protocol};
}

} // namespace dalib::train
