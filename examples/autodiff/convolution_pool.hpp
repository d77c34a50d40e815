#pragma once
#include "convolution.hpp"
#include "pooling.hpp"
#include "weighted_sum.hpp"

namespace dalib::ad {
namespace detail {

/// Gradients of a convolution followed by max pooling. Only the winners of the windows have a gradient, so both products run over
/// lists of them: with 2 x 2 windows a quarter of the dense work, and less where a ReLU cuts off.
template <class Scalar>
struct pooled_convolution_gradient {
  using winner = simd_integer<Scalar>;
  const Scalar* source = nullptr; // images x (height * width) x channels
  geometry source_shape;
  index_t channels = 0;
  window taps; // no padding
  geometry result_shape;
  geometry pooled_shape;
  const Scalar* upstream = nullptr; // images x pooled pixels x results
  const winner* winners = nullptr;  // pixel of the convolution's result, or negative for no gradient
  index_t results = 0;
  index_t overlap = 1; // pooling windows that share a pixel, at most

  index_t row_length() const { return taps.kernel * channels; } // a patch's part in one image row is contiguous
  index_t row_stride() const { return source_shape.width * channels; }

  /// Adds the images' share to `weight_rows` (results x kernel x row_length) and `bias` (results), both zeroed before.
  void add_weights(index_t first_image, index_t last_image, const std::vector<winner>& offsets, Scalar* weight_rows, Scalar* bias) const {
    const index_t image_size = source_shape.height * row_stride(), pixels = pooled_shape.height * pooled_shape.width;
    const index_t together = std::max<index_t>(1, 4096 / image_size); // images that share the first-level cache
    const index_t capacity = together * pixels;
    std::vector<weighted_row<Scalar>> lists(static_cast<std::size_t>(results * capacity));
    std::vector<index_t> counts(static_cast<std::size_t>(results));
    const weighted_sum<Scalar> sum(row_length());
    for (index_t image = first_image; image < last_image; image += together) {
      std::fill(counts.begin(), counts.end(), 0);
      for (index_t i = image; i < std::min(last_image, image + together); ++i)
        for (index_t p = i * pixels; p < (i + 1) * pixels; ++p)
          for (index_t c = 0; c < results; ++c) {
            const Scalar g = upstream[p * results + c];
            const auto from = winners[p * results + c];
            index_t& count = counts[static_cast<std::size_t>(c)];
            lists[static_cast<std::size_t>(c * capacity + count)] = {
                static_cast<winner>((i - image) * image_size) + offsets[static_cast<std::size_t>(from < 0 ? 0 : from)], g};
            const bool used = from >= 0 && g != Scalar(0);
            count += used ? 1 : 0;
            bias[c] += from >= 0 ? g : Scalar(0);
          }
      for (index_t c = 0; c < results; ++c)
        for (index_t ky = 0; ky < taps.kernel; ++ky)
          sum(source + image * image_size + ky * row_stride(), lists.data() + c * capacity, counts[static_cast<std::size_t>(c)],
              weight_rows + (c * taps.kernel + ky) * row_length());
    }
  }

  /// Writes the images' source gradient, from weights in rows of `weight_stride` elements per (result, kernel row).
  void write_source(index_t first_image, index_t last_image, const std::vector<winner>& offsets, const Scalar* weight_rows, index_t weight_stride,
                    Scalar* gradient) const {
    const index_t image_size = source_shape.height * row_stride(), pixels = pooled_shape.height * pooled_shape.width;
    const index_t positions = result_shape.height * result_shape.width, capacity = results * overlap;
    std::vector<weighted_row<Scalar>> lists(static_cast<std::size_t>(positions * capacity + 1));
    std::vector<index_t> counts(static_cast<std::size_t>(positions));
    const weighted_sum<Scalar> sum(row_length());
    for (index_t image = first_image; image < last_image; ++image) {
      Scalar* const out = gradient + image * image_size;
      std::fill(out, out + image_size, Scalar(0));
      std::fill(counts.begin(), counts.end(), 0);
      for (index_t p = image * pixels; p < (image + 1) * pixels; ++p)
        for (index_t c = 0; c < results; ++c) {
          const Scalar g = upstream[p * results + c];
          const auto from = winners[p * results + c];
          if (from < 0 || g == Scalar(0)) continue;
          index_t& count = counts[static_cast<std::size_t>(from)];
          lists[static_cast<std::size_t>(from * capacity + count++)] = {static_cast<winner>(c * taps.kernel * weight_stride), g};
        }
      for (index_t position = 0; position < positions; ++position) {
        const index_t count = counts[static_cast<std::size_t>(position)];
        if (count == 0) continue;
        for (index_t ky = 0; ky < taps.kernel; ++ky)
          sum(weight_rows + ky * weight_stride, lists.data() + position * capacity, count,
              out + offsets[static_cast<std::size_t>(position)] + ky * row_stride());
      }
    }
  }

