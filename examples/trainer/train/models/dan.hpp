#pragma once

#include "../../../autodiff/dalib_graph.hpp"
#include "classifier_model.hpp"

#include <dalib/dalib.hpp>

namespace dalib::train {

/// Deep adaptation network (Long et al., ICML 2015): MK-MMD between the bottleneck features of both domains. The domains are forwarded one
/// after the other.
template <class T, class Backbone, class Discrepancy>
class dan_model : public classifier_model<T, nn::image_classifier<T, Backbone>> {
public:
  dan_model(nn::image_classifier<T, Backbone> classifier, Discrepancy discrepancy)
      : dan_model::classifier_model(std::move(classifier)), discrepancy_(std::move(discrepancy)) {}

  losses<T> operator()(const batch<T>& images) {
    const auto outputs = forward_domains(this->classifier_, images, forwarding::separately);
    const auto& [source, target] = outputs;
    return {this->source_loss(source.logits, images), discrepancy_(source.features, target.features), source.logits, 0, outputs};
  }

private:
  Discrepancy discrepancy_;
};

} // namespace dalib::train
