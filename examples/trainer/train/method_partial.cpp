// Methods for targets that lack some of the source's classes.
#include "models/iwan.hpp"
#include "models/pada.hpp"
#include "standard_method.hpp"

namespace dalib::train::partial_method {
namespace {

image_protocol protocol(std::string_view data) { return find_method("dann").protocol(data); }

weighted_adversary<scalar> make_adversary(const method_config& config, index_t features, io::random_generator& random) {
  return {{features, config.discriminator_width, random}, make_reversal(config)};
}

std::unique_ptr<method> make_pada(const method_config& config, io::random_generator random) {
  auto classifier = make_classifier(config, nn::bottleneck_dann, random);
  auto adversary = make_adversary(config, classifier.features(), random);
  return make_standard_method(pada_model<scalar, image_backbone>(std::move(classifier), std::move(adversary)), config);
}

std::unique_ptr<method> make_iwan(const method_config& config, io::random_generator random) {
  auto classifier = make_classifier(config, nn::bottleneck_dann, random);
  nn::domain_discriminator<scalar> first(classifier.features(), config.discriminator_width, random);
  auto adversary = make_adversary(config, classifier.features(), random);
  return make_standard_method(iwan_model<scalar, image_backbone>(std::move(classifier), std::move(first), std::move(adversary),
                                                                 config.settings.at("iwan-entropy-weight")),
                              config);
}

} // namespace
} // namespace dalib::train::partial_method

namespace dalib::train {

method_entry pada() {
  return {.name = "pada",
          .description = "DANN in which source classes that the target seems to lack count less (--target-classes)",
          .make = partial_method::make_pada,
          .protocol = partial_method::protocol};
}

method_entry iwan() {
  return {.name = "iwan",
          .description = "DANN in which source samples that a first discriminator knows for sure count less (--target-classes)",
          .settings = {{"iwan-entropy-weight", 0.1, 0, 1e6, "iwan: weight of the entropy of the target's predictions"}},
          .make = partial_method::make_iwan,
          .protocol = partial_method::protocol};
}

} // namespace dalib::train
