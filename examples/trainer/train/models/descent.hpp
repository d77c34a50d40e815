#pragma once

#include "classifier_model.hpp"
#include "step_report.hpp"
#include "teacher.hpp"
#include "transfer_term.hpp"

#include <optional>
#include <type_traits>

namespace dalib::train {

/// SGD with the step-wise schedule on classification loss + trade-off * transfer loss; the latter is the model's own, further terms, and
/// what a teacher of the target says, if there is one.
///
/// @tparam Model has
///   using scalar
///   losses<scalar> operator()(const batch<scalar>&), the forward pass in training mode
///   nn::classifier_output<scalar> predict(const variable<scalar>&)
///   std::vector<nn::parameter_group<scalar>> parameter_groups(double backbone_multiplier)
///   auto& classifier(), the part that predicts, and parts(f), everything (see nn/module.hpp)
template <class Model>
class descent {
public:
  using T = typename Model::scalar;
  using network = std::remove_reference_t<decltype(std::declval<Model&>().classifier())>;

  struct options {
    nn::sgd_options sgd;
    nn::stepwise_schedule schedule;
    double backbone_multiplier = 1;
    double trade_off = 1;
    std::optional<teacher_options> teacher = {}; ///< a teacher beside the model, which then predicts
    std::uint64_t teacher_seed = 0;
  };

  /// @param terms added to the model's transfer loss
  descent(Model model, const options& o, std::vector<transfer_term<T>> terms = {})
      : model_(std::move(model)), optimiser_(model_.parameter_groups(o.backbone_multiplier), o.sgd), schedule_(o.schedule),
        trade_off_(static_cast<T>(o.trade_off)), terms_(std::move(terms)) {
    if (o.teacher) teacher_.emplace(model_.classifier(), *o.teacher, o.teacher_seed);
  }

  /// One iteration; afterwards the parameters' gradients are still those of this iteration. Throws training_failure before the update if a
  /// loss is not finite.
  step_report step(const batch<T>& images) {
    nn::set_training(model_, true);
    optimiser_.learning_rate = schedule_.step();
    optimiser_.clear_gradients();
    if (teacher_) teacher_->follow(model_.classifier());
    const losses<T> l = model_(teacher_ ? teacher_->changed(images) : images);
    const variable<T> transfer = transfer_loss(l, images);
    const bool adapts = transfer.valid();
    step_report report;
    report.classification_loss = l.classification.item();
    report.transfer_loss = adapts ? transfer.item() : 0;
    report.domain_accuracy = l.domain_accuracy;
    report.correct = count_correct(l.source_logits, images.source_labels);
    const auto total = adapts ? ad::add(l.classification, ad::scale(transfer, trade_off_)) : l.classification;
    report.total_loss = total.item();
    require_finite_loss("classification loss", report.classification_loss);
    require_finite_loss("transfer loss", report.transfer_loss);
    nn::backward_over_ranks(total, optimiser_.groups());
    optimiser_.step();
    return report;
  }

  /// In evaluation mode and without recording.
  nn::classifier_output<T> predict(const variable<T>& images) {
    if (teacher_) return teacher_->predict(images);
    const ad::no_gradient off;
    nn::set_training(model_, false);
    return model_.predict(images);
  }

  Model& model() { return model_; }
  /// The part that predicts: the teacher's, if there is one.
  network& predictor() { return teacher_ ? teacher_->classifier() : model_.classifier(); }
  /// Of the latest step.
  double learning_rate() const { return optimiser_.learning_rate; }

  template <class Visitor>
  void visit_state(Visitor& visitor) {
    nn::visit_state(model_, visitor, "model.");
    optimiser_.visit_state(io::scoped(visitor, "optimiser."));
    schedule_.visit_state(io::scoped(visitor, "schedule."));
    if (teacher_) nn::visit_state(*teacher_, visitor, "teacher.");
  }

private:
  /// The model's own, all terms and the teacher's lesson; not valid where there are none, as in an iteration on the source alone.
  variable<T> transfer_loss(const losses<T>& l, const batch<T>& images) {
    variable<T> sum = l.transfer;
    const auto include = [&sum](const variable<T>& loss) { sum = sum.valid() ? ad::add(sum, loss) : loss; };
    if ((teacher_ || !terms_.empty()) && !l.outputs.target.logits.valid()) {
      if (l.outputs.source.logits.valid()) return sum;
      throw std::logic_error("descent: this model takes no further terms");
    }
    for (const transfer_term<T>& term : terms_) {
      const auto loss = term.loss({l.outputs, images.source_labels, schedule_.step_number - 1});
      include(ad::scale(loss, static_cast<T>(term.weight)));
    }
    if (teacher_) include(teacher_->lesson(images.target, l.outputs.target.logits, schedule_.step_number - 1));
    return sum;
  }

  Model model_;
  nn::sgd<T> optimiser_;
  nn::stepwise_schedule schedule_;
  T trade_off_;
  std::vector<transfer_term<T>> terms_;
  std::optional<teacher<T, network>> teacher_;
};

} // namespace dalib::train
