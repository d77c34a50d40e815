#pragma once
#include <stdexcept>

#include "layers.hpp"

namespace dalib::nn {

/// One residual block: `bottleneck` 1x1 - 3x3 (stride here) - 1x1 with four times the width, otherwise 3x3 (stride here) - 3x3.
template <class Scalar>
struct residual_block {
  bool bottleneck;
  conv2d<Scalar> conv1, conv2, conv3;
  batch_norm<Scalar> bn1, bn2, bn3;
  bool projects = false; ///< the shortcut has a 1x1 convolution and a batch norm of its own
  conv2d<Scalar> project;
  batch_norm<Scalar> project_bn;

  residual_block(index_t in, index_t width, index_t stride, bool with_bottleneck, io::random_generator& random) : bottleneck(with_bottleneck) {
    const index_t out = bottleneck ? 4 * width : width;
    const ad::window plain{1, 1, 0}, same{3, 1, 1}, strided{3, stride, 1};
    conv1 = conv2d<Scalar>(in, width, bottleneck ? plain : strided, random, false);
    bn1 = batch_norm<Scalar>(width);
    conv2 = conv2d<Scalar>(width, width, bottleneck ? strided : same, random, false);
    bn2 = batch_norm<Scalar>(width);
    if (bottleneck) {
      conv3 = conv2d<Scalar>(width, out, plain, random, false);
      bn3 = batch_norm<Scalar>(out);
    }
    projects = stride != 1 || in != out;
    if (projects) {
      project = conv2d<Scalar>(in, out, {1, stride, 0}, random, false);
      project_bn = batch_norm<Scalar>(out);
    }
  }

  variable<Scalar> operator()(const variable<Scalar>& x) {
    const auto shortcut = projects ? project_bn(project(x)) : x;
    const auto result = add_residual(x, shortcut);
    if (projects) shortcut.discard_value(); // the sum has it, and no gradient needs it
    return result;
  }

  template <class Visitor>
  void parts(Visitor&& f) {
    f("conv1", conv1);
    f("bn1", bn1);
    f("conv2", conv2);
    f("bn2", bn2);
    if (bottleneck) {
      f("conv3", conv3);
      f("bn3", bn3);
    }
    if (projects) {
      f("downsample.0", project);
      f("downsample.1", project_bn);
    }
  }

private:
  variable<Scalar> add_residual(const variable<Scalar>& x, const variable<Scalar>& shortcut) {
    const auto first = bn1(conv1(x), activation::relu);
    if (!bottleneck) return bn2(conv2(first), activation::relu, shortcut);
    return bn3(conv3(bn2(conv2(first), activation::relu)), activation::relu, shortcut);
  }
};

/// ResNet-18, 34, 50 and 101 without the final classifier: images (NHWC, 3 channels) to 512 or 2048 features.
///
/// Structure and parameter names are torchvision's (stride on the 3x3 convolutions), so its weights fit. Convolutions start with
/// Kaiming's normal distribution (fan out), batch norms with 1 and 0.
template <class Scalar>
struct resnet {
  conv2d<Scalar> conv1;
  batch_norm<Scalar> bn1;
  std::vector<std::vector<residual_block<Scalar>>> layers;
  index_t out_features = 0;

  /// @throws std::invalid_argument for another depth than 18, 34, 50, 101
  resnet(int depth, io::random_generator& random) : conv1(3, 64, {7, 2, 3}, random, false), bn1(64) {
    const bool bottleneck = depth >= 50;
    index_t channels = 64, width = 64;
    for (const index_t blocks : blocks_of(depth)) {
      auto& layer = layers.emplace_back();
      for (index_t i = 0; i < blocks; ++i) {
        layer.emplace_back(channels, width, i == 0 && width > 64 ? 2 : 1, bottleneck, random);
        channels = bottleneck ? 4 * width : width;
      }
      width *= 2;
    }
    out_features = channels;
    visit_parameters(*this, [&](const std::string&, parameter<Scalar>& p) {
      if (p.torch_shape().size() != 4) return;
      const auto fan_out = static_cast<double>(p.size() / p.torch_shape()[1]);
      fill_normal(p, std::sqrt(2 / fan_out), random);
    });
  }

  variable<Scalar> operator()(const variable<Scalar>& x) {
    auto y = ad::max_pool(bn1(conv1(x), activation::relu), {3, 2, 1});
    for (auto& layer : layers)
      for (auto& block : layer) y = block(y);
    return ad::global_average_pool(y);
  }

  /// Frozen batch norms use their running statistics in training mode too and leave them alone.
  void freeze_batch_norm(bool on = true) {
    bn1.frozen = on;
    for (auto& layer : layers)
      for (auto& block : layer)
        for (auto* norm : {&block.bn1, &block.bn2, &block.bn3, &block.project_bn}) norm->frozen = on;
  }

  template <class Visitor>
  void parts(Visitor&& f) {
    f("conv1", conv1);
    f("bn1", bn1);
    for (std::size_t l = 0; l < layers.size(); ++l)
      for (std::size_t b = 0; b < layers[l].size(); ++b) f("layer" + std::to_string(l + 1) + "." + std::to_string(b), layers[l][b]);
  }

private:
  static std::vector<index_t> blocks_of(int depth) {
    switch (depth) {
    case 18:
      return {2, 2, 2, 2};
    case 34:
    case 50:
      return {3, 4, 6, 3};
    case 101:
      return {3, 4, 23, 3};
    default:
      throw std::invalid_argument("resnet: depth must be 18, 34, 50 or 101, got " + std::to_string(depth));
    }
  }
};

} // namespace dalib::nn
