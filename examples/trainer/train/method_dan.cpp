#include "models/dan.hpp"
#include "standard_method.hpp"

namespace dalib::train::dan_method {
namespace {

image_protocol protocol(std::string_view data) {
  constexpr iterations_of_data iterations{10000, 10000, 10000, 75000};
  return {.learning_rate = 0.003, .lr_gamma = 0.0003, .iterations = iterations(data)};
}

/// DAN with five Gaussians, sigma^2 = 2^-3 .. 2^1 times the mean squared distance.
template <class Estimator>
std::unique_ptr<method> make_dan(const method_config& config, io::random_generator random) {
  using mk_mmd = mmd<kernel::gaussian_ladder<>, Estimator>;
  using model = dan_model<scalar, image_backbone, mk_mmd>;
  return make_standard_method(model(make_classifier(config, nn::bottleneck_dan, random), mk_mmd()), config);
}

} // namespace
} // namespace dalib::train::dan_method

namespace dalib::train {

// Equal batches: the unbiased estimator has the gradient of DALIB's non-linear form, which is larger by the constant 2 / (n - 1).
method_entry dan() {
  return {.name = "dan",
          .description = "MK-MMD of the features, unbiased estimate over all pairs",
          .aliases = {"dan-nonlinear"},
          .make = dan_method::make_dan<estimator::unbiased>,
          .protocol = dan_method::protocol};
}

method_entry dan_linear() {
  return {.name = "dan-linear",
          .description = "MK-MMD of the features, DALIB's ring of neighbouring pairs",
          .make = dan_method::make_dan<compat::ring>,
          .protocol = dan_method::protocol};
}

} // namespace dalib::train
