#pragma once

#include "../../../autodiff/dalib_graph.hpp"
#include "classifier_model.hpp"

#include <dalib/dalib.hpp>

namespace dalib::train {

/// Margin disparity discrepancy (Zhang et al., ICML 2019): an adversarial head behind a gradient reversal that agrees with the head on the
/// source and disagrees on the target. One joint forward.
template <class T, class Backbone, class Disparity = margin_disparity<>>
class mdd_model : public classifier_model<T, nn::mdd_classifier<T, Backbone>> {
public:
  mdd_model(nn::mdd_classifier<T, Backbone> classifier, Disparity disparity)
      : mdd_model::classifier_model(std::move(classifier)), disparity_(disparity) {}

  losses<T> operator()(const batch<T>& images) {
    const auto [logits, adversarial_logits, features] = this->classifier_(images.both);
    this->classifier_.step();
    const std::vector<index_t> sizes{images.source_size(), images.target_size()};
    const auto y = ad::split_rows(logits, sizes), y_adv = ad::split_rows(adversarial_logits, sizes);
    const auto z = ad::split_rows(features, sizes);
    return {this->source_loss(y[0], images), disparity_(y[0], y_adv[0], y[1], y_adv[1]), y[0], 0, {{y[0], z[0]}, {y[1], z[1]}}};
  }

private:
  Disparity disparity_;
};

} // namespace dalib::train
