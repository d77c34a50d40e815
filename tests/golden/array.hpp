/// @file
/// A tensor of any rank as the golden files hold it: the exchange form between the files, the library's tensors and the comparison.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace golden {

/// Shape and values in row-major order. Integers (labels, batch indices) are stored as doubles, exact up to 2^53. A scalar has shape [].
struct array {
  std::vector<std::ptrdiff_t> shape;
  std::vector<double> values;

  array() = default;
  array(std::vector<std::ptrdiff_t> dimensions, std::vector<double> elements) : shape(std::move(dimensions)), values(std::move(elements)) {
    if (element_count(shape) != values.size()) throw std::invalid_argument("array: shape " + text(shape) + " does not fit its values");
  }
  /// A scalar.
  explicit array(double value) : values{value} {}
  /// A vector.
  template <class T>
  explicit array(std::span<const T> elements)
      : shape{static_cast<std::ptrdiff_t>(elements.size())}, values(elements.begin(), elements.end()) {}

  std::ptrdiff_t rows() const { return shape.empty() ? 1 : shape.front(); }
  /// Elements per row: dimensions after the first are flattened.
  std::ptrdiff_t cols() const {
    return std::accumulate(shape.begin() + (shape.empty() ? 0 : 1), shape.end(), std::ptrdiff_t{1}, std::multiplies<>{});
  }
  double at(std::ptrdiff_t row, std::ptrdiff_t col = 0) const { return values.at(static_cast<std::size_t>(row * cols() + col)); }

  /// The values rounded to integers, for labels and indices.
  std::vector<std::int64_t> integers() const { return {values.begin(), values.end()}; }

  static std::size_t element_count(const std::vector<std::ptrdiff_t>& dimensions) {
    return static_cast<std::size_t>(std::accumulate(dimensions.begin(), dimensions.end(), std::ptrdiff_t{1}, std::multiplies<>{}));
  }
  static std::string text(const std::vector<std::ptrdiff_t>& dimensions) {
    std::string result = "[";
    for (const std::ptrdiff_t n : dimensions) result += (result.size() > 1 ? "," : "") + std::to_string(n);
    return result + "]";
  }
};

} // namespace golden
