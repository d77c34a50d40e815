#pragma once
#include "columns.hpp"
#include "elementwise.hpp"
#include "gather_product.hpp"
#include "weight_gradient.hpp"

namespace dalib::ad {
namespace detail {

template <class Scalar>
void check_weights(const char* function, const variable<Scalar>& x, const variable<Scalar>& weight, const variable<Scalar>& bias,
                   index_t taps) {
  if (weight.rows() != taps * x.cols())
    throw std::invalid_argument(std::string(function) + ": weight has " + std::to_string(weight.rows()) + " rows for " +
                                std::to_string(taps) + " taps of " + std::to_string(x.cols()) + " channels");
  if (bias.valid() && (bias.rows() != 1 || bias.cols() != weight.cols()))
    throw std::invalid_argument(std::string(function) + ": bias must be 1 x " + std::to_string(weight.cols()) + ", got " +
                                std::to_string(bias.rows()) + " x " + std::to_string(bias.cols()));
}

/// The forward product of a convolution; result and result_stride are left to the caller.
template <class Scalar>
gather_product<Scalar> forward_product(const variable<Scalar>& x, const packed_matrix<Scalar>& packed, const window& taps,
                                       const geometry& shape, const geometry& result_shape, const variable<Scalar>& bias, activation act) {
  gather_product<Scalar> product;
  product.source = x.storage().data();
  product.source_shape = shape;
  product.channels = x.cols();
  product.rows = window_axis::forward(shape.height, result_shape.height, taps);
  product.columns = window_axis::forward(shape.width, result_shape.width, taps);
  product.kernel_width = taps.kernel;
  product.weights = &packed;
  product.result_shape = result_shape;
  product.result_stride = packed.cols();
  product.bias = bias.valid() ? bias.storage().data() : nullptr;
  product.relu = act == activation::relu;
  return product;
}

/// Convolution from `shape` to `result_shape`, both in images of the given sizes; a linear layer is the case of 1 x 1 images.
template <class Scalar>
variable<Scalar> convolve(const variable<Scalar>& x, const variable<Scalar>& weight, const variable<Scalar>& bias, const window& taps,
                          const geometry& shape, const geometry& result_shape, const geometry& label, activation act) {
  tensor<Scalar> result(result_shape.rows(), weight.cols());
  {
    const packed_matrix<Scalar> packed = pack(weight.value());
    gather_product<Scalar> product = forward_product(x, packed, taps, shape, result_shape, bias, act);
    product.result = result.data();
    product.run();
  }
  std::vector<variable<Scalar>> inputs{x, weight};
  if (bias.valid()) inputs.push_back(bias);
  const tensor<Scalar> kept = act == activation::relu ? result : tensor<Scalar>();
  return make_result(std::move(result), label, std::move(inputs),
                     [=, source = x.storage(), weights = weight.storage()](tensor<Scalar> upstream, const auto& below) {
                       if (!kept.empty()) upstream = before_relu(std::move(upstream), kept);
                       if (below.size() > 2 && below[2].requires_gradient()) below[2].add_gradient(column_sums(upstream));
                       below[1].add_gradient([&](map<Scalar> target, write mode) {
                         weight_gradient<Scalar> product;
                         product.source = source.data();
                         product.source_shape = shape;
                         product.channels = source.cols();
                         product.taps = taps;
                         product.upstream = upstream.data();
                         product.result_shape = result_shape;
                         product.results = upstream.cols();
                         product.run(target, mode);
                       });
                       if (!below[0].requires_gradient()) return;
                       tensor<Scalar> gradient(source.rows(), source.cols());
                       const packed_matrix<Scalar> packed =
                           pack_reversed(const_map<Scalar>(weights.data(), weights.rows(), weights.cols()), taps.kernel * taps.kernel);
                       gather_product<Scalar> product;
                       product.source = upstream.data();
                       product.source_shape = result_shape;
                       product.channels = upstream.cols();
                       product.rows = window_axis::backward(result_shape.height, shape.height, taps);
                       product.columns = window_axis::backward(result_shape.width, shape.width, taps);
                       product.kernel_width = taps.kernel;
                       product.weights = &packed;
                       product.result = gradient.data();
                       product.result_shape = shape;
                       product.result_stride = gradient.cols();
                       product.run();
                       below[0].add_gradient(std::move(gradient));
                     });
}
} // namespace detail

/// Two-dimensional convolution (cross-correlation, as everywhere in this field) of NHWC images, + bias, then the activation.
///
/// @param weight (kernel * kernel * in) x out, row (ky * kernel + kx) * in + channel
/// @param bias   1 x out, or an empty variable for none
/// @throws std::invalid_argument if the sizes do not fit
template <class Scalar>
variable<Scalar> conv2d(const variable<Scalar>& x, const variable<Scalar>& weight, const variable<Scalar>& bias, const window& taps,
                        activation act = activation::none) {
  const geometry result = window_result("conv2d", x.shape(), taps);
  detail::check_weights("conv2d", x, weight, bias, taps.kernel * taps.kernel);
  return detail::convolve(x, weight, bias, taps, x.shape(), result, result, act);
}

/// x * weight + bias, then the activation; works on the channels of images too.
///
/// @param weight in x out
/// @param bias   1 x out, or an empty variable for none
template <class Scalar>
variable<Scalar> linear(const variable<Scalar>& x, const variable<Scalar>& weight, const variable<Scalar>& bias,
                        activation act = activation::none) {
  detail::check_weights("linear", x, weight, bias, 1);
  const geometry rows{x.rows(), 1, 1};
  return detail::convolve(x, weight, bias, window{}, rows, rows, x.shape(), act);
}

} // namespace dalib::ad
