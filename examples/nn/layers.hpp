#pragma once
#include <cmath>

#include "../autodiff/autodiff.hpp"
#include "module.hpp"

namespace dalib::nn {

using ad::activation;
using ad::variable;

/// Fully connected layer, x * weight + bias. Initial weights and bias are uniform in +-1 / sqrt(in).
template <class Scalar>
struct linear {
  parameter<Scalar> weight, bias;

  linear() = default;
  linear(index_t in, index_t out, io::random_generator& random) : weight(shape{out, in}), bias(shape{out}) {
    const double bound = 1 / std::sqrt(static_cast<double>(in));
    fill_uniform(weight, bound, random);
    fill_uniform(bias, bound, random);
  }

  variable<Scalar> operator()(const variable<Scalar>& x, activation act = activation::none) {
    ad::require_share(x);
    return ad::linear<Scalar>(x, weight, bias, act);
  }
  template <class Visitor>
  void parts(Visitor&& f) {
    f("weight", weight);
    f("bias", bias);
  }
};

/// Two-dimensional convolution. Initial weights and bias are uniform in +-1 / sqrt(in * kernel^2).
template <class Scalar>
struct conv2d {
  parameter<Scalar> weight, bias;
  ad::window taps;
  bool has_bias = true;

  conv2d() = default;
  conv2d(index_t in, index_t out, ad::window w, io::random_generator& random, bool with_bias = true)
      : weight(shape{out, in, w.kernel, w.kernel}), taps(w), has_bias(with_bias) {
    const double bound = 1 / std::sqrt(static_cast<double>(weight.fan_in()));
    fill_uniform(weight, bound, random);
    if (!has_bias) return;
    bias = parameter<Scalar>(shape{out});
    fill_uniform(bias, bound, random);
  }

  variable<Scalar> operator()(const variable<Scalar>& x, activation act = activation::none) {
    ad::require_share(x);
    return ad::conv2d<Scalar>(x, weight, bias, taps, act);
  }
  /// Convolution, max pooling and activation in one.
  variable<Scalar> pooled(const variable<Scalar>& x, const ad::window& pool, activation act = activation::none) {
    ad::require_share(x);
    return ad::conv2d_max_pool<Scalar>(x, weight, bias, taps, pool, act);
  }
  template <class Visitor>
  void parts(Visitor&& f) {
    f("weight", weight);
    if (has_bias) f("bias", bias);
  }
};

/// Batch normalisation of the columns (features) or channels (images), with PyTorch's defaults.
template <class Scalar>
struct batch_norm {
  parameter<Scalar> weight, bias;
  buffer<Scalar> running_mean, running_var;
  double momentum = 0.1;
  double epsilon = 1e-5;
  bool training = true;
  bool frozen = false; ///< uses the running statistics and leaves them alone in training mode too

  batch_norm() = default;
  explicit batch_norm(index_t channels)
      : weight(shape{channels}), bias(shape{channels}), running_mean(channels, 0), running_var(channels, 1) {
    fill_constant(weight, 1);
  }

  /// Normalises x, adds `residual` if given, and applies the activation.
  variable<Scalar> operator()(const variable<Scalar>& x, activation act = activation::none, const variable<Scalar>& residual = {}) {
    const ad::batch_statistics<Scalar> running{running_mean.tensor(), running_var.tensor(), momentum, epsilon};
    return ad::batch_norm<Scalar>(x, weight, bias, running, training && !frozen, act, residual);
  }
  template <class Visitor>
  void parts(Visitor&& f) {
    f("weight", weight);
    f("bias", bias);
    f("running_mean", running_mean);
    f("running_var", running_var);
  }
};

/// Inverted dropout with a generator of its own, whose state is part of the checkpoint.
template <class Scalar>
struct dropout {
  double rate = 0.5;
  io::random_generator random;
  bool training = true;

  dropout() = default;
  dropout(double drop_rate, io::random_generator& seeds) : rate(drop_rate), random(seeds()) {}

  variable<Scalar> operator()(const variable<Scalar>& x) { return training && rate > 0 ? ad::dropout(x, rate, random()) : x; }
  template <class Visitor>
  void parts(Visitor&& f) {
    f("random", random);
  }
};

} // namespace dalib::nn
