#pragma once

#include "classifier_model.hpp"

namespace dalib::train {

/// The classifier trained on the source alone; what adaptation is compared with.
template <class T, class Backbone>
class source_only_model : public classifier_model<T, nn::image_classifier<T, Backbone>> {
public:
  using source_only_model::classifier_model::classifier_model;

  losses<T> operator()(const batch<T>& images) {
    const auto logits = this->classifier_(images.source).logits;
    return {this->source_loss(logits, images), {}, logits};
  }
};

} // namespace dalib::train
