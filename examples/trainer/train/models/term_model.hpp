#pragma once

#include "classifier_model.hpp"

namespace dalib::train {

/// A classifier that forwards both domains and has no transfer loss of its own: all of it are the terms that `descent` adds.
template <class T, class Backbone>
class term_model : public classifier_model<T, nn::image_classifier<T, Backbone>> {
public:
  term_model(nn::image_classifier<T, Backbone> classifier, forwarding how)
      : term_model::classifier_model(std::move(classifier)), forwarding_(how) {}

  losses<T> operator()(const batch<T>& images) {
    auto outputs = forward_domains(this->classifier_, images, forwarding_);
    const auto logits = outputs.source.logits;
    return {this->source_loss(logits, images), {}, logits, 0, std::move(outputs)};
  }

private:
  forwarding forwarding_;
};

} // namespace dalib::train
