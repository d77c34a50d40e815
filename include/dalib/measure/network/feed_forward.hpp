/// @file
/// A feed-forward network of the caller's parameters, for losses that need more of it than its outputs: derivatives with respect to its
/// inputs, and derivatives of those.
#pragma once

#include "dalib/measure/two_sample_measure.hpp"

#include <cmath>
#include <span>
#include <string>

namespace dalib {

/// What follows every layer of a feed_forward but the last.
enum class hidden_activation {
  relu,
  leaky_relu, ///< slope 0.2 below 0
  elu,        ///< e^x - 1 below 0
  tanh
};

/// A fully connected layer, x weight' + bias: weight (out, in) in any layout, `out` biases one after another. Of `const T` parameters, of T
/// their gradients.
///
/// @code{.cpp}
/// const Eigen::MatrixXd weight = Eigen::MatrixXd::Random(2, 3); // as PyTorch has it; of (in, out) the transposed view
/// const Eigen::VectorXd bias = Eigen::VectorXd::Zero(2);
/// Eigen::MatrixXd slope(2, 3);
/// Eigen::VectorXd bias_slope(2);
/// const std::vector<dense_layer<const double>> layers = {{const_view_of(weight), bias.data()}};
/// const std::vector<dense_layer<double>> slopes = {{view_of(slope), bias_slope.data()}};
/// const feed_forward<double> network{layers, hidden_activation::tanh};
/// const network_gradients<double> out{slopes};
/// assert(network.inputs() == 3 && network.outputs() == 2 && out.mode == write_mode::overwrite);
/// @endcode
template <class T>
struct dense_layer {
  matrix_view<T> weight;
  T* bias;
};

/// Layers with an activation between; refers to the caller's parameters. gradient_penalty and virtual_adversarial have examples.
template <class T>
struct feed_forward {
  std::span<const dense_layer<const T>> layers;
  hidden_activation activation = hidden_activation::relu;

  index_t inputs() const { return layers.front().weight.cols; }
  index_t outputs() const { return layers.back().weight.rows; }
};

/// Where the gradients of a network's parameters go: none if there are no layers.
template <class T>
struct network_gradients {
  std::span<const dense_layer<T>> layers = {};
  T scale = T(1);
  write_mode mode = write_mode::overwrite;
};

namespace detail {

/// Throws unless rows of `features` numbers fit through the layers, and the gradients' layers are like the parameters'.
template <class T>
void require_network(const char* measure, const feed_forward<T>& network, index_t features, const network_gradients<T>& out) {
  if (network.layers.empty()) fail(measure, "the network must have a layer");
  index_t width = features;
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    const auto& weight = network.layers[l].weight;
    if (weight.cols != width || weight.rows < 1)
      fail(measure, "layer " + std::to_string(l) + " must take " + std::to_string(width) + " numbers (got " + shape_of(weight) + ")");
    width = weight.rows;
  }
  if (out.layers.empty()) return;
  if (out.layers.size() != network.layers.size()) fail(measure, "there must be a gradient for each layer");
  for (std::size_t l = 0; l < out.layers.size(); ++l) require_gradient_shape(measure, network.layers[l].weight, out.layers[l].weight);
}

template <class T>
void clear_view(const matrix_view<T>& to) {
  for (index_t i = 0; i < to.rows; ++i)
    for (index_t j = 0; j < to.cols; ++j) to(i, j) = T(0);
}

/// Zeros where gradients are to be overwritten; everything is added from then on.
template <class T>
void clear_parameters(const network_gradients<T>& out) {
  if (out.mode == write_mode::accumulate) return;
  for (const dense_layer<T>& layer : out.layers) {
    clear_view(layer.weight);
    std::fill_n(layer.bias, layer.weight.rows, T(0));
  }
}

/// Rows on their way through a network, and derivatives on their way back. Everything is drawn from the scratch.
template <class Exec, class T>
class network_pass {
public:
  using view = matrix_view<T>;
  using const_view = matrix_view<const T>;

  network_pass(const Exec& exec, const feed_forward<T>& network, const const_view& rows, workspace& scratch)
      : exec_(exec), network_(network), rows_(rows), scratch_(scratch), values_(views()) {
    for (index_t l = 0; l < layers(); ++l) {
      values_[l] = product(input_of(l), layer(l).weight.transposed());
      for (index_t i = 0; i < rows_.rows; ++i)
        for (index_t j = 0; j < values_[l].cols; ++j) {
          const T z = values_[l](i, j) + layer(l).bias[j];
          values_[l](i, j) = l + 1 < layers() ? activated(z) : z;
        }
    }
  }

