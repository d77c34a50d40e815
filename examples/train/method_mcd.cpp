#include "standard_method.hpp"

namespace dalib::train {
namespace {

/// Maximum classifier discrepancy (Saito et al., CVPR 2018): two heads on one backbone. Each iteration has three steps: all parts learn the
/// source (A), the heads learn to disagree on the target (B), the backbone learns to make them agree (C, several times). Predictions are
/// the first head's. The protocol's momentum is for both optimisers; DALIB's example has none for the backbone (generator-momentum 0).
class mcd final : public method {
public:
  mcd(const method_config& config, io::random_generator random)
      : backbone_(make_backbone(config, random)), heads_{{backbone_.out_features, config.classes, width, random},
                                                         {backbone_.out_features, config.classes, width, random}},
        backbone_optimiser_({nn::group_of<scalar>(backbone_, config.backbone_multiplier)},
                            with_momentum(config.sgd, config.settings.at("generator-momentum"))),
        head_optimiser_({nn::group_of<scalar>(heads_.first), nn::group_of<scalar>(heads_.second)}, config.sgd),
        schedule_{config.sgd.learning_rate, config.lr_gamma, config.lr_decay}, trade_off_(static_cast<scalar>(config.trade_off)),
        balance_weight_(static_cast<scalar>(config.settings.at("entropy-weight"))),
        generator_steps_(static_cast<int>(config.settings.at("generator-steps"))) {}

  step_report step(const batch<scalar>& images) override {
    nn::set_training(*this, true);
    backbone_optimiser_.learning_rate = head_optimiser_.learning_rate = schedule_.step();
    step_report report;

    // A: all parts, on the source, with all classes predicted on the target.
    const outputs a = forward(backbone_(images.both), images);
    const auto source_loss = classification(a, images);
    report.classification_loss = source_loss.item();
    report.correct = count_correct(a.source1, images.source_labels);
    const auto total = ad::add(source_loss, ad::scale(balance(a), balance_weight_));
    report.total_loss = total.item();
    descend("classification loss", total, true, true);

    // B: the heads, against each other; the backbone stays, so its features serve the first step of C too.
    const auto features = backbone_(images.both);
    const outputs b = forward(ad::detach(features), images);
    const auto apart =
        ad::add(ad::add(classification(b, images), ad::scale(balance(b), balance_weight_)), ad::scale(discrepancy(b), -trade_off_));
    descend("loss of the heads", apart, false, true);

    // C: the backbone, against the discrepancy; the heads stay.
    train_heads(false);
    for (int k = 0; k < generator_steps_; ++k) {
      const auto together = discrepancy(forward(k == 0 ? features : backbone_(images.both), images));
      report.transfer_loss = together.item();
      descend("discrepancy", ad::scale(together, trade_off_), true, false);
    }
    train_heads(true);
    return report;
  }

  nn::classifier_output<scalar> predict(const variable<scalar>& images) override {
    const ad::no_gradient off;
    nn::set_training(*this, false);
    const auto features = backbone_(images);
    return {heads_.first(features), features};
  }

  void visit_state(any_state_visitor& visitor) override {
    nn::visit_state(*this, visitor, "model.");
    backbone_optimiser_.visit_state(io::scoped(visitor, "backbone_optimiser."));
    head_optimiser_.visit_state(io::scoped(visitor, "head_optimiser."));
    schedule_.visit_state(io::scoped(visitor, "schedule."));
  }
  void visit_model(any_state_visitor& visitor) override { visit_tensors(*this, visitor); }
  double learning_rate() const override { return head_optimiser_.learning_rate; }

  template <class Visitor>
  void parts(Visitor&& f) {
    f("G", backbone_);
    f("F1", heads_.first);
    f("F2", heads_.second);
  }

private:
  static constexpr index width = 256;

  /// Logits of both heads.
  struct outputs {
    variable<scalar> source1, target1, source2, target2;
  };

  static nn::sgd_options with_momentum(nn::sgd_options o, double momentum) {
    o.momentum = momentum;
    o.nesterov = momentum > 0;
    return o;
  }

  outputs forward(const variable<scalar>& features, const batch<scalar>& images) {
    const std::vector<index> sizes{images.source_size(), images.target_size()};
    const auto first = ad::split_rows(heads_.first(features), sizes), second = ad::split_rows(heads_.second(features), sizes);
    return {first[0], first[1], second[0], second[1]};
  }
  static variable<scalar> classification(const outputs& y, const batch<scalar>& images) {
    return ad::add(ad::cross_entropy<scalar>(y.source1, images.source_labels), ad::cross_entropy<scalar>(y.source2, images.source_labels));
  }
  static variable<scalar> balance(const outputs& y) { return ad::add(class_balance{}(y.target1), class_balance{}(y.target2)); }
  static variable<scalar> discrepancy(const outputs& y) { return classifier_discrepancy{}(y.target1, y.target2); }

  /// Whether the heads' parameters get gradients.
  void train_heads(bool on) {
    nn::set_requires_gradient(heads_.first, on);
    nn::set_requires_gradient(heads_.second, on);
  }

  void descend(const char* name, const variable<scalar>& loss, bool backbone, bool heads) {
    require_finite_loss(name, loss.item());
    backbone_optimiser_.clear_gradients();
    head_optimiser_.clear_gradients();
    ad::backward(loss);
    if (backbone) backbone_optimiser_.step();
    if (heads) head_optimiser_.step();
  }

  digits_backbone backbone_;
  std::pair<nn::image_classifier_head<scalar>, nn::image_classifier_head<scalar>> heads_;
  nn::sgd<scalar> backbone_optimiser_, head_optimiser_;
  nn::stepwise_schedule schedule_;
  scalar trade_off_, balance_weight_;
  int generator_steps_;
};

const register_method
    entry({60,
           "mcd",
           "maximum classifier discrepancy: two heads and the backbone play against each other, in three steps",
           {},
           {{"entropy-weight", 0.01, 0, 1e3, "mcd: weight of the class-balance term on the target"},
            {"generator-momentum", 0.9, 0, 0.999999, "mcd: Nesterov momentum of the backbone's optimiser"},
            {"generator-steps", 4, 1, 1000, "mcd: steps of the backbone in each iteration"}},
           [](const method_config& config, io::random_generator random) { return std::make_unique<mcd>(config, random); }});

} // namespace
} // namespace dalib::train
