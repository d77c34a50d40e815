#pragma once
// Resizing with Pillow's antialiased bilinear filter.

#include "rgb_image.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace dalib::image {
namespace detail {

/// The input pixels of one axis that an output pixel is the weighted mean of.
struct resample_window {
  std::ptrdiff_t first = 0;
  std::vector<std::int32_t> weights; ///< in units of 2^-weight_bits; they sum to about 1
};

/// Bits behind the point of a weight: a sum of byte times weight fits 32 bits.
inline constexpr int weight_bits = 22;

/// Windows of all output pixels along an axis of `in` pixels resized to `out`.
///
/// The filter is the triangle max(0, 1 - |x|), stretched by in / out where the image shrinks, so that no input pixel is passed over
/// (antialiasing). Output pixel i has its centre at (i + 1/2) * in / out; weights are normalised to sum 1 at the border too.
inline std::vector<resample_window> resample_windows(std::ptrdiff_t in, std::ptrdiff_t out) {
  const double scale = static_cast<double>(in) / static_cast<double>(out), stretch = std::max(scale, 1.0);
  std::vector<resample_window> windows(static_cast<std::size_t>(out));
  std::vector<double> weights;
  for (std::ptrdiff_t i = 0; i < out; ++i) {
    const double centre = (static_cast<double>(i) + 0.5) * scale;
    const auto first = std::max<std::ptrdiff_t>(static_cast<std::ptrdiff_t>(centre - stretch + 0.5), 0);
    const auto last = std::min(static_cast<std::ptrdiff_t>(centre + stretch + 0.5), in);
    weights.clear();
    double sum = 0;
    for (std::ptrdiff_t x = first; x < last; ++x) {
      weights.push_back(std::max(0.0, 1 - std::abs((static_cast<double>(x) + 0.5 - centre) / stretch)));
      sum += weights.back();
    }
    resample_window& window = windows[static_cast<std::size_t>(i)];
    window.first = first;
    for (const double w : weights) window.weights.push_back(static_cast<std::int32_t>(w / sum * (1 << weight_bits) + 0.5));
  }
  return windows;
}

/// The weighted mean of bytes that lie `stride` apart, rounded.
inline std::uint8_t weighted_byte(const std::uint8_t* first, std::ptrdiff_t stride, const std::vector<std::int32_t>& weights) {
  std::int32_t sum = 1 << (weight_bits - 1);
  for (const std::int32_t weight : weights) {
    sum += weight * *first;
    first += stride;
  }
  return static_cast<std::uint8_t>(std::clamp(sum >> weight_bits, 0, 255));
}

/// Every row resampled to another width.
inline rgb_image resize_rows(const rgb_image& source, std::ptrdiff_t width) {
  if (width == source.width) return source;
  const auto windows = resample_windows(source.width, width);
  rgb_image result(width, source.height);
  for (std::ptrdiff_t y = 0; y < source.height; ++y)
    for (std::ptrdiff_t x = 0; x < width; ++x) {
      const auto& window = windows[static_cast<std::size_t>(x)];
      for (int c = 0; c < 3; ++c) result.row(y)[3 * x + c] = weighted_byte(source.row(y) + 3 * window.first + c, 3, window.weights);
    }
  return result;
}

/// Every column resampled to another height.
inline rgb_image resize_columns(const rgb_image& source, std::ptrdiff_t height) {
  if (height == source.height) return source;
  const auto windows = resample_windows(source.height, height);
  rgb_image result(source.width, height);
  for (std::ptrdiff_t y = 0; y < height; ++y) {
    const auto& window = windows[static_cast<std::size_t>(y)];
    for (std::ptrdiff_t x = 0; x < 3 * source.width; ++x)
      result.row(y)[x] = weighted_byte(source.row(window.first) + x, 3 * source.width, window.weights);
  }
  return result;
}

} // namespace detail

/// Part of an image, which must lie inside it.
inline rgb_image crop(const rgb_image& source, const rectangle& part) {
  const bool inside = part.left >= 0 && part.top >= 0 && part.width > 0 && part.height > 0 && part.left + part.width <= source.width &&
                      part.top + part.height <= source.height;
  if (!inside)
    throw std::invalid_argument("crop: " + std::to_string(part.width) + " x " + std::to_string(part.height) + " pixels at (" +
                                std::to_string(part.left) + ", " + std::to_string(part.top) + ") are not inside an image of " +
                                std::to_string(source.width) + " x " + std::to_string(source.height));
  rgb_image result(part.width, part.height);
  for (std::ptrdiff_t y = 0; y < part.height; ++y) std::copy_n(source.row(part.top + y) + 3 * part.left, 3 * part.width, result.row(y));
  return result;
}

/// Antialiased bilinear resize, with the numbers of Pillow's Image.resize(size, BILINEAR): one direction after the other, each rounded to
/// bytes. As in Pillow from version 13 on, the columns come first where the height shrinks by more than twice what the width does, which
/// saves time and rounds otherwise; Pillow before 13 always took the rows first, a difference of one grey level.
/// O((height_in * width_out + width_in * height_out) * window). Throws std::invalid_argument for empty images.
inline rgb_image resize(const rgb_image& source, std::ptrdiff_t width, std::ptrdiff_t height) {
  if (source.width < 1 || source.height < 1 || width < 1 || height < 1) throw std::invalid_argument("resize: an image without pixels");
  const std::ptrdiff_t lower = source.height - height, narrower = source.width - width;
  if (lower > 0 && lower > 2 * narrower) return detail::resize_rows(detail::resize_columns(source, height), width);
  return detail::resize_columns(detail::resize_rows(source, width), height);
}

} // namespace dalib::image
