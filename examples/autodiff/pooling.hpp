#pragma once
#include <cstdint>
#include <limits>

#include <dalib/simd/vector_memory.hpp>

#include "elementwise.hpp"
#include "window.hpp"

namespace dalib::ad {
namespace detail {

/// Maxima of one window for channels [c, c + valid): the first largest value and its pixel in the image, -1 and 0 where clipped.
template <class Scalar, int Lanes>
void maximum_of_window(const Scalar* image, index_t width, index_t channels, axis_range ys, axis_range xs, bool clip, index_t c, index_t valid,
                       Scalar* result, simd_integer<Scalar>* winner) {
  using integer = simd_integer<Scalar>;
  simd_vector<Scalar, Lanes> best = simd_vector<Scalar, Lanes>{} + (clip ? Scalar(0) : -std::numeric_limits<Scalar>::infinity());
  simd_vector<integer, Lanes> from = simd_vector<integer, Lanes>{} + static_cast<integer>(clip ? -1 : ys.first * width + xs.first);
  for (index_t y = ys.first; y < ys.last; ++y)
    for (index_t x = xs.first; x < xs.last; ++x) {
      const index_t pixel = y * width + x;
      const auto value = load_vector<Lanes>(image + pixel * channels + c);
      const auto better = (value > best) | (value != value); // NaN wins, so that it is not hidden
      best = better ? value : best;
      from = better ? simd_vector<integer, Lanes>{} + static_cast<integer>(pixel) : from;
    }
  if (valid == Lanes) {
    store_vector<Lanes>(best, result + c);
    store_vector<Lanes>(from, winner + c);
  } else {
    store_first<Lanes>(best, valid, result + c);
    store_first<Lanes>(from, valid, winner + c);
  }
}

/// Max pooling of whole images by the calling thread.
template <class Scalar>
void pool_images(const Scalar* source, const geometry& shape, const geometry& pooled, const window& w, index_t channels, activation act,
                 Scalar* result, simd_integer<Scalar>* winner) {
  constexpr int wide = simd_lanes<Scalar>, narrow = fewest_lanes<Scalar>;
  const bool clip = act == activation::relu;
  for (index_t n = 0; n < pooled.images; ++n)
    for (index_t y = 0; y < pooled.height; ++y)
      for (index_t x = 0; x < pooled.width; ++x, result += channels, winner += channels) {
        const Scalar* image = source + n * shape.height * shape.width * channels;
        const axis_range ys = clipped_window(y, w, shape.height), xs = clipped_window(x, w, shape.width);
        index_t c = 0;
        for (; c + wide <= channels; c += wide)
          maximum_of_window<Scalar, wide>(image, shape.width, channels, ys, xs, clip, c, wide, result, winner);
        for (; c < channels; c += narrow)
          maximum_of_window<Scalar, narrow>(image, shape.width, channels, ys, xs, clip, c, std::min<index_t>(narrow, channels - c), result,
                                            winner);
      }
}
} // namespace detail

/// Maximum over each window; padding never wins. The gradient goes to the first maximum of the window.
///
/// With activation::relu the result is max(maximum, 0), which equals pooling after a ReLU at a quarter of its cost.
template <class Scalar>
variable<Scalar> max_pool(const variable<Scalar>& x, const window& w, activation act = activation::none) {
  const geometry source = x.shape(), shape = window_result("max_pool", source, w);
  const index_t channels = x.cols(), pixels = source.height * source.width, pooled = shape.height * shape.width;
  tensor<Scalar> result(shape.rows(), channels);
  tensor<simd_integer<Scalar>> winner(shape.rows(), channels);
  parallel_blocks(source.images, rows_per_block(pixels * channels), [&](index_t first, index_t last) {
    detail::pool_images(x.storage().data() + first * pixels * channels, {last - first, source.height, source.width},
                        {last - first, shape.height, shape.width}, w, channels, act, result.data() + first * pooled * channels,
                        winner.data() + first * pooled * channels);
  });
  return make_result(std::move(result), shape, {x}, [=](const tensor<Scalar>& upstream, const auto& inputs) {
    tensor<Scalar> gradient(source.rows(), channels);
    parallel_blocks(source.images, rows_per_block(pixels * channels), [&](index_t first, index_t last) { // windows may overlap, images do not
      std::fill(gradient.data() + first * pixels * channels, gradient.data() + last * pixels * channels, Scalar(0));
      for (index_t p = first * pooled; p < last * pooled; ++p) {
        Scalar* const image = gradient.data() + p / pooled * pixels * channels;
        for (index_t c = 0; c < channels; ++c)
          if (const index_t from = winner.data()[p * channels + c]; from >= 0)
            image[from * channels + c] += upstream.data()[p * channels + c];
      }
    });
    inputs[0].add_gradient(std::move(gradient));
  });
}

/// Mean over each window; like PyTorch's default, padding counts as zeros: the divisor is kernel^2.
template <class Scalar>
variable<Scalar> average_pool(const variable<Scalar>& x, const window& w) {
  const geometry source = x.shape(), shape = window_result("average_pool", source, w);
  const index_t channels = x.cols();
  const Scalar factor = Scalar(1) / static_cast<Scalar>(w.kernel * w.kernel);
  tensor<Scalar> result(shape.rows(), channels);
  const auto in = x.value();
  parallel_for(shape.images * shape.height, [&](index_t row) {
    const index_t image = row / shape.height;
    const auto ys = detail::clipped_window(row % shape.height, w, source.height);
    for (index_t column = 0; column < shape.width; ++column) {
      auto out = result.view().row(row * shape.width + column);
      out.setZero();
      const auto xs = detail::clipped_window(column, w, source.width);
      for (index_t y = ys.first; y < ys.last; ++y)
        for (index_t i = xs.first; i < xs.last; ++i) out += in.row((image * source.height + y) * source.width + i);
      out *= factor;
    }
  });
  return make_result(std::move(result), shape, {x}, [=](const tensor<Scalar>& upstream, const auto& inputs) {
    const auto gradient = tensor<Scalar>::zeros(source.rows(), channels);
    const index_t pixels = source.height * source.width;
    parallel_for(source.images, [&](index_t image) {
      auto out = gradient.view().middleRows(image * pixels, pixels);
      for (index_t y = 0; y < shape.height; ++y)
        for (index_t column = 0; column < shape.width; ++column) {
          const auto g = upstream.view().row((image * shape.height + y) * shape.width + column);
          const auto ys = detail::clipped_window(y, w, source.height), xs = detail::clipped_window(column, w, source.width);
          for (index_t i = ys.first; i < ys.last; ++i)
            for (index_t j = xs.first; j < xs.last; ++j) out.row(i * source.width + j) += factor * g;
        }
    });
    inputs[0].add_gradient(gradient);
  });
}

/// Mean over all pixels of each image: images x channels features.
template <class Scalar>
variable<Scalar> global_average_pool(const variable<Scalar>& x) {
  const geometry source = x.shape();
  const index_t pixels = source.height * source.width;
  const Scalar factor = Scalar(1) / static_cast<Scalar>(pixels);
  tensor<Scalar> result(source.images, x.cols());
  const auto in = x.value();
  parallel_for(source.images, [&](index_t image) {
    auto out = result.view().row(image);
    out.setZero();
    for (index_t p = 0; p < pixels; ++p) out += in.row(image * pixels + p);
    out *= factor;
  });
  return make_result(std::move(result), {source.images, 1, 1}, {x}, [=](const tensor<Scalar>& upstream, const auto& inputs) {
    tensor<Scalar> gradient(source.rows(), upstream.cols());
    parallel_for(source.images,
                 [&](index_t image) { gradient.view().middleRows(image * pixels, pixels).rowwise() = factor * upstream.view().row(image); });
    inputs[0].add_gradient(std::move(gradient));
  });
}

} // namespace dalib::ad
