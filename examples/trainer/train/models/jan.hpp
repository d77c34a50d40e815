#pragma once

#include "../../../autodiff/dalib_graph.hpp"
#include "classifier_model.hpp"

#include <dalib/dalib.hpp>

namespace dalib::train {

/// Joint adaptation network (Long et al., ICML 2017): the joint MMD of bottleneck features and softmax outputs.
template <class T, class Backbone, class Discrepancy>
class jan_model : public classifier_model<T, nn::image_classifier<T, Backbone>> {
public:
  jan_model(nn::image_classifier<T, Backbone> classifier, Discrepancy discrepancy, forwarding how)
      : jan_model::classifier_model(std::move(classifier)), discrepancy_(std::move(discrepancy)), forwarding_(how) {}

  losses<T> operator()(const batch<T>& images) {
    return adapt(images, [](const nn::classifier_output<T>& y) { return layers(y.features, ad::softmax(y.logits)); });
  }

protected:
  /// The losses with the joint MMD of `activations(output)` of both domains.
  template <class Activations>
  losses<T> adapt(const batch<T>& images, const Activations& activations) {
    const auto outputs = forward_domains(this->classifier_, images, forwarding_);
    const auto& [source, target] = outputs;
    return {this->source_loss(source.logits, images), discrepancy_(activations(source), activations(target)), source.logits, 0, outputs};
  }

private:
  Discrepancy discrepancy_;
  forwarding forwarding_;
};

/// JAN-A: each layer's activations pass a linear map that is trained to make the joint MMD large (section 3.3 there). The maps learn at the
/// backbone's rate, as in DALIB.
template <class T, class Backbone, class Discrepancy>
class adversarial_jan_model : public jan_model<T, Backbone, Discrepancy> {
public:
  adversarial_jan_model(nn::image_classifier<T, Backbone> classifier, Discrepancy discrepancy, forwarding how, io::random_generator& random)
      : adversarial_jan_model::jan_model(std::move(classifier), std::move(discrepancy), how),
        feature_map_(this->classifier_.features(), random), output_map_(this->classifier_.classes(), random) {}

  losses<T> operator()(const batch<T>& images) {
    return this->adapt(
        images, [this](const nn::classifier_output<T>& y) { return layers(feature_map_(y.features), output_map_(ad::softmax(y.logits))); });
  }
  std::vector<nn::parameter_group<T>> parameter_groups(double backbone_multiplier) {
    auto groups = this->classifier_.parameter_groups(backbone_multiplier);
    groups.push_back(nn::group_of<T>(feature_map_, backbone_multiplier));
    groups.push_back(nn::group_of<T>(output_map_, backbone_multiplier));
    return groups;
  }

  template <class Visitor>
  void parts(Visitor&& f) {
    f("classifier", this->classifier_);
    f("feature_map", feature_map_);
    f("output_map", output_map_);
  }

private:
  nn::theta<T> feature_map_, output_map_;
};

} // namespace dalib::train
