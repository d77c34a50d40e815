#pragma once
// The models of models/ as methods of the list.

#include "method.hpp"
#include "models/descent.hpp"

#include <memory>
#include <utility>

namespace dalib::train {

/// The backbone that the command line chooses.
using image_backbone = nn::any_backbone<scalar>;
using image_classifier = nn::image_classifier<scalar, image_backbone>;

inline image_backbone make_backbone(const method_config& config, io::random_generator& random) {
  return make_backbone<scalar>(config.backbone, config.channels, config.side, random);
}
inline image_classifier make_classifier(const method_config& config, const nn::bottleneck_options& bottleneck,
                                        io::random_generator& random) {
  return image_classifier(make_backbone(config, random), config.classes, bottleneck, random);
}
inline nn::stepwise_schedule make_schedule(const method_config& config) {
  return {config.sgd.learning_rate, config.lr_gamma, config.lr_decay};
}
/// The gradient reversal of DANN and CDAN.
inline warm_start_reversal make_reversal(const method_config& config) { return {.high = 1, .iterations = config.reversal_iterations}; }

/// Shows a network's parameters and running statistics, under PyTorch's names and in its layout.
template <class Network>
void visit_tensors(Network& network, any_state_visitor& visitor) {
  nn::visit(network, [&](const std::string& name, auto& part) {
    auto values = part.to_torch();
    visitor(name, part.torch_shape(), std::span(values));
    part.from_torch(std::span<const scalar>(values));
  });
}

/// A model whose loss is one sum, trained by `descent`.
template <class Model>
class standard_method final : public method {
public:
  standard_method(Model model, const method_config& config)
      : descent_(std::move(model),
                 {config.sgd, make_schedule(config), config.backbone_multiplier, config.trade_off, config.teacher, config.teacher_seed},
                 config.terms) {}

  step_report step(const batch<scalar>& images) override { return descent_.step(images); }
  nn::classifier_output<scalar> predict(const variable<scalar>& images) override { return descent_.predict(images); }
  void visit_state(any_state_visitor& visitor) override { descent_.visit_state(visitor); }
  void visit_model(any_state_visitor& visitor) override { visit_tensors(descent_.predictor(), visitor); }
  double learning_rate() const override { return descent_.learning_rate(); }

private:
  descent<Model> descent_;
};

template <class Model>
std::unique_ptr<method> make_standard_method(Model model, const method_config& config) {
  return std::make_unique<standard_method<Model>>(std::move(model), config);
}

} // namespace dalib::train
