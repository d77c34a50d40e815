#pragma once

#include "../../../autodiff/dalib_graph.hpp"
#include "classifier_model.hpp"
#include "iteration_counter.hpp"

#include <dalib/measure/information_maximisation.hpp>

#include <cstdint>

namespace dalib::train {

/// Source hypothesis transfer (Liang et al., ICML 2020) without its pseudo labels: the source alone at first; then its head stays, and what
/// is before it learns to give sure predictions of all classes on the target, whose statistics are then the batch norm's. Of the source no
/// gradient comes any more; its loss is only watched.
template <class T, class Backbone>
class shot_model : public classifier_model<T, nn::image_classifier<T, Backbone>> {
public:
  shot_model(nn::image_classifier<T, Backbone> classifier, std::int64_t source_iterations)
      : shot_model::classifier_model(std::move(classifier)), source_iterations_(source_iterations) {}

  losses<T> operator()(const batch<T>& images) {
    const bool learns_source = steps_.next() < source_iterations_;
    nn::set_requires_gradient(this->classifier_.head, learns_source);
    if (learns_source) {
      const auto source = this->classifier_(images.source);
      return {this->source_loss(source.logits, images), {}, source.logits, 0, {source, {}}};
    }
    const auto target = this->classifier_(images.target);
    const auto watched = watch(images.source);
    return {this->source_loss(watched.logits, images), information_maximisation{}(target.logits), watched.logits, 0, {watched, target}};
  }

  template <class Visitor>
  void parts(Visitor&& f) {
    f("classifier", this->classifier_);
    f("steps", steps_);
  }

private:
  /// In evaluation mode and without recording.
  nn::classifier_output<T> watch(const variable<T>& images) {
    const ad::no_gradient off;
    nn::set_training(this->classifier_, false);
    auto output = this->classifier_(images);
    nn::set_training(this->classifier_, true);
    return output;
  }

  std::int64_t source_iterations_;
  iteration_counter steps_;
};

} // namespace dalib::train
