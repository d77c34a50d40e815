#include "models/source_only.hpp"
#include "standard_method.hpp"

namespace dalib::train::source_only_method {
namespace {

image_protocol protocol(std::string_view data) {
  constexpr iterations_of_data iterations{2500, 2500, 5000, 50000};
  return {.learning_rate = data == "domainnet" ? 0.01 : 0.001, .lr_gamma = 0.0003, .iterations = iterations(data)};
}

/// A function that makes the method with this bottleneck for the digits. On images DALIB's has none.
auto source_only_with(const nn::bottleneck_options& of_digits, const nn::bottleneck_options& of_images) {
  return [=](const method_config& config, io::random_generator random) {
    const nn::bottleneck_options& bottleneck = config.backbone.arch == "lenet" ? of_digits : of_images;
    return make_standard_method(source_only_model<scalar, image_backbone>(make_classifier(config, bottleneck, random)), config);
  };
}

} // namespace
} // namespace dalib::train::source_only_method

namespace dalib::train {

method_entry source_only() {
  return {.name = "source-only",
          .description = "no adaptation, classifier without batch norm: the fair reference",
          .make = source_only_method::source_only_with(nn::bottleneck_dan, nn::bottleneck_source_only),
          .protocol = source_only_method::protocol,
          .takes = additions::none};
}

// In evaluation the statistics are the source's, which the target does not have.
method_entry source_only_bn() {
  return {.name = "source-only-bn",
          .description = "no adaptation, classifier with batch norm (keeps the source's statistics)",
          .make = source_only_method::source_only_with(nn::bottleneck_dann, nn::bottleneck_dann),
          .protocol = source_only_method::protocol,
          .takes = additions::none};
}

} // namespace dalib::train