  /// Runs both on all threads; `weight`, `bias` and `source_gradient` may be empty variables or null where not needed.
  void run(const tensor<Scalar>& weights, const variable<Scalar>& weight, const variable<Scalar>& bias, Scalar* source_gradient) const {
    std::vector<winner> offsets; // of a position's patch in its image
    for (index_t y = 0; y < result_shape.height; ++y)
      for (index_t x = 0; x < result_shape.width; ++x)
        offsets.push_back(static_cast<winner>((y * source_shape.width + x) * taps.stride * channels));

    constexpr index_t groups = 8;
    const index_t images = source_shape.images, per_group = (images + groups - 1) / groups;
    const index_t size = results * weights.rows() + results;
    const index_t weight_stride = (row_length() + 15) / 16 * 16;
    tensor<Scalar> weight_rows;
    if (source_gradient) {
      weight_rows = tensor<Scalar>(results, taps.kernel * weight_stride);
      for (index_t ky = 0; ky < taps.kernel; ++ky)
        transpose({weights.data() + ky * row_length() * results, row_length(), results},
                  matrix_view<Scalar>(weight_rows.data() + ky * weight_stride, results, row_length(), weight_rows.cols(), 1));
    }
    const bool to_weights = weight.requires_gradient() || (bias.valid() && bias.requires_gradient());
    const auto partial = to_weights ? tensor<Scalar>(groups, size) : tensor<Scalar>();
    parallel_for(groups, [&](index_t g) {
      const index_t first = std::min(images, g * per_group), last = std::min(images, first + per_group);
      if (to_weights) {
        Scalar* const rows = partial.data() + g * size;
        std::fill(rows, rows + size, Scalar(0));
        add_weights(first, last, offsets, rows, rows + size - results);
      }
      if (source_gradient) write_source(first, last, offsets, weight_rows.data(), weight_stride, source_gradient);
    });
    if (!to_weights) return;
    parallel_blocks(size, 4096, [&](index_t begin, index_t end) {
      for (index_t g = 1; g < groups; ++g) elements(partial, begin, end) += elements(partial, g * size + begin, g * size + end);
    });
    tensor<Scalar> total(weights.rows(), weights.cols()), bias_total(1, results);
    transpose({partial.data(), results, weights.rows()}, matrix_view<Scalar>(total.data(), weights.rows(), results));
    std::copy(partial.data() + size - results, partial.data() + size, bias_total.data());
    weight.add_gradient(std::move(total));
    if (bias.valid()) bias.add_gradient(std::move(bias_total));
  }
};
} // namespace detail

/// max_pool(conv2d(x, weight, bias, taps), pool, act) as one operation: the convolution's result is pooled while it is in cache and
/// never stored, and the gradient only visits the winners. Several times faster than the two operations.
///
/// Falls back to them if the convolution is padded. Same parameters and errors.
template <class Scalar>
variable<Scalar> conv2d_max_pool(const variable<Scalar>& x, const variable<Scalar>& weight, const variable<Scalar>& bias,
                                 const window& taps, const window& pool, activation act = activation::none) {
  if (taps.padding > 0) return max_pool(conv2d(x, weight, bias, taps), pool, act);
  const geometry source = x.shape(), shape = window_result("conv2d_max_pool", source, taps);
  const geometry pooled = window_result("conv2d_max_pool", shape, pool);
  detail::check_weights("conv2d_max_pool", x, weight, bias, taps.kernel * taps.kernel);
  const index_t results = weight.cols();

  tensor<Scalar> result(pooled.rows(), results);
  tensor<simd_integer<Scalar>> winners(pooled.rows(), results);
  const packed_matrix<Scalar> packed = pack(weight.value());
  const auto product = detail::forward_product(x, packed, taps, source, shape, bias, activation::none);
  const index_t image_block = std::max<index_t>(1, 512 / (shape.height * shape.width));
  parallel_blocks(source.images, image_block, [&](index_t first, index_t last) {
    const geometry part{last - first, shape.height, shape.width};
    const tensor<Scalar> scratch(part.rows(), results);
    product.run_images(first, last, scratch.data());
    detail::pool_images(scratch.data(), part, {last - first, pooled.height, pooled.width}, pool, results, act,
                        result.data() + first * pooled.height * pooled.width * results,
                        winners.data() + first * pooled.height * pooled.width * results);
  });

  std::vector<variable<Scalar>> inputs{x, weight};
  if (bias.valid()) inputs.push_back(bias);
  return make_result(std::move(result), pooled, std::move(inputs),
                     [=, storage = x.storage(), weights = weight.storage()](const tensor<Scalar>& upstream, const auto& below) {
                       detail::pooled_convolution_gradient<Scalar> gradient;
                       gradient.source = storage.data();
                       gradient.source_shape = source;
                       gradient.channels = storage.cols();
                       gradient.taps = taps;
                       gradient.result_shape = shape;
                       gradient.pooled_shape = pooled;
                       gradient.upstream = upstream.data();
                       gradient.winners = winners.data();
                       gradient.results = results;
                       const index_t sharing = (pool.kernel + pool.stride - 1) / pool.stride;
                       gradient.overlap = sharing * sharing;
                       const bool to_source = below[0].requires_gradient();
                       tensor<Scalar> source_gradient = to_source ? tensor<Scalar>(storage.rows(), storage.cols()) : tensor<Scalar>();
                       gradient.run(weights, below[1], below.size() > 2 ? below[2] : variable<Scalar>(), source_gradient.data());
                       if (to_source) below[0].add_gradient(std::move(source_gradient));
                     });
}

} // namespace dalib::ad
