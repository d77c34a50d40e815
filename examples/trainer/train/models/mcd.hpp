#pragma once

#include "../../../autodiff/dalib_graph.hpp"
#include "../../../nn/nn.hpp"
#include "two_players.hpp"

#include <dalib/dalib.hpp>

#include <utility>
#include <vector>

namespace dalib::train {

/// How far the heads are apart on the target in MCD: the mean of |p1 - p2|.
template <class T>
struct mean_disagreement {
  variable<T> operator()(const variable<T>& first, const variable<T>& second, std::int64_t) const {
    return classifier_discrepancy{}(first, second);
  }
};

/// Maximum classifier discrepancy (Saito et al., CVPR 2018): two heads on one backbone. Each iteration has three steps: all parts learn the
/// source (A), the heads learn to disagree on the target (B), the backbone learns to make them agree (C, several times).
///
/// @tparam Discrepancy maps the logits of both heads for the target, and the number of the call in the whole training, to a loss
template <class T, class Backbone, class Discrepancy = mean_disagreement<T>>
class mcd_descent {
public:
  struct options {
    index_t width = 256; ///< of the heads
    double dropout = 0.5;
    double trade_off = 1;         ///< weight of the discrepancy
    double balance_weight = 0.01; ///< weight of the class-balance term on the target
    int backbone_steps = 4;       ///< steps C
    nn::sgd_options backbone, heads;
    nn::stepwise_schedule schedule;
    double backbone_multiplier = 1;
  };
  /// `total_loss` is that of step A, `transfer_loss` that of the last step C, `correct` of the first head.
  struct report : step_report {
    double heads_loss = 0; ///< of step B
  };

  mcd_descent(Backbone backbone, index_t classes, const options& o, io::random_generator& random, Discrepancy discrepancy = {})
      : backbone_(std::move(backbone)), heads_{{backbone_.out_features, classes, o.width, random, o.dropout},
                                               {backbone_.out_features, classes, o.width, random, o.dropout}},
        players_({nn::group_of<T>(backbone_, o.backbone_multiplier)}, o.backbone,
                 {nn::group_of<T>(heads_.first), nn::group_of<T>(heads_.second)}, o.heads, o.schedule),
        discrepancy_(discrepancy), trade_off_(static_cast<T>(o.trade_off)), balance_weight_(static_cast<T>(o.balance_weight)),
        backbone_steps_(o.backbone_steps) {}

  /// One iteration: A, B, and C as often as the options say. Throws training_failure before an update with a loss that is not finite.
  report step(const batch<T>& images) {
    nn::set_training(*this, true);
    players_.next_iteration();
    report result;
    learn_source(images, result);
    const auto features = backbone_(images.both);
    separate_heads(features, images, result);
    train_heads(false);
    // The backbone stays in step B, so that its features serve the first step C too, if a forward pass leaves no trace in it.
    const bool features_serve = !has_state(backbone_);
    for (int k = 0; k < backbone_steps_; ++k) agree(k == 0 && features_serve ? features : backbone_(images.both), images, k, result);
    train_heads(true);
    return result;
  }

  /// Step A alone: all parts, on the source, with all classes predicted on the target. The gradients are still there afterwards.
  void learn_source(const batch<T>& images, report& result) {
    const outputs y = forward(backbone_(images.both), images);
    const auto source_loss = classification(y, images);
    result.classification_loss = source_loss.item();
    result.correct = count_correct(y.source1, images.source_labels);
    const auto total = ad::add(source_loss, ad::scale(balance(y), balance_weight_));
    result.total_loss = total.item();
    players_.descend("classification loss", total, moved_part::both);
  }

  /// Logits of both heads, in evaluation mode and without recording.
  struct prediction {
    variable<T> first, second, features;
  };
  prediction predict_both(const variable<T>& images) {
    const ad::no_gradient off;
    nn::set_training(*this, false);
    const auto features = backbone_(images);
    return {heads_.first(features), heads_.second(features), features};
  }
  /// The first head's.
  nn::classifier_output<T> predict(const variable<T>& images) {
    const prediction both = predict_both(images);
    return {both.first, both.features};
  }
  /// What a saved model holds.
  mcd_descent& predictor() { return *this; }

  double learning_rate() const { return players_.learning_rate(); }

  template <class Visitor>
  void visit_state(Visitor& visitor) {
    nn::visit_state(*this, visitor, "model.");
    players_.visit_state(visitor);
  }
  template <class Visitor>
  void parts(Visitor&& f) {
    f("G", backbone_);
    f("F1", heads_.first);
    f("F2", heads_.second);
  }

private:
  /// Logits of both heads.
  struct outputs {
    variable<T> source1, target1, source2, target2;
  };

  /// Step B: the heads, against each other.
  void separate_heads(const variable<T>& features, const batch<T>& images, report& result) {
    const outputs y = forward(ad::detach(features), images);
    const auto apart =
        ad::add(ad::add(classification(y, images), ad::scale(balance(y), balance_weight_)), ad::scale(discrepancy(y, 0), -trade_off_));
    result.heads_loss = apart.item();
    players_.descend("loss of the heads", apart, moved_part::heads);
  }

  /// Step C: the backbone, against the discrepancy.
  void agree(const variable<T>& features, const batch<T>& images, int number, report& result) {
    const auto together = discrepancy(forward(features, images), number + 1);
    result.transfer_loss = together.item();
    players_.descend("discrepancy", ad::scale(together, trade_off_), moved_part::backbone);
  }

  outputs forward(const variable<T>& features, const batch<T>& images) {
    const std::vector<index_t> sizes{images.source_size(), images.target_size()};
    const auto first = ad::split_rows(heads_.first(features), sizes), second = ad::split_rows(heads_.second(features), sizes);
    return {first[0], first[1], second[0], second[1]};
  }
  static variable<T> classification(const outputs& y, const batch<T>& images) {
    return ad::add(ad::cross_entropy<T>(y.source1, images.source_labels), ad::cross_entropy<T>(y.source2, images.source_labels));
  }
  static variable<T> balance(const outputs& y) { return ad::add(class_balance{}(y.target1), class_balance{}(y.target2)); }
  /// @param number of the call in this iteration: 0 in step B, 1 and more in steps C
  variable<T> discrepancy(const outputs& y, int number) const {
    return discrepancy_(y.target1, y.target2, players_.iteration() * (1 + backbone_steps_) + number);
  }

  /// Whether a network has anything but parameters: running statistics, which count forward passes, or a dropout's generator.
  static bool has_state(Backbone& network) {
    std::size_t leaves = 0, parameters = 0;
    nn::visit_leaves(network, [&](const std::string&, auto&) { ++leaves; });
    nn::visit_parameters(network, [&](const std::string&, auto&) { ++parameters; });
    return leaves != parameters;
  }

  /// Whether the heads' parameters get gradients.
  void train_heads(bool on) {
    nn::set_requires_gradient(heads_.first, on);
    nn::set_requires_gradient(heads_.second, on);
  }

  Backbone backbone_;
  std::pair<nn::image_classifier_head<T>, nn::image_classifier_head<T>> heads_;
  two_players<T> players_;
  Discrepancy discrepancy_;
  T trade_off_, balance_weight_;
  int backbone_steps_;
};

} // namespace dalib::train
