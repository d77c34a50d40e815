#include "models/adversarial_model.hpp"
#include "standard_method.hpp"

namespace dalib::train::dann_method {
namespace {

image_protocol protocol(std::string_view data) {
  constexpr iterations_of_data iterations{20000, 30000, 30000, 75000};
  return {.weight_decay = 1e-3, .iterations = iterations(data)};
}

std::unique_ptr<method> make_dann(const method_config& config, io::random_generator random) {
  using model = dann_model<scalar, image_backbone>;
  auto classifier = make_classifier(config, nn::bottleneck_dann, random);
  nn::domain_discriminator<scalar> discriminator(classifier.features(), config.discriminator_width, random);
  return make_standard_method(model(std::move(classifier), {std::move(discriminator), make_reversal(config)}), config);
}

} // namespace
} // namespace dalib::train::dann_method

namespace dalib::train {

method_entry dann() {
  return {.name = "dann",
          .description = "domain-adversarial training: a discriminator behind a gradient reversal",
          .make = dann_method::make_dann,
          .protocol = dann_method::protocol};
}

} // namespace dalib::train
