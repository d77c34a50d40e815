#pragma once

#include "../../../autodiff/dalib_graph.hpp"
#include "classifier_model.hpp"
#include "iteration_counter.hpp"
#include "two_players.hpp"

#include <dalib/measure/domain_adversarial.hpp>
#include <dalib/measure/domain_label.hpp>

namespace dalib::train {

/// Adversarial discriminative domain adaptation (Tzeng et al., CVPR 2017): a classifier learns the source at first. Then it is kept, and a
/// copy, whose head stays, learns features of the target that a discriminator takes for the kept one's features of the source: the
/// discriminator learns to tell them apart, the copy by inverted labels, in turn. The copy predicts.
template <class T, class Backbone>
class adda_descent {
public:
  using classifier = nn::image_classifier<T, Backbone>;
  using discriminator = nn::domain_discriminator<T>;

  struct options {
    std::int64_t source_iterations = 500;
    double target_rate = 0.02; ///< learning rate on the target, relative to the schedule's
    double trade_off = 1;
    nn::sgd_options sgd;
    nn::stepwise_schedule schedule;
    double backbone_multiplier = 1;
  };

  adda_descent(classifier of_target, discriminator domains, const options& o)
      : target_(std::move(of_target)), source_(target_), discriminator_(std::move(domains)),
        players_(target_.parameter_groups(o.backbone_multiplier), o.sgd, {nn::group_of<T>(discriminator_)}, o.sgd, o.schedule),
        options_(o) {}

  step_report step(const batch<T>& images) {
    nn::set_training(*this, true);
    const std::int64_t number = steps_.next();
    const bool learns_source = number < options_.source_iterations;
    if (number == options_.source_iterations) source_ = target_;
    players_.next_iteration(learns_source ? 1 : options_.target_rate);
    nn::set_requires_gradient(target_.head, learns_source);
    return learns_source ? learn_source(images) : adapt(images);
  }

  /// In evaluation mode and without recording.
  nn::classifier_output<T> predict(const variable<T>& images) {
    const ad::no_gradient off;
    nn::set_training(target_, false);
    return target_(images);
  }
  classifier& predictor() { return target_; }
  double learning_rate() const { return players_.learning_rate(); }

  template <class Visitor>
  void visit_state(Visitor& visitor) {
    nn::visit_state(*this, visitor, "model.");
    players_.visit_state(visitor);
  }
  template <class Visitor>
  void parts(Visitor&& f) {
    f("classifier", target_);
    f("source_classifier", source_);
    f("discriminator", discriminator_);
    f("steps", steps_);
  }

private:
  step_report learn_source(const batch<T>& images) {
    const auto logits = target_(images.source).logits;
    const auto loss = ad::cross_entropy<T>(logits, images.source_labels);
    step_report report = report_of(logits, images);
    report.total_loss = report.classification_loss;
    players_.descend("classification loss", loss, moved_part::backbone);
    return report;
  }

  step_report adapt(const batch<T>& images) {
    const auto kept = keep_source(images.source);
    const auto features = target_(images.target).features;
    step_report report = report_of(kept.logits, images);

    const auto [d_s, d_t] = discriminate(kept.features, ad::detach(features));
    report.domain_accuracy = with_graph_views([](const auto& s, const auto& t) { return domain_accuracy(s, t); }, d_s, d_t);
    players_.descend("discriminator's loss", ad::add(domain_label{1}(d_s), domain_label{0}(d_t)), moved_part::heads);

    nn::set_requires_gradient(discriminator_, false);
    const auto loss = domain_label{1}(discriminate(kept.features, features).second);
    report.transfer_loss = loss.item();
    report.total_loss = options_.trade_off * report.transfer_loss;
    players_.descend("transfer loss", ad::scale(loss, static_cast<T>(options_.trade_off)), moved_part::backbone);
    nn::set_requires_gradient(discriminator_, true);
    return report;
  }

  /// The discriminator's logits. Both domains pass as one batch, or its batch norms would hide from it what tells them apart.
  std::pair<variable<T>, variable<T>> discriminate(const variable<T>& source, const variable<T>& target) {
    const auto logits = discriminator_(ad::concat_rows<T>({source, target}));
    const auto parts = ad::split_rows(logits, {source.rows(), target.rows()});
    return {parts[0], parts[1]};
  }
  nn::classifier_output<T> keep_source(const variable<T>& images) {
    const ad::no_gradient off;
    nn::set_training(source_, false);
    return source_(images);
  }
  static step_report report_of(const variable<T>& source_logits, const batch<T>& images) {
    step_report report;
    report.classification_loss = ad::cross_entropy<T>(source_logits, images.source_labels).item();
    report.correct = count_correct(source_logits, images.source_labels);
    return report;
  }

  classifier target_, source_;
  discriminator discriminator_;
  iteration_counter steps_;
  two_players<T> players_;
  options options_;
};

} // namespace dalib::train
