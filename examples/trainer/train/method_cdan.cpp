#include "models/adversarial_model.hpp"
#include "standard_method.hpp"

namespace dalib::train::cdan_method {
namespace {

image_protocol protocol(std::string_view data) {
  constexpr iterations_of_data iterations{20000, 30000, 30000, 75000};
  return {.weight_decay = 1e-3, .iterations = iterations(data)};
}

template <class Map>
Map make_map(index_t features, index_t classes, io::random_generator& random) {
  constexpr index_t randomised_dimension = 1024;
  if constexpr (std::is_same_v<Map, multilinear_map>)
    return {};
  else
    return Map(features, classes, randomised_dimension, random());
}

template <class Map, class Conditioning>
std::unique_ptr<method> make_cdan(const method_config& config, io::random_generator random) {
  using model = cdan_model<scalar, image_backbone, Map, Conditioning>;
  auto classifier = make_classifier(config, nn::bottleneck_dann, random);
  const index_t features = classifier.features(), classes = classifier.classes();
  auto loss = make_conditional_loss<scalar>(features, classes, config.discriminator_width, make_map<Map>(features, classes, random),
                                            Conditioning{}, make_reversal(config), random);
  return make_standard_method(model(std::move(classifier), std::move(loss)), config);
}

} // namespace
} // namespace dalib::train::cdan_method

namespace dalib::train {

method_entry cdan() {
  return {.name = "cdan",
          .description = "DANN on the product of features and predictions",
          .make = cdan_method::make_cdan<multilinear_map, conditioning::none>,
          .protocol = cdan_method::protocol};
}

method_entry cdan_e() {
  return {.name = "cdan-e",
          .description = "the same, sure predictions counting more",
          .make = cdan_method::make_cdan<multilinear_map, conditioning::joint_entropy>,
          .protocol = cdan_method::protocol};
}

method_entry cdan_randomised() {
  return {.name = "cdan-randomised",
          .description = "CDAN on a random projection of the product",
          .make = cdan_method::make_cdan<randomised_multilinear_map<scalar>, conditioning::none>,
          .protocol = cdan_method::protocol};
}

} // namespace dalib::train
