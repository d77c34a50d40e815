#include "models/mcd.hpp"
#include "standard_method.hpp"

namespace dalib::train::mcd_method {
namespace {

/// MCD as a method. Predictions are the first head's. The protocol's momentum is for both optimisers; DALIB's example has none for the
/// backbone (generator-momentum 0).
class mcd final : public method {
public:
  mcd(const method_config& config, io::random_generator random)
      : descent_(trained_backbone(config, random), config.classes, options_of(config), random) {}

  step_report step(const batch<scalar>& images) override { return descent_.step(images); }
  nn::classifier_output<scalar> predict(const variable<scalar>& images) override {
    const auto prediction = descent_.predict(images);
    return {prediction.first, prediction.features};
  }
  void visit_state(any_state_visitor& visitor) override { descent_.visit_state(visitor); }
  void visit_model(any_state_visitor& visitor) override { visit_tensors(descent_, visitor); }
  double learning_rate() const override { return descent_.learning_rate(); }

private:
  using descent = mcd_descent<scalar, image_backbone>;

  static image_backbone trained_backbone(const method_config& config, io::random_generator& random) {
    method_config own = config;
    if (own.backbone.arch == "linear") own.backbone.arch = "dense";
    return make_backbone(own, random);
  }

  static descent::options options_of(const method_config& config) {
    descent::options o;
    o.width = config.head_width;
    o.trade_off = config.trade_off;
    o.balance_weight = config.settings.at("entropy-weight");
    o.backbone_steps = static_cast<int>(config.settings.at("generator-steps"));
    o.backbone = o.heads = config.sgd;
    o.backbone.momentum = config.settings.at("generator-momentum");
    o.backbone.nesterov = o.backbone.momentum > 0;
    o.schedule = make_schedule(config);
    o.backbone_multiplier = config.backbone_multiplier;
    return o;
  }

  descent descent_;
};

image_protocol protocol(std::string_view data) {
  constexpr iterations_of_data iterations{20000, 20000, 10000, 75000};
  return {.learning_rate = 0.001,
          .lr_gamma = 0,
          .backbone_multiplier = 1,
          .iterations = iterations(data),
          .centre_crop = data == "visda2017",
          .generator_momentum = 0};
}

} // namespace
} // namespace dalib::train::mcd_method

namespace dalib::train {

method_entry mcd() {
  return {
      .name = "mcd",
      .description = "maximum classifier discrepancy: two heads and the backbone play against each other, in three steps",
      .settings = {{"entropy-weight", 0.01, 0, 1e3, "mcd: weight of the class-balance term on the target"},
                   {"generator-momentum", 0.9, 0, 0.999999, "mcd: Nesterov momentum of the backbone's optimiser"},
                   {"generator-steps", 4, 1, 1000, "mcd: steps of the backbone in each iteration"}},
      .make = [](const method_config& config, io::random_generator random) { return std::make_unique<mcd_method::mcd>(config, random); },
      .protocol = mcd_method::protocol,
      .needs_backbone = true,
      .takes_terms = false};
}

} // namespace dalib::train
