#pragma once
#include "layers.hpp"

namespace dalib::nn {

/// Two fully connected ReLU layers, fc1 and fc2.
template <class Scalar>
struct mlp {
  linear<Scalar> fc1, fc2;
  index_t out_features = 0;

  mlp(index_t in, index_t hidden, index_t out, io::random_generator& random)
      : fc1(in, hidden, random), fc2(hidden, out, random), out_features(out) {}

  variable<Scalar> operator()(const variable<Scalar>& x) { return fc2(fc1(x, activation::relu), activation::relu); }
  template <class Visitor>
  void parts(Visitor&& f) {
    f("fc1", fc1);
    f("fc2", fc2);
  }
};

/// One fully connected ReLU layer, fc1.
template <class Scalar>
struct dense {
  linear<Scalar> fc1;
  index_t out_features = 0;

  dense(index_t in, index_t out, io::random_generator& random) : fc1(in, out, random), out_features(out) {}

  variable<Scalar> operator()(const variable<Scalar>& x) { return fc1(x, activation::relu); }
  template <class Visitor>
  void parts(Visitor&& f) {
    f("fc1", fc1);
  }
};

/// The digits network: conv 5x5 (-> 20), max-pool 2, ReLU, conv 5x5 (-> 50), max-pool 2, ReLU, flatten; 28 x 28 images give 800 features.
template <class Scalar>
struct lenet {
  conv2d<Scalar> conv1, conv2;
  index_t out_features = 0;

  explicit lenet(io::random_generator& random, index_t channels = 1, index_t side = 28)
      : conv1(channels, 20, {5, 1, 0}, random), conv2(20, 50, {5, 1, 0}, random) {
    const index_t rest = ((side - 4) / 2 - 4) / 2;
    out_features = 50 * rest * rest;
  }

  variable<Scalar> operator()(const variable<Scalar>& x) {
    const ad::window halve{2, 2, 0};
    return ad::flatten(conv2.pooled(conv1.pooled(x, halve, activation::relu), halve, activation::relu));
  }
  template <class Visitor>
  void parts(Visitor&& f) {
    f("conv1", conv1);
    f("conv2", conv2);
  }
};

/// A smaller one with batch norm: conv 3x3 padded, BN, ReLU, max-pool 2, conv 3x3, ReLU, max-pool 2, flatten.
template <class Scalar>
struct lenet_bn {
  conv2d<Scalar> conv1, conv2;
  batch_norm<Scalar> bn1;
  index_t out_features = 0;

  lenet_bn(index_t channels, index_t width1, index_t width2, index_t side, io::random_generator& random)
      : conv1(channels, width1, {3, 1, 1}, random), conv2(width1, width2, {3, 1, 0}, random), bn1(width1) {
    const index_t rest = (side / 2 - 2) / 2;
    out_features = width2 * rest * rest;
  }

  variable<Scalar> operator()(const variable<Scalar>& x) {
    const auto first = ad::max_pool(bn1(conv1(x)), {2, 2, 0}, activation::relu);
    return ad::flatten(conv2.pooled(first, {2, 2, 0}, activation::relu));
  }
  template <class Visitor>
  void parts(Visitor&& f) {
    f("conv1", conv1);
    f("bn1", bn1);
    f("conv2", conv2);
  }
};

} // namespace dalib::nn
