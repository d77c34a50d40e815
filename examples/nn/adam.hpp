#pragma once
#include <cmath>
#include <cstdint>

#include "../autodiff/elementwise.hpp"
#include "module.hpp"
#include "sum_gradients.hpp"

namespace dalib::nn {

struct adam_options {
  double learning_rate = 1e-3;
  double beta1 = 0.9, beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;
  bool decoupled =
      false; ///< AdamW (Loshchilov & Hutter 2019): p *= 1 - rate * weight_decay first; Adam adds weight_decay * p to the gradient
  bool amsgrad = false; ///< divides by the largest second moment so far (Reddi et al. 2018)
};

/// Adam (Kingma & Ba 2015, algorithm 1) with PyTorch's recurrences, for every parameter p with a gradient g at its step t = 1, 2, ...:
///   m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;
///   p -= rate * multiplier / (1 - beta1^t) * m / (sqrt(v / (1 - beta2^t)) + epsilon).
/// Called as sgd is, so that a trainer may take either.
template <class Scalar>
class adam {
public:
  double learning_rate;

  adam(std::vector<parameter_group<Scalar>> groups, const adam_options& options)
      : learning_rate(options.learning_rate), groups_(std::move(groups)), options_(options) {
    for (const auto& group : groups_)
      for (const auto& p : group.parameters) {
        const auto zeros = [&] { return ad::tensor<Scalar>::zeros(p.rows(), p.cols()); };
        moments_.push_back({zeros(), zeros(), options.amsgrad ? zeros() : ad::tensor<Scalar>(), 0});
      }
  }

  /// Forgets the gradients, so that the next backward() starts anew.
  void clear_gradients() { nn::clear_gradients(groups_); }

  /// Updates all parameters that have a gradient, which is first summed over the ranks.
  void step() {
    sum_gradients(groups_);
    std::size_t number = 0;
    for (const auto& group : groups_)
      for (const auto& p : group.parameters) {
        moments& own = moments_[number++];
        if (p.has_gradient()) update(p, own, learning_rate * group.multiplier);
      }
  }

  const std::vector<parameter_group<Scalar>>& groups() const { return groups_; }

  /// The moments, the numbers of steps and the learning rate.
  template <class Visitor>
  void visit_state(Visitor&& visitor) {
    visitor("learning_rate", {}, std::span<double>(&learning_rate, 1));
    for (std::size_t i = 0; i < moments_.size(); ++i) {
      moments& own = moments_[i];
      const auto show = [&](const char* name, ad::tensor<Scalar>& values) {
        if (!values.empty())
          visitor(name + std::to_string(i), {values.rows(), values.cols()},
                  std::span<Scalar>(values.data(), static_cast<std::size_t>(values.size())));
      };
      show("first_moment.", own.first);
      show("second_moment.", own.second);
      show("largest_moment.", own.largest);
      visitor("step." + std::to_string(i), {}, std::span<std::int64_t>(&own.steps, 1));
    }
  }

private:
  struct moments {
    ad::tensor<Scalar> first, second, largest; ///< the last with amsgrad only
    std::int64_t steps;
  };

  void update(const ad::variable<Scalar>& p, moments& own, double rate) const {
    ++own.steps;
    const auto steps = static_cast<double>(own.steps);
    const auto corrected = static_cast<Scalar>(rate / (1 - std::pow(options_.beta1, steps)));
    const auto scale = static_cast<Scalar>(1 / std::sqrt(1 - std::pow(options_.beta2, steps)));
    const auto beta1 = static_cast<Scalar>(options_.beta1), beta2 = static_cast<Scalar>(options_.beta2);
    const auto rest1 = static_cast<Scalar>(1 - options_.beta1), rest2 = static_cast<Scalar>(1 - options_.beta2);
    const auto added = static_cast<Scalar>(options_.decoupled ? 0 : options_.weight_decay);
    const auto kept = static_cast<Scalar>(options_.decoupled ? 1 - rate * options_.weight_decay : 1);
    const auto epsilon = static_cast<Scalar>(options_.epsilon);
    const ad::tensor<Scalar>&value = p.storage(), &gradient = p.handle()->gradient;
    ad::parallel_blocks(value.size(), ad::elements_per_block, [&](index_t begin, index_t end) {
      auto v = ad::elements(value, begin, end), first = ad::elements(own.first, begin, end), second = ad::elements(own.second, begin, end);
      v *= kept;
      const auto g = ad::elements(gradient, begin, end) + added * v;
      first = beta1 * first + rest1 * g;
      second = beta2 * second + rest2 * g.square();
      if (!options_.amsgrad) {
        v -= corrected * first / (scale * second.sqrt() + epsilon);
        return;
      }
      auto largest = ad::elements(own.largest, begin, end);
      largest = largest.max(second);
      v -= corrected * first / (scale * largest.sqrt() + epsilon);
    });
  }

  std::vector<parameter_group<Scalar>> groups_;
  adam_options options_;
  std::vector<moments> moments_;
};

} // namespace dalib::nn
