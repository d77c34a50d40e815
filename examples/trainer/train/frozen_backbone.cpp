#include "frozen_backbone.hpp"

#include "standard_method.hpp"

namespace dalib::train {

struct frozen_backbone::network {
  nn::resnet<float> layers;
};

frozen_backbone::frozen_backbone(const backbone_choice& choice) {
  io::random_generator random(0);
  network_ = std::make_unique<network>(network{make_resnet<float>(choice, random)});
}
frozen_backbone::~frozen_backbone() = default;
frozen_backbone::frozen_backbone(frozen_backbone&&) noexcept = default;
frozen_backbone& frozen_backbone::operator=(frozen_backbone&&) noexcept = default;

index_t frozen_backbone::out_features() const { return network_->layers.out_features; }

feature_set frozen_backbone::features_of(const data::dataset& images) { return compute_features(network_->layers, images); }

variable<float> frozen_backbone::operator()(const variable<float>& images) {
  const ad::no_gradient off;
  nn::set_training(network_->layers, false);
  return network_->layers(images);
}

void frozen_backbone::visit_model(any_state_visitor& visitor) {
  auto below = io::scoped(visitor, "backbone.");
  any_state_visitor renamed = any_state_visitor::of(below);
  visit_tensors(network_->layers, renamed);
}

} // namespace dalib::train
