#pragma once
// From a decoded image to a network's input: the transforms of DALIB's examples, which are torchvision's.

#include "../../io/random.hpp"
#include "resample.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>

namespace dalib::image {

/// Mean and standard deviation of the channels of ImageNet, for values in [0, 1]; what torchvision's weights expect.
inline constexpr std::array<float, 3> imagenet_mean{0.485F, 0.456F, 0.406F};
inline constexpr std::array<float, 3> imagenet_deviation{0.229F, 0.224F, 0.225F};

/// How images become inputs. Every image is first resized to resized_side x resized_side; then
/// training: random_crop, resized to side x side, and a flip; evaluation, and training with centre_crop: the square in the middle (no flip
/// in evaluation).
struct transform {
  std::ptrdiff_t side = 224;
  std::ptrdiff_t resized_side = 256;
  bool centre_crop = false;    ///< for training too, as DALIB's MCD and MDD do on VisDA-2017
  double smallest_area = 0.08; ///< of a random crop, as a share of the image
};

/// DALIB's proportions for another side: the image is resized to side * 256 / 224.
inline transform transform_for_side(std::ptrdiff_t side) { return {.side = side, .resized_side = (side * 256 + 112) / 224}; }

/// torchvision's RandomResizedCrop: area uniform in [smallest, 1] of the image, log of the aspect ratio uniform in [log 3/4, log 4/3],
/// place uniform; after ten misfits the largest part in the middle whose aspect ratio is allowed.
inline rectangle random_crop(std::ptrdiff_t width, std::ptrdiff_t height, double smallest_area, io::random_generator& random) {
  constexpr double narrowest = 3.0 / 4, widest = 4.0 / 3;
  const double area = static_cast<double>(width) * static_cast<double>(height);
  for (int attempt = 0; attempt < 10; ++attempt) {
    const double wanted = area * random.uniform(smallest_area, 1);
    const double ratio = std::exp(random.uniform(std::log(narrowest), std::log(widest)));
    const auto w = static_cast<std::ptrdiff_t>(std::lround(std::sqrt(wanted * ratio)));
    const auto h = static_cast<std::ptrdiff_t>(std::lround(std::sqrt(wanted / ratio)));
    if (w < 1 || w > width || h < 1 || h > height) continue;
    const auto place = [&](std::ptrdiff_t room) {
      return static_cast<std::ptrdiff_t>(random.uniform_int(static_cast<std::uint64_t>(room) + 1));
    };
    const std::ptrdiff_t top = place(height - h), left = place(width - w);
    return {left, top, w, h};
  }
  const double ratio = static_cast<double>(width) / static_cast<double>(height);
  std::ptrdiff_t w = width, h = height;
  if (ratio < narrowest) h = static_cast<std::ptrdiff_t>(std::lround(static_cast<double>(width) / narrowest));
  if (ratio > widest) w = static_cast<std::ptrdiff_t>(std::lround(static_cast<double>(height) * widest));
  return {(width - w) / 2, (height - h) / 2, w, h};
}

/// torchvision's CenterCrop: a square of that side in the middle; the image must be at least as large.
inline rectangle centre_crop(std::ptrdiff_t width, std::ptrdiff_t height, std::ptrdiff_t side) {
  const auto offset = [&](std::ptrdiff_t length) {
    return static_cast<std::ptrdiff_t>(std::nearbyint(static_cast<double>(length - side) / 2));
  };
  return {offset(width), offset(height), side, side};
}

/// Writes (value / 255 - mean) / deviation, mirrored left to right if asked for.
/// @param target room for height * width * 3 values, in the order (height, width, channel)
inline void normalise(const rgb_image& source, bool mirrored, std::span<float> target) {
  if (target.size() != source.pixels.size())
    throw std::invalid_argument("normalise: an image of " + std::to_string(source.pixels.size()) + " values for room of " +
                                std::to_string(target.size()));
  float* out = target.data();
  for (std::ptrdiff_t y = 0; y < source.height; ++y)
    for (std::ptrdiff_t x = 0; x < source.width; ++x) {
      const std::uint8_t* pixel = source.row(y) + 3 * (mirrored ? source.width - 1 - x : x);
      for (std::size_t c = 0; c < 3; ++c) *out++ = (static_cast<float>(pixel[c]) / 255 - imagenet_mean[c]) / imagenet_deviation[c];
    }
}

/// Brings an image to a network's input.
/// @param random of this sample alone, for training; nullptr for evaluation, which draws nothing
/// @param target room for side * side * 3 values, in the order (height, width, channel)
inline void apply(const transform& t, const rgb_image& source, io::random_generator* random, std::span<float> target) {
  const rgb_image resized = resize(source, t.resized_side, t.resized_side);
  if (random == nullptr || t.centre_crop) {
    const rgb_image middle = crop(resized, centre_crop(resized.width, resized.height, t.side));
    normalise(middle, random != nullptr && random->uniform01() < 0.5, target);
    return;
  }
  const rgb_image part = crop(resized, random_crop(resized.width, resized.height, t.smallest_area, *random));
  normalise(resize(part, t.side, t.side), random->uniform01() < 0.5, target);
}

} // namespace dalib::image
