#pragma once
// What the methods with one classifier share: forward passes of two domains, prediction, learning rates.

#include "../../../nn/nn.hpp"
#include "../batch.hpp"

#include <utility>
#include <vector>

namespace dalib::train {

/// Outputs of a classifier for both domains.
template <class T>
struct domain_outputs {
  nn::classifier_output<T> source, target;
};

/// What a model's forward pass gives.
template <class T>
struct losses {
  variable<T> classification;
  variable<T> transfer; ///< not valid where the method has none
  variable<T> source_logits;
  double domain_accuracy = 0;
  domain_outputs<T> outputs{}; ///< what further terms are functions of; without them none can be added
};

/// How two domains pass a classifier, which matters where it has batch norm.
enum class forwarding {
  jointly,   ///< as one batch, source first: batch norm sees both at once
  separately ///< the source first and then the target: batch norm sees one domain at a time
};

template <class T, class Classifier>
domain_outputs<T> forward_domains(Classifier& classifier, const batch<T>& images, forwarding how) {
  if (how == forwarding::separately) {
    auto source = classifier(images.source);
    auto target = classifier(images.target);
    return {std::move(source), std::move(target)};
  }
  const auto [logits, features] = classifier(images.both);
  const std::vector<index_t> sizes{images.source_size(), images.target_size()};
  const auto parts = ad::split_rows(logits, sizes), feature_parts = ad::split_rows(features, sizes);
  return {{parts[0], feature_parts[0]}, {parts[1], feature_parts[1]}};
}

/// A model around one classifier, which is any of nn/classifiers.hpp. A method adds `losses<T> operator()(const batch<T>&)` and, where it
/// has further parts, its own parameter_groups and parts.
template <class T, class Classifier>
class classifier_model {
public:
  using scalar = T;

  explicit classifier_model(Classifier classifier) : classifier_(std::move(classifier)) {}

  nn::classifier_output<T> predict(const variable<T>& images) {
    const auto output = classifier_(images);
    return {output.logits, output.features};
  }
  /// The backbone first, its learning rate times `backbone_multiplier`.
  std::vector<nn::parameter_group<T>> parameter_groups(double backbone_multiplier) {
    return classifier_.parameter_groups(backbone_multiplier);
  }
  /// The part that predicts.
  Classifier& classifier() { return classifier_; }

  template <class Visitor>
  void parts(Visitor&& f) {
    f("classifier", classifier_);
  }

protected:
  variable<T> source_loss(const variable<T>& source_logits, const batch<T>& images) const {
    return ad::cross_entropy<T>(source_logits, images.source_labels);
  }

  Classifier classifier_;
};

} // namespace dalib::train
