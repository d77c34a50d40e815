#pragma once
// Random changes of images that leave their class as it is.

#include "../../../autodiff/autodiff.hpp"
#include "../../../autodiff/parallel.hpp"
#include "../../data/bilinear.hpp"
#include "../../../io/random.hpp"
#include "smooth_field.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>

namespace dalib::train {

/// How far random changes may go. Images without height and width (features) get noise alone.
struct augmentation {
  double zoom = 1.4;      ///< factor of size, from 1 / zoom to zoom
  double stretch = 1.15;  ///< width against height, likewise
  double shear = 0.2;     ///< shift of one row against the next, from -shear to shear
  double rotation = 10;   ///< degrees to either side
  double shift = 0.08;    ///< share of the side, to either
  double contrast = 1.5;  ///< factor of the values, from 1 / contrast to contrast
  double light = 0.3;     ///< added to all, and as a ramp across the image in a random direction; in units of the values
  double noise = 0.1;     ///< standard deviation at most, of each value by itself
  double inversion = 0.5; ///< probability that light and dark are exchanged
  double uneven = 0;      ///< light that is added as a smooth random field, at most; a field of contrast is up to twice as strong

  /// These limits, times a strength: 0 changes nothing. An inversion does not become more probable than here.
  augmentation scaled(double strength) const {
    augmentation result = *this;
    for (double* const factor : {&result.zoom, &result.stretch, &result.contrast}) *factor = std::pow(*factor, strength);
    for (double* const limit : {&result.shear, &result.rotation, &result.shift, &result.light, &result.noise, &result.uneven})
      *limit *= strength;
    result.inversion = std::min(strength, 1.0) * inversion;
    return result;
  }
};

namespace detail {

/// One image's draw. A pixel's number is factor * (1 + contrast field) * (the image at where it comes from) + base + slope * place +
/// light field + noise.
template <class T>
struct drawn_change {
  T from_x[3], from_y[3]; ///< place that a pixel at (u, v) comes from: (p[0] u + p[1] v + p[2]), all from the image's centre
  T factor, base, slope_x, slope_y, noise;
  smooth_field<T> contrast, light;
};

template <class T>
drawn_change<T> draw_change(const augmentation& limits, io::random_generator random, double side) {
  constexpr std::uint64_t contrast_stream = 1, light_stream = 2; // 0 is the noise's
  const auto either = [&](double most) { return random.uniform(-1, 1) * most; };
  const auto factor = [&](double most) { return std::exp(either(std::log(most))); };
  const auto number = [](double x) { return static_cast<T>(x); };
  const double size = factor(limits.zoom), ratio = std::sqrt(factor(limits.stretch));
  const double angle = either(limits.rotation) * std::numbers::pi / 180, shear = either(limits.shear);
  const double cosine = std::cos(angle), sine = std::sin(angle), wide = 1 / (size * ratio), high = ratio / size;
  const double x = either(limits.shift) * side, y = either(limits.shift) * side;
  const double contrast = factor(limits.contrast) * (random.uniform01() < limits.inversion ? -1 : 1);
  const double direction = random.uniform(0, 2 * std::numbers::pi), slope = random.uniform(0, limits.light) / (side / 2);
  return {{number(wide * cosine), number(wide * (sine + shear * cosine)), number(x)},
          {number(-high * sine), number(high * (cosine - shear * sine)), number(y)},
          number(contrast),
          number(either(limits.light)),
          number(slope * std::cos(direction)),
          number(slope * std::sin(direction)),
          number(random.uniform(0, limits.noise)),
          {2 * limits.uneven, random.stream(contrast_stream)},
          {limits.uneven, random.stream(light_stream)}};
}

/// Nearly normal of mean 0 and variance 1: the sum of four uniform numbers, without a logarithm for every pixel.
template <class T>
T nearly_normal(std::uint64_t word) {
  const auto sum = (word & 0xFFFF) + ((word >> 16) & 0xFFFF) + ((word >> 32) & 0xFFFF) + (word >> 48);
  return (static_cast<T>(static_cast<std::int32_t>(sum)) * T(1.0 / 65536) - T(2)) * std::numbers::sqrt3_v<T>;
}

/// Bilinear; beyond the image its edge goes on.
template <class T>
void change_image(const drawn_change<T>& change, const T* from, T* to, const ad::geometry& shape, index_t channels, std::uint64_t key) {
  const index_t width = shape.width, height = shape.height;
  const T centre_x = static_cast<T>(width - 1) / 2, centre_y = static_cast<T>(height - 1) / 2;
  for (index_t row = 0; row < height; ++row)
    for (index_t column = 0; column < width; ++column) {
      const T u = static_cast<T>(column) - centre_x, v = static_cast<T>(row) - centre_y;
      const T x = std::clamp(change.from_x[0] * u + change.from_x[1] * v + change.from_x[2] + centre_x, T(0), 2 * centre_x);
      const T y = std::clamp(change.from_y[0] * u + change.from_y[1] * v + change.from_y[2] + centre_y, T(0), 2 * centre_y);
      const auto left = static_cast<index_t>(x), top = static_cast<index_t>(y);
      const index_t right = std::min(left + 1, width - 1), bottom = std::min(top + 1, height - 1);
      const T p = x - static_cast<T>(left), q = y - static_cast<T>(top);
      const T across = static_cast<T>(column) / static_cast<T>(width - 1), down = static_cast<T>(row) / static_cast<T>(height - 1);
      const T factor = change.factor * (1 + change.contrast(across, down));
      const T added = change.base + change.slope_x * u + change.slope_y * v + change.light(across, down);
      for (index_t k = 0; k < channels; ++k) {
        const auto at = [&](index_t r, index_t c) { return from[(r * width + c) * channels + k]; };
        const T value = data::bilinear(at(top, left), at(top, right), at(bottom, left), at(bottom, right), p, q);
        const index_t place = (row * width + column) * channels + k;
        const T noise = nearly_normal<T>(io::splitmix64(key + static_cast<std::uint64_t>(place)));
        to[place] = factor * value + added + change.noise * noise;
      }
    }
}

/// Rows of features: noise alone.
template <class T>
void change_row(T noise, const T* from, T* to, index_t size, std::uint64_t key) {
  for (index_t k = 0; k < size; ++k) to[k] = from[k] + noise * nearly_normal<T>(io::splitmix64(key + static_cast<std::uint64_t>(k)));
}

} // namespace detail

/// Changed copies of images, this rank's share of a batch. What happens to an image is a function of `key` and its place in the whole batch
/// alone, so neither threads nor ranks change a number. No gradient flows back. O(pixels).
template <class T>
ad::variable<T> augmented(const ad::variable<T>& images, const augmentation& limits, std::uint64_t key) {
  const ad::geometry shape = images.shape();
  const index_t channels = images.cols(), size = shape.height * shape.width * channels;
  const io::random_generator random(key);
  ad::tensor<T> result(images.rows(), channels);
  const auto places = ad::detail::places_in_batch(images);
  ad::parallel_for(shape.images, [&](index_t i) {
    index_t number = i;
    for (const auto& place : places)
      if (i * size >= place.first && i * size < place.last) number = i + place.shift / size;
    const io::random_generator own = random.stream(static_cast<std::uint64_t>(number));
    const auto change = detail::draw_change<T>(limits, own, static_cast<double>(std::max(shape.height, shape.width)));
    const T* const from = images.storage().data() + i * size;
    const std::uint64_t noise_key = own.stream(0).at(0);
    if (shape.height == 1 || shape.width == 1)
      detail::change_row(change.noise, from, result.data() + i * size, size, noise_key);
    else
      detail::change_image(change, from, result.data() + i * size, shape, channels, noise_key);
  });
  auto changed = ad::constant(std::move(result), shape);
  changed.handle()->share = images.share();
  return changed;
}

} // namespace dalib::train
