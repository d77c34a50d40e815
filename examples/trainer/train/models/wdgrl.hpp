#pragma once

#include "../../../autodiff/dalib_graph.hpp"
#include "classifier_model.hpp"
#include "wasserstein_critic.hpp"

namespace dalib::train {

/// Wasserstein distance guided representation learning (Shen et al., AAAI 2018): before every iteration a critic learns, in some steps on
/// features that stay, to tell how far the domains are apart; the classifier then makes that distance small.
template <class T, class Backbone>
class wdgrl_model : public classifier_model<T, nn::image_classifier<T, Backbone>> {
public:
  struct options {
    int critic_steps = 5;
    double critic_rate = 0.1;
    double penalty = 10; ///< weight of the gradient penalty
  };

  wdgrl_model(nn::image_classifier<T, Backbone> classifier, wasserstein_critic<T> critic, const options& o, io::random_generator random)
      : wdgrl_model::classifier_model(std::move(classifier)), critic_(std::move(critic)), options_(o), random_(random) {}

  losses<T> operator()(const batch<T>& images) {
    nn::set_requires_gradient(critic_, false); // it learns by its own steps
    train_critic(images);
    const auto outputs = forward_domains(this->classifier_, images, forwarding::jointly);
    const auto distance = ad::subtract(ad::mean(critic_(outputs.source.features)), ad::mean(critic_(outputs.target.features)));
    return {this->source_loss(outputs.source.logits, images), distance, outputs.source.logits, 0, outputs};
  }

  template <class Visitor>
  void parts(Visitor&& f) {
    f("classifier", this->classifier_);
    f("critic", critic_);
    f("random", random_);
  }

private:
  void train_critic(const batch<T>& images) {
    const auto [source, target] = constant_features(images);
    const critic_loss loss(options_.penalty);
    std::vector<T> alpha(static_cast<std::size_t>(source.rows()));
    for (int k = 0; k < options_.critic_steps; ++k) {
      for (T& share : alpha) share = static_cast<T>(random_.uniform01());
      critic_.descend(loss, source, target, alpha, options_.critic_rate);
    }
  }
  std::pair<variable<T>, variable<T>> constant_features(const batch<T>& images) {
    const ad::no_gradient off;
    nn::set_training(this->classifier_, false);
    const auto features = ad::split_rows(this->classifier_(images.both).features, {images.source_size(), images.target_size()});
    nn::set_training(this->classifier_, true);
    return {features[0], features[1]};
  }

  wasserstein_critic<T> critic_;
  options options_;
  io::random_generator random_; ///< of the penalty's points
};

} // namespace dalib::train
