#pragma once
#include <cmath>

#include "../autodiff/elementwise.hpp"
#include "module.hpp"
#include "sum_gradients.hpp"

namespace dalib::nn {

struct sgd_options {
  double learning_rate = 0.01;
  double momentum = 0.9;
  bool nesterov = false;
  double weight_decay = 0;
};

/// Stochastic gradient descent with PyTorch's recurrences, for every parameter p with a gradient:
///   g = gradient + weight_decay * p;  m = momentum * m + g (m = g at first);  p -= rate * multiplier * d,
/// with d = g + momentum * m (Nesterov), m (momentum) or g (momentum 0).
template <class Scalar>
class sgd {
public:
  double learning_rate;

  sgd(std::vector<parameter_group<Scalar>> groups, const sgd_options& options)
      : learning_rate(options.learning_rate), groups_(std::move(groups)), options_(options) {
    for (const auto& group : groups_)
      for (const auto& p : group.parameters) momenta_.push_back(ad::tensor<Scalar>::zeros(p.rows(), p.cols()));
  }

  /// Forgets the gradients, so that the next backward() starts anew.
  void clear_gradients() { nn::clear_gradients(groups_); }

  /// Updates all parameters that have a gradient, which is first summed over the ranks.
  void step() {
    sum_gradients(groups_);
    std::size_t number = 0;
    for (const auto& group : groups_)
      for (const auto& p : group.parameters) {
        const ad::tensor<Scalar>& momentum = momenta_[number++];
        if (p.has_gradient()) update(p, momentum, learning_rate * group.multiplier);
      }
  }

  const std::vector<parameter_group<Scalar>>& groups() const { return groups_; }

  /// The momenta and the learning rate.
  template <class Visitor>
  void visit_state(Visitor&& visitor) {
    visitor("learning_rate", {}, std::span<double>(&learning_rate, 1));
    for (std::size_t i = 0; i < momenta_.size(); ++i)
      visitor("momentum." + std::to_string(i), {momenta_[i].rows(), momenta_[i].cols()},
              std::span<Scalar>(momenta_[i].data(), static_cast<std::size_t>(momenta_[i].size())));
  }

private:
  void update(const ad::variable<Scalar>& p, const ad::tensor<Scalar>& momentum, double rate) const {
    const auto lambda = static_cast<Scalar>(rate), mu = static_cast<Scalar>(options_.momentum);
    const auto decay = static_cast<Scalar>(options_.weight_decay);
    const ad::tensor<Scalar>&value = p.storage(), &gradient = p.handle()->gradient;
    const bool plain = mu == Scalar(0);
    ad::parallel_blocks(momentum.size(), ad::elements_per_block, [&](index_t begin, index_t end) {
      auto v = ad::elements(value, begin, end), m = ad::elements(momentum, begin, end);
      const auto g = ad::elements(gradient, begin, end) + decay * v;
      if (plain) {
        v -= lambda * g;
      } else if (options_.nesterov) {
        m = mu * m + g;
        v -= lambda * (g + mu * m);
      } else {
        m = mu * m + g;
        v -= lambda * m;
      }
    });
  }

  std::vector<parameter_group<Scalar>> groups_;
  sgd_options options_;
  std::vector<ad::tensor<Scalar>> momenta_;
};

/// DALIB's learning-rate schedule: initial * (1 + gamma * i)^-decay at step i = 0, 1, 2, ...
struct stepwise_schedule {
  double initial = 0.01;
  double gamma = 0.001;
  double decay = 0.75;
  std::int64_t step_number = 0;

  double rate() const { return initial * std::pow(1 + gamma * static_cast<double>(step_number), -decay); }
  /// The rate of this iteration; the next call gives the next one's.
  double step() {
    const double now = rate();
    ++step_number;
    return now;
  }
  template <class Visitor>
  void visit_state(Visitor&& visitor) {
    visitor("step_number", {}, std::span<std::int64_t>(&step_number, 1));
  }
};

} // namespace dalib::nn
