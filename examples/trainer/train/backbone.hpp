#pragma once
// The network that a classifier starts with, by name.

#include "../../nn/any_backbone.hpp"
#include "../../nn/weights.hpp"

#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>

namespace dalib::train {

/// Which backbone, and what it starts from.
struct backbone_choice {
  std::string arch = "lenet";                   ///< lenet, resnet18, resnet34, resnet50, resnet101; mlp; linear, features: none
  std::optional<std::filesystem::path> weights; ///< safetensors file with torchvision's names; without one random weights
  bool frozen_batch_norm = false;               ///< batch norms keep the running statistics of the weights
};

/// Depth of "resnet50" and its like; 0 for other names.
inline int resnet_depth(const std::string& arch) {
  for (const int depth : {18, 34, 50, 101})
    if (arch == "resnet" + std::to_string(depth)) return depth;
  return 0;
}

/// A ResNet with the weights of the choice.
/// Throws std::invalid_argument for another architecture, std::runtime_error for weights that do not fit.
template <class Scalar>
nn::resnet<Scalar> make_resnet(const backbone_choice& choice, io::random_generator& random) {
  if (resnet_depth(choice.arch) == 0)
    throw std::invalid_argument("unknown architecture '" + choice.arch +
                                "'; known are lenet, resnet18, resnet34, resnet50, resnet101, mlp, linear");
  nn::resnet<Scalar> network(resnet_depth(choice.arch), random);
  if (choice.weights) nn::load_weights(network, *choice.weights);
  network.freeze_batch_norm(choice.frozen_batch_norm);
  return network;
}

/// Units of the layers of `mlp` and `dense`.
inline constexpr ad::index_t dense_width = 256;

/// The backbone for images of `side` x `side` pixels, or for vectors of `channels` features. `dense` is what a method that trains nothing
/// but its backbone gets in place of `linear`: the layer that is the other methods' bottleneck.
template <class Scalar>
nn::any_backbone<Scalar> make_backbone(const backbone_choice& choice, ad::index_t channels, ad::index_t side,
                                       io::random_generator& random) {
  if (choice.arch == "features" || choice.arch == "linear") return nn::any_backbone<Scalar>(nn::no_backbone<Scalar>(channels));
  if (choice.arch == "mlp") return nn::any_backbone<Scalar>(nn::mlp<Scalar>(channels, dense_width, dense_width, random));
  if (choice.arch == "dense") return nn::any_backbone<Scalar>(nn::dense<Scalar>(channels, dense_width, random));
  if (choice.arch == "lenet") return nn::any_backbone<Scalar>(nn::lenet<Scalar>(random, channels, side));
  return nn::any_backbone<Scalar>(make_resnet<Scalar>(choice, random));
}

} // namespace dalib::train
