/// @file
/// Images and feature vectors of the golden files as the input of the example networks, and back.
#pragma once

#include "networks.hpp"

#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

namespace golden {

/// Rows of a data set, (N, F) or images (N, C, H, W), as the network's input.
template <class T>
ad::variable<T> samples_of(const array& data, std::span<const std::int64_t> rows) {
  const bool images = data.shape.size() == 4;
  const std::ptrdiff_t channels = data.shape.at(1), height = images ? data.shape[2] : 1, width = images ? data.shape[3] : 1;
  const ad::geometry shape{static_cast<ad::index_t>(rows.size()), height, width};
  ad::matrix<T> pixels(shape.rows(), channels);
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (std::ptrdiff_t c = 0; c < channels; ++c)
      for (std::ptrdiff_t p = 0; p < height * width; ++p)
        pixels(static_cast<std::ptrdiff_t>(i) * height * width + p, c) = static_cast<T>(data.at(rows[i], c * height * width + p));
  return ad::constant(pixels, shape);
}

/// All rows of a data set.
template <class T>
ad::variable<T> all_samples_of(const array& data) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(data.rows()));
  std::iota(rows.begin(), rows.end(), 0);
  return samples_of<T>(data, rows);
}

/// The inverse of samples_of for a matrix of its layout, such as the gradient of images, to the shape (N, C, H, W).
template <class Derived>
array images_of(const Eigen::MatrixBase<Derived>& pixels, const std::vector<std::ptrdiff_t>& shape) {
  array result(shape, std::vector<double>(array::element_count(shape)));
  const std::ptrdiff_t positions = shape.at(2) * shape.at(3);
  std::size_t place = 0;
  for (std::ptrdiff_t i = 0; i < shape[0]; ++i)
    for (std::ptrdiff_t c = 0; c < shape[1]; ++c)
      for (std::ptrdiff_t p = 0; p < positions; ++p) result.values[place++] = static_cast<double>(pixels(i * positions + p, c));
  return result;
}

} // namespace golden
