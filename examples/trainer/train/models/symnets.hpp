#pragma once

#include "../../../autodiff/dalib_graph.hpp"
#include "classifier_model.hpp"
#include "transfer_term.hpp"
#include "two_players.hpp"

#include <dalib/measure/symmetric_classifiers.hpp>

namespace dalib::train {

/// Backbone, bottleneck, and two linear heads, one for each domain.
template <class T, class Backbone>
struct symmetric_classifier {
  Backbone backbone;
  nn::bottleneck<T> bottleneck;
  nn::linear<T> source_head, target_head;

  symmetric_classifier(Backbone trunk, index_t classes, const nn::bottleneck_options& options, io::random_generator& random)
      : backbone(std::move(trunk)), bottleneck(backbone.out_features, options, random),
        source_head(bottleneck.out_features, classes, random), target_head(bottleneck.out_features, classes, random) {}

  variable<T> features(const variable<T>& x) { return ad::gather_rows(bottleneck(backbone(ad::scatter_rows(x)))); }

  template <class Visitor>
  void parts(Visitor&& f) {
    f("backbone", backbone);
    f("bottleneck", bottleneck);
    f("source_head", source_head);
    f("target_head", target_head);
  }
};

/// Domain-symmetric networks (Zhang et al., CVPR 2019): two heads whose logits together are one softmax of twice the classes. In turn, both
/// learn the source's classes and to tell the domains apart (eq. 1-3), and the features learn that neither head knows its domain (eq. 5-7).
/// The target's head predicts.
template <class T, class Backbone>
class symnets_descent {
public:
  using classifier = symmetric_classifier<T, Backbone>;

  struct options {
    double trade_off = 1;
    long ramp_iterations = 1000; ///< of the weight of what is learnt from the target
    nn::sgd_options sgd;
    nn::stepwise_schedule schedule;
    double backbone_multiplier = 1;
  };

  symnets_descent(classifier network, const options& o)
      : network_(std::move(network)),
        players_({nn::group_of<T>(network_.backbone, o.backbone_multiplier), nn::group_of<T>(network_.bottleneck)}, o.sgd,
                 {nn::group_of<T>(network_.source_head), nn::group_of<T>(network_.target_head)}, o.sgd, o.schedule),
        options_(o) {}

  /// `transfer_loss` is what the features learn from the target.
  step_report step(const batch<T>& images) {
    nn::set_training(network_, true);
    players_.next_iteration();
    step_report report;
    const auto features = network_.features(images.both);
    teach_heads(features, images, report);
    train_heads(false);
    teach_features(features, images, report);
    train_heads(true);
    return report;
  }

  /// In evaluation mode and without recording.
  nn::classifier_output<T> predict(const variable<T>& images) {
    const ad::no_gradient off;
    nn::set_training(network_, false);
    const auto features = network_.features(images);
    return {ad::on_ranks(features, [this](const auto& own) { return network_.target_head(own); }), features};
  }
  classifier& predictor() { return network_; }
  double learning_rate() const { return players_.learning_rate(); }

  template <class Visitor>
  void visit_state(Visitor& visitor) {
    nn::visit_state(network_, visitor, "model.");
    players_.visit_state(visitor);
  }

private:
  /// Logits of both heads, `a` the source's.
  struct outputs {
    variable<T> a_s, a_t, b_s, b_t;
  };

  outputs heads(const variable<T>& features, const batch<T>& images) {
    const std::vector<index_t> sizes{images.source_size(), images.target_size()};
    const auto whole = [&](nn::linear<T>& head) { return ad::on_ranks(features, [&head](const auto& own) { return head(own); }); };
    const auto a = ad::split_rows(whole(network_.source_head), sizes), b = ad::split_rows(whole(network_.target_head), sizes);
    return {a[0], a[1], b[0], b[1]};
  }

  void teach_heads(const variable<T>& features, const batch<T>& images, step_report& report) {
    const outputs y = heads(ad::detach(features), images);
    const auto classes = ad::add(ad::cross_entropy<T>(y.a_s, images.source_labels), ad::cross_entropy<T>(y.b_s, images.source_labels));
    const auto domains = ad::add(symmetric_classifiers<symmetric_loss::first>{}(y.a_s, y.b_s),
                                 symmetric_classifiers<symmetric_loss::second>{}(y.a_t, y.b_t));
    report.classification_loss = classes.item();
    report.correct = count_correct(y.b_s, images.source_labels);
    const auto total = ad::add(classes, domains);
    report.total_loss = total.item();
    players_.descend("loss of the heads", total, moved_part::heads);
  }

  void teach_features(const variable<T>& features, const batch<T>& images, step_report& report) {
    const outputs y = heads(features, images);
    const auto category = symmetric_category_confusion{images.source_labels}(y.a_s, y.b_s);
    const auto target = ad::add(symmetric_classifiers<symmetric_loss::domain_confusion>{}(y.a_t, y.b_t),
                                symmetric_classifiers<symmetric_loss::entropy>{}(y.a_t, y.b_t));
    report.transfer_loss = target.item();
    const double weight = options_.trade_off * ramp(players_.iteration(), options_.ramp_iterations);
    players_.descend("loss of the features", ad::add(category, ad::scale(target, static_cast<T>(weight))), moved_part::backbone);
  }

  /// Whether the heads' parameters get gradients.
  void train_heads(bool on) {
    nn::set_requires_gradient(network_.source_head, on);
    nn::set_requires_gradient(network_.target_head, on);
  }

  classifier network_;
  two_players<T> players_;
  options options_;
};

} // namespace dalib::train
