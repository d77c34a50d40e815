#pragma once

#include <Eigen/Core>
#include <algorithm>

namespace dalib::data {

/// The number at a place between four: p of the way from left to right, q from top to bottom.
template <class T>
T bilinear(T top_left, T top_right, T bottom_left, T bottom_right, T p, T q) {
  return (1 - q) * ((1 - p) * top_left + p * top_right) + q * ((1 - p) * bottom_left + p * bottom_right);
}

/// Where an output pixel of a bilinear resize lies between two input pixels: value = (1 - weight) * in[first] + weight * in[second].
struct bilinear_tap {
  Eigen::Index first;
  Eigen::Index second;
  float weight;
};

/// Tap of output pixel `position` along an axis of `in` pixels stretched to `out` pixels, with half-pixel centres:
/// source coordinate (position + 1/2) * in / out - 1/2, clamped to the image.
inline bilinear_tap half_pixel_tap(Eigen::Index position, Eigen::Index in, Eigen::Index out) {
  const double scale = static_cast<double>(in) / static_cast<double>(out);
  const double source = std::clamp((static_cast<double>(position) + 0.5) * scale - 0.5, 0.0, static_cast<double>(in - 1));
  const auto first = static_cast<Eigen::Index>(source);
  return {first, std::min(first + 1, in - 1), static_cast<float>(source - static_cast<double>(first))};
}

/// Bilinear resize of a one-channel image with half-pixel centres and no smoothing; meant for enlarging.
///
/// Beyond the outermost pixel centres the border values continue. The image must not be empty. O(height * width).
template <class Derived>
Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> resize_bilinear(const Eigen::MatrixBase<Derived>& image,
                                                                                      Eigen::Index height, Eigen::Index width) {
  Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> result(height, width);
  for (Eigen::Index y = 0; y < height; ++y) {
    const bilinear_tap v = half_pixel_tap(y, image.rows(), height);
    for (Eigen::Index x = 0; x < width; ++x) {
      const bilinear_tap h = half_pixel_tap(x, image.cols(), width);
      result(y, x) = bilinear<float>(image(v.first, h.first), image(v.first, h.second), image(v.second, h.first), image(v.second, h.second),
                                     h.weight, v.weight);
    }
  }
  return result;
}

} // namespace dalib::data
