#pragma once
// Training iterations and inference of the example networks, as contestants of compare.py. Its peer is peers/torch_networks.py.

#include "contestants.hpp"

#include <autodiff/dalib_graph.hpp>
#include <nn/any_backbone.hpp>
#include <nn/nn.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace dalib::benchmarks {

/// DAN's iteration: the domains are forwarded one after the other; cross-entropy plus the MK-MMD of the features behind a linear
/// bottleneck; SGD with Nesterov momentum on all parameters. Inference is the forward pass of both domains' images in evaluation mode.
///
/// In a task's shape, n_s and n_t are the images of each domain, and features is the side of the images.
template <class T>
class network_task {
public:
  network_task(const std::string& name, const task_shape& shape)
      : shape_(shape), channels_(name == "lenet" ? 1 : 3), random_(1), classifier_(backbone(name), shape.classes, {256, false, 0}, random_),
        optimiser_(classifier_.parameter_groups(0.1), {.learning_rate = 0.003, .momentum = 0.9, .nesterov = true, .weight_decay = 5e-4}) {
    std::uint64_t number = 0;
    nn::visit_parameters(classifier_, [&](const std::string&, nn::parameter<T>& p) {
      const input_rule rule{first_weight_seed + number++, std::sqrt(2.0 / static_cast<double>(p.fan_in())), 0};
      if (p.torch_shape().size() == 1) return; // batch norms and biases: see reset
      const matrix<T> values = draw<T>(1, p.size(), rule);
      p.from_torch(std::span<const T>(values.data(), static_cast<std::size_t>(p.size())));
    });
    nn::visit_parameters(classifier_, [](const std::string& part, nn::parameter<T>& p) {
      if (part.ends_with(".bias")) nn::fill_constant(p, 0);
    });
    source_ = images(shape.n_s, {1, 1, 0});
    target_ = images(shape.n_t, {2, 1, 0.25});
    for (Eigen::Index i = 0; i < shape.n_s; ++i) labels_.push_back(i % shape.classes);
    nn::set_training(classifier_, shape.gradient);
  }

  /// One iteration, or one inference. Returns the loss, or the sum of all logits.
  double run() {
    if (!shape_.gradient) {
      const ad::no_gradient off;
      return static_cast<double>(classifier_(source_).logits.value().sum()) +
             static_cast<double>(classifier_(target_).logits.value().sum());
    }
    optimiser_.clear_gradients();
    const auto source = classifier_(source_);
    const auto target = classifier_(target_);
    const auto loss = ad::add(ad::cross_entropy<T>(source.logits, labels_), mk_mmd_(source.features, target.features));
    ad::backward(loss);
    optimiser_.step();
    return static_cast<double>(loss.item());
  }

  /// The gradients of the head's weights and of the first convolution's, in PyTorch's order, as of the latest run.
  std::vector<T> gradients() {
    std::vector<T> result;
    nn::visit_parameters(classifier_, [&](const std::string& name, nn::parameter<T>& p) {
      if (name != "head.weight" && name != "backbone.conv1.weight") return;
      const std::vector<T> values = p.to_torch(p.variable().gradient());
      result.insert(result.end(), values.begin(), values.end());
    });
    return result;
  }

private:
  static constexpr std::uint64_t first_weight_seed = 100;

  nn::any_backbone<T> backbone(const std::string& name) {
    if (name == "lenet") return nn::any_backbone<T>(nn::lenet<T>(random_, 1, shape_.features));
    return nn::any_backbone<T>(nn::resnet<T>(std::stoi(name.substr(6)), random_));
  }

  ad::variable<T> images(Eigen::Index count, const input_rule& rule) const {
    const Eigen::Index side = shape_.features;
    return ad::constant(draw<T>(count * side * side, channels_, rule), {count, side, side});
  }

  task_shape shape_;
  Eigen::Index channels_;
  io::random_generator random_;
  nn::image_classifier<T, nn::any_backbone<T>> classifier_;
  nn::sgd<T> optimiser_;
  mmd<kernel::gaussian_ladder<>, estimator::unbiased> mk_mmd_;
  ad::variable<T> source_, target_;
  std::vector<std::int64_t> labels_;
};

/// Whether a measure's name is that of a network.
inline bool is_network(const std::string& name) { return name == "lenet" || name.starts_with("resnet"); }

/// A network's iteration or inference as a contestant; with gradients its outputs are those of network_task::gradients.
template <class T>
contestant make_network(const std::string& name, const task_shape& shape) {
  contestant result;
  auto task = std::make_shared<network_task<T>>(name, shape);
  result.forget = [] { ad::memory_pool::instance().trim(); };
  if (!shape.gradient) {
    result.run = [task] { return task->run(); };
    return result;
  }
  const Eigen::Index first = name == "lenet" ? 20 * 25 : 64 * 3 * 49, head = shape.classes * 256;
  auto gradients = detail::make_output<T>(result, 1, first + head);
  result.run = [task, gradients] {
    const double loss = task->run();
    const std::vector<T> values = task->gradients();
    std::copy(values.begin(), values.end(), gradients->data());
    return loss;
  };
  return result;
}

} // namespace dalib::benchmarks