  index_t layers() const { return static_cast<index_t>(network_.layers.size()); }
  const dense_layer<const T>& layer(index_t l) const { return network_.layers[static_cast<std::size_t>(l)]; }
  const view& outputs() const { return values_[layers() - 1]; }
  /// What layer l reads.
  const_view input_of(index_t l) const { return l == 0 ? rows_ : const_view(values_[l - 1]); }

  /// Adds `factor` times the parameters' gradients for the outputs' gradient `slope`, which is destroyed; returns the rows' gradient.
  view pull(const view& slope, const network_gradients<T>& out, T factor) const {
    view at = slope;
    for (index_t l = layers() - 1;; --l) {
      add_layer(l, at, input_of(l), factor, out);
      const view below = product(at, layer(l).weight);
      if (l == 0) return below;
      times_slopes(l - 1, below);
      at = below;
    }
  }
  /// Adds what an outer gradient of layer l's sums does to its parameters.
  void add_layer(index_t l, const view& slope, const const_view& inputs, T factor, const network_gradients<T>& out) const {
    if (out.layers.empty()) return;
    add_weight(l, slope, inputs, factor, out);
    T* const bias = out.layers[static_cast<std::size_t>(l)].bias;
    for (index_t j = 0; j < slope.cols; ++j) {
      double sum = 0;
      for (index_t i = 0; i < slope.rows; ++i) sum += static_cast<double>(slope(i, j));
      bias[j] += factor * static_cast<T>(sum);
    }
  }
  void add_weight(index_t l, const view& slope, const const_view& inputs, T factor, const network_gradients<T>& out) const {
    if (out.layers.empty()) return;
    engine::product<Exec, T, host_memory>(exec_, slope.transposed(), inputs, out.layers[static_cast<std::size_t>(l)].weight, {factor, T(1)},
                                          scratch_);
  }
  /// to *= the activation's slopes behind layer l.
  void times_slopes(index_t l, const view& to) const {
    for (index_t i = 0; i < to.rows; ++i)
      for (index_t j = 0; j < to.cols; ++j) to(i, j) *= slope_at(values_[l](i, j));
  }
  T slope_at(T value) const {
    switch (network_.activation) {
    case hidden_activation::relu:
      return value > T(0) ? T(1) : T(0);
    case hidden_activation::leaky_relu:
      return value > T(0) ? T(1) : T(0.2);
    case hidden_activation::elu:
      return value > T(0) ? T(1) : value + T(1);
    default:
      return (T(1) - value) * (T(1) + value);
    }
  }
  /// The activation's second derivative, from its value.
  T curvature_at(T value) const {
    switch (network_.activation) {
    case hidden_activation::elu:
      return value > T(0) ? T(0) : value + T(1);
    case hidden_activation::tanh:
      return T(-2) * value * slope_at(value);
    default:
      return T(0);
    }
  }
  bool is_piecewise_linear() const {
    return network_.activation == hidden_activation::relu || network_.activation == hidden_activation::leaky_relu;
  }
  T value_behind(index_t l, index_t i, index_t j) const { return values_[l](i, j); }

  view product(const const_view& a, const const_view& b) const {
    const view to = scratch_matrix<T>(scratch_, a.rows, b.cols);
    engine::product<Exec, T, host_memory>(exec_, a, b, to, {}, scratch_);
    return to;
  }
  /// One view for each layer.
  view* views() const { return scratch_.template allocate<view>(layers()); }

private:
  T activated(T z) const {
    switch (network_.activation) {
    case hidden_activation::relu:
      return z > T(0) ? z : T(0);
    case hidden_activation::leaky_relu:
      return z > T(0) ? z : T(0.2) * z;
    case hidden_activation::elu:
      return z > T(0) ? z : std::expm1(z);
    default:
      return std::tanh(z);
    }
  }

  const Exec& exec_;
  feed_forward<T> network_;
  const_view rows_;
  workspace& scratch_;
  view* values_; ///< behind the activation
};

} // namespace detail

} // namespace dalib
