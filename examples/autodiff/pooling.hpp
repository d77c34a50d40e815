#pragma once
#include <cstdint>
#include <limits>

#include "elementwise.hpp"
#include "window.hpp"

namespace dalib::ad {
namespace detail {

/// One pixel of a pooling result: its number and the source pixels of its window, inside the image only.
struct pooled_pixel {
  index pixel;
  index image_start; // first source pixel of the image
  index y_first, y_last, x_first, x_last;
};

/// Calls body(pooled_pixel) for all pixels of the result, image rows in parallel.
template <class Body>
void for_each_window(const geometry& source, const geometry& result, const window& w, const Body& body) {
  const index rows = result.images * result.height;
  parallel_blocks(rows, std::max<index>(1, 128 / result.width), [&](index first, index last) {
    for (index row = first; row < last; ++row) {
      const index image = row / result.height, top = row % result.height * w.stride - w.padding;
      for (index x = 0; x < result.width; ++x) {
        const index left = x * w.stride - w.padding;
        body(pooled_pixel{row * result.width + x, image * source.height * source.width, std::max<index>(0, top),
                          std::min(source.height, top + w.kernel), std::max<index>(0, left), std::min(source.width, left + w.kernel)});
      }
    }
  });
}
} // namespace detail

/// Maximum over each window; padding never wins. The gradient goes to the first maximum of the window.
///
/// With activation::relu the result is max(maximum, 0), which equals pooling after a ReLU at a quarter of its cost.
template <class Scalar>
variable<Scalar> max_pool(const variable<Scalar>& x, const window& w, activation act = activation::none) {
  const geometry source = x.shape(), shape = window_result("max_pool", source, w);
  const index channels = x.cols();
  tensor<Scalar> result(shape.rows(), channels);
  tensor<std::int32_t> winner(shape.rows(), channels); // source pixel inside the image, -1 where the ReLU cuts off
  const Scalar* in = x.storage().data();
  const bool clip = act == activation::relu;
  detail::for_each_window(source, shape, w, [&](const detail::pooled_pixel& p) {
    Scalar* best = result.data() + p.pixel * channels;
    std::int32_t* from = winner.data() + p.pixel * channels;
    std::fill(best, best + channels, clip ? Scalar(0) : -std::numeric_limits<Scalar>::infinity());
    std::fill(from, from + channels, clip ? -1 : static_cast<std::int32_t>(p.y_first * source.width + p.x_first));
    for (index y = p.y_first; y < p.y_last; ++y)
      for (index column = p.x_first; column < p.x_last; ++column) {
        const index pixel = y * source.width + column;
        const Scalar* values = in + (p.image_start + pixel) * channels;
        for (index c = 0; c < channels; ++c) {
          const bool better = values[c] > best[c] || values[c] != values[c]; // NaN wins, so that it is not hidden
          best[c] = better ? values[c] : best[c];
          from[c] = better ? static_cast<std::int32_t>(pixel) : from[c];
        }
      }
  });
  return make_result(std::move(result), shape, {x}, [=](const tensor<Scalar>& upstream, const auto& inputs) {
    tensor<Scalar> gradient(source.rows(), channels);
    const index pixels = source.height * source.width, pooled = shape.height * shape.width;
    parallel_for(source.images, [&](index image) { // windows may overlap, images do not
      Scalar* out = gradient.data() + image * pixels * channels;
      std::fill(out, out + pixels * channels, Scalar(0));
      for (index p = image * pooled; p < (image + 1) * pooled; ++p)
        for (index c = 0; c < channels; ++c)
          if (const index from = winner.data()[p * channels + c]; from >= 0) out[from * channels + c] += upstream.data()[p * channels + c];
    });
    inputs[0].add_gradient(std::move(gradient));
  });
}

/// Mean over each window; like PyTorch's default, padding counts as zeros: the divisor is kernel^2.
template <class Scalar>
variable<Scalar> average_pool(const variable<Scalar>& x, const window& w) {
  const geometry source = x.shape(), shape = window_result("average_pool", source, w);
  const index channels = x.cols();
  const Scalar factor = Scalar(1) / static_cast<Scalar>(w.kernel * w.kernel);
  tensor<Scalar> result(shape.rows(), channels);
  const auto in = x.value();
  detail::for_each_window(source, shape, w, [&](const detail::pooled_pixel& p) {
    auto out = result.view().row(p.pixel);
    out.setZero();
    for (index y = p.y_first; y < p.y_last; ++y)
      for (index column = p.x_first; column < p.x_last; ++column) out += in.row(p.image_start + y * source.width + column);
    out *= factor;
  });
  return make_result(std::move(result), shape, {x}, [=](const tensor<Scalar>& upstream, const auto& inputs) {
    const auto gradient = tensor<Scalar>::zeros(source.rows(), channels);
    const index pixels = source.height * source.width;
    parallel_for(source.images, [&](index image) {
      auto out = gradient.view().middleRows(image * pixels, pixels);
      for (index y = 0; y < shape.height; ++y)
        for (index column = 0; column < shape.width; ++column) {
          const auto g = upstream.view().row((image * shape.height + y) * shape.width + column);
          const index top = y * w.stride - w.padding, left = column * w.stride - w.padding;
          for (index i = std::max<index>(0, top); i < std::min(source.height, top + w.kernel); ++i)
            for (index j = std::max<index>(0, left); j < std::min(source.width, left + w.kernel); ++j)
              out.row(i * source.width + j) += factor * g;
        }
    });
    inputs[0].add_gradient(gradient);
  });
}

/// Mean over all pixels of each image: images x channels features.
template <class Scalar>
variable<Scalar> global_average_pool(const variable<Scalar>& x) {
  const geometry source = x.shape();
  const index pixels = source.height * source.width;
  const Scalar factor = Scalar(1) / static_cast<Scalar>(pixels);
  tensor<Scalar> result(source.images, x.cols());
  const auto in = x.value();
  parallel_for(source.images, [&](index image) {
    auto out = result.view().row(image);
    out.setZero();
    for (index p = 0; p < pixels; ++p) out += in.row(image * pixels + p);
    out *= factor;
  });
  return make_result(std::move(result), {source.images, 1, 1}, {x}, [=](const tensor<Scalar>& upstream, const auto& inputs) {
    tensor<Scalar> gradient(source.rows(), upstream.cols());
    parallel_for(source.images,
                 [&](index image) { gradient.view().middleRows(image * pixels, pixels).rowwise() = factor * upstream.view().row(image); });
    inputs[0].add_gradient(std::move(gradient));
  });
}

} // namespace dalib::ad
