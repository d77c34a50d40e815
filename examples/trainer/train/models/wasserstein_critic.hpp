#pragma once

#include "../../../nn/nn.hpp"

#include <dalib/measure/network/gradient_penalty.hpp>

#include <span>
#include <vector>

namespace dalib::train {

using ad::index_t;
using ad::variable;

/// The critic of WDGRL: linear, ReLU, linear to one number.
template <class T>
struct wasserstein_critic {
  nn::linear<T> fc1, fc2;

  wasserstein_critic(index_t features, index_t hidden, io::random_generator& random)
      : fc1(features, hidden, random), fc2(hidden, 1, random) {}

  variable<T> operator()(const variable<T>& x) {
    return ad::on_ranks(x, [this](const auto& own) { return fc2(fc1(own, nn::activation::relu)); });
  }

  template <class Visitor>
  void parts(Visitor&& f) {
    f("fc1", fc1);
    f("fc2", fc2);
  }

  /// One step of plain gradient descent down `loss` on constant features of both domains, the penalty's points by `alpha` (n, 1). The
  /// gradient is the library's, of whole batches, so that all ranks take the same step: the tape differentiates once only, the penalty is a
  /// derivative already. Returns the loss before the step.
  T descend(const critic_loss& loss, const variable<T>& source, const variable<T>& target, std::span<const T> alpha, double rate) {
    std::vector<dense_layer<const T>> layers;
    std::vector<dense_layer<T>> slopes;
    std::vector<std::vector<T>> numbers;
    numbers.reserve(4); // slopes point into it
    const auto room = [&](const variable<T>& p) { return numbers.emplace_back(static_cast<std::size_t>(p.rows() * p.cols())).data(); };
    for (nn::linear<T>* const layer : {&fc1, &fc2}) { // the tape's weights are (in, out)
      const variable<T>&w = layer->weight.variable(), &b = layer->bias.variable();
      layers.push_back({matrix_view<const T>(w.storage().data(), w.rows(), w.cols()).transposed(), b.storage().data()});
      slopes.push_back({matrix_view<T>(room(w), w.rows(), w.cols()).transposed(), room(b)});
    }
    const auto view = [](const variable<T>& f) { return matrix_view<const T>(f.storage().data(), f.rows(), f.cols()); };
    const critic_batch<T> batch(view(source), view(target), matrix_view<const T>(alpha.data(), source.rows(), 1));
    workspace scratch;
    const T value = loss.value_and_gradient(exec::default_policy{}, feed_forward<T>{layers}, batch, {.parameters = {slopes}}, scratch);
    auto gradient = numbers.begin();
    for (nn::linear<T>* const layer : {&fc1, &fc2})
      for (const variable<T>& p : {layer->weight.variable(), layer->bias.variable()}) {
        const Eigen::Map<const Eigen::ArrayX<T>> slope(gradient->data(), static_cast<Eigen::Index>(gradient->size()));
        ++gradient;
        Eigen::Map<Eigen::ArrayX<T>>(p.mutable_value().data(), slope.size()) -= static_cast<T>(rate) * slope;
      }
    return value;
  }
};

} // namespace dalib::train
