#pragma once
// The training loop's body of all methods that minimise one sum: classification loss + trade-off * transfer loss.

#include "method.hpp"

#include <dalib/dalib.hpp>

#include "../autodiff/dalib_graph.hpp"

#include <cmath>
#include <string>
#include <utility>

namespace dalib::train {

/// The network of the bundled digits.
using digits_backbone = nn::lenet<scalar>;
using digits_classifier = nn::image_classifier<scalar, digits_backbone>;

inline digits_backbone make_backbone(const method_config& config, io::random_generator& random) {
  return digits_backbone(random, config.channels, config.side);
}

/// What a model's forward pass gives.
struct losses {
  variable<scalar> classification;
  variable<scalar> transfer; ///< not valid where the method has none
  variable<scalar> source_logits;
  double domain_accuracy = 0;
};

/// Outputs of the classifier for both domains, forwarded as one batch (batch norm sees both at once).
struct domain_outputs {
  nn::classifier_output<scalar> source, target;
};

template <class Classifier>
domain_outputs forward_jointly(Classifier& classifier, const batch<scalar>& images) {
  const auto [logits, features] = classifier(images.both);
  const std::vector<index> sizes{images.source_size(), images.target_size()};
  const auto parts = ad::split_rows(logits, sizes), feature_parts = ad::split_rows(features, sizes);
  return {{parts[0], feature_parts[0]}, {parts[1], feature_parts[1]}};
}

/// The same, source first and then target: batch norm, where there is any, sees one domain at a time.
template <class Classifier>
domain_outputs forward_separately(Classifier& classifier, const batch<scalar>& images) {
  auto source = classifier(images.source);
  auto target = classifier(images.target);
  return {std::move(source), std::move(target)};
}

/// Right predictions among the rows.
inline double count_correct(const variable<scalar>& logits, std::span<const std::int64_t> labels) {
  double correct = 0;
  for (index row = 0; row < logits.rows(); ++row) {
    index predicted = 0;
    logits.value().row(row).maxCoeff(&predicted);
    correct += predicted == labels[static_cast<std::size_t>(row)] ? 1 : 0;
  }
  return correct;
}

/// Throws training_failure naming the loss if it is not finite.
inline void require_finite_loss(const char* name, double value) {
  if (!std::isfinite(value))
    throw training_failure(std::string("the ") + name + " is " + (std::isnan(value) ? "not a number" : "infinite"));
}

/// Shows a network's parameters and running statistics, under PyTorch's names and in its layout.
template <class Network>
void visit_tensors(Network& network, any_state_visitor& visitor) {
  nn::visit(network, [&](const std::string& name, auto& part) {
    auto values = part.to_torch();
    visitor(name, part.torch_shape(), std::span(values));
    part.from_torch(std::span<const scalar>(values));
  });
}

/// SGD with the step-wise schedule on classification + trade_off * transfer.
///
/// @tparam Model has
///   losses operator()(const batch<scalar>&), the forward pass in training mode
///   nn::classifier_output<scalar> predict(const variable<scalar>&)
///   std::vector<nn::parameter_group<scalar>> parameter_groups(double backbone_multiplier)
///   auto& classifier(), the part that predicts, and parts(f), everything (see nn/module.hpp)
template <class Model>
class standard_method final : public method {
public:
  standard_method(const method_config& config, io::random_generator random)
      : model_(config, random),
        optimiser_(model_.parameter_groups(config.backbone_multiplier), config.sgd), schedule_{config.sgd.learning_rate, config.lr_gamma,
                                                                                               config.lr_decay},
        trade_off_(config.trade_off) {}

  step_report step(const batch<scalar>& images) override {
    nn::set_training(model_, true);
    optimiser_.learning_rate = schedule_.step();
    optimiser_.clear_gradients();
    const losses l = model_(images);
    step_report report;
    report.classification_loss = l.classification.item();
    report.transfer_loss = l.transfer.valid() ? l.transfer.item() : 0;
    report.domain_accuracy = l.domain_accuracy;
    report.correct = count_correct(l.source_logits, images.source_labels);
    const auto total =
        l.transfer.valid() ? ad::add(l.classification, ad::scale(l.transfer, static_cast<scalar>(trade_off_))) : l.classification;
    report.total_loss = total.item();
    require_finite_loss("classification loss", report.classification_loss);
    require_finite_loss("transfer loss", report.transfer_loss);
    ad::backward(total);
    optimiser_.step();
    return report;
  }

  nn::classifier_output<scalar> predict(const variable<scalar>& images) override {
    const ad::no_gradient off;
    nn::set_training(model_, false);
    return model_.predict(images);
  }

  void visit_state(any_state_visitor& visitor) override {
    nn::visit_state(model_, visitor, "model.");
    optimiser_.visit_state(io::scoped(visitor, "optimiser."));
    schedule_.visit_state(io::scoped(visitor, "schedule."));
  }
  void visit_model(any_state_visitor& visitor) override { visit_tensors(model_.classifier(), visitor); }
  double learning_rate() const override { return optimiser_.learning_rate; }

private:
  Model model_;
  nn::sgd<scalar> optimiser_;
  nn::stepwise_schedule schedule_;
  double trade_off_;
};

/// The usual `make` of a method_entry.
template <class Model>
std::unique_ptr<method> make_standard_method(const method_config& config, io::random_generator random) {
  return std::make_unique<standard_method<Model>>(config, random);
}

} // namespace dalib::train
