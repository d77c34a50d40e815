#pragma once

#include "../../../autodiff/dalib_graph.hpp"
#include "classifier_model.hpp"

#include <dalib/measure/unknown_class_boundary.hpp>

namespace dalib::train {

/// Open set domain adaptation by backpropagation (Saito et al., ECCV 2018): the last class is "unknown". The head is to give each target
/// sample a share of it, the features, behind a gradient reversal, learn to make that share large or small. As in the authors' code, each
/// domain passes batch norm by itself: statistics of both together would depend on how many samples are unknown.
template <class T, class Backbone>
class osbp_model : public classifier_model<T, nn::image_classifier<T, Backbone>> {
public:
  osbp_model(nn::image_classifier<T, Backbone> classifier, double share, double offset)
      : osbp_model::classifier_model(std::move(classifier)), boundary_(share, offset) {}

  losses<T> operator()(const batch<T>& images) {
    const auto outputs = forward_domains(this->classifier_, images, forwarding::separately);
    const auto& [source, target] = outputs;
    const auto reversed =
        ad::on_ranks(ad::gradient_reversal(target.features, T(1)), [this](const auto& own) { return this->classifier_.head(own); });
    return {this->source_loss(source.logits, images), boundary_(reversed), source.logits, 0, outputs};
  }

private:
  unknown_class_boundary<> boundary_;
};

} // namespace dalib::train
