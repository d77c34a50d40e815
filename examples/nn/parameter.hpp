#pragma once
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "../autodiff/variable.hpp"
#include "../io/random.hpp"

namespace dalib::nn {

using ad::index_t;
using shape = std::vector<std::int64_t>; ///< PyTorch's sizes: (out, in, kernel, kernel), (out, in) or (channels)

namespace detail {
inline index_t product(const shape& sizes, std::size_t first = 0) {
  index_t result = 1;
  for (std::size_t i = first; i < sizes.size(); ++i) result *= sizes[i];
  return result;
}

/// Calls body(position in PyTorch's order, row, column of our matrix) for all elements. Ours is (taps * in) x out, or 1 x channels.
template <class Body>
void for_each_torch_element(const shape& sizes, const Body& body) {
  if (sizes.size() == 1) {
    for (index_t i = 0; i < sizes[0]; ++i) body(i, index_t{0}, i);
    return;
  }
  const index_t out = sizes[0], in = sizes[1], taps = product(sizes, 2);
  for (index_t o = 0, position = 0; o < out; ++o)
    for (index_t i = 0; i < in; ++i)
      for (index_t t = 0; t < taps; ++t) body(position++, t * in + i, o);
}
} // namespace detail

/// A trainable matrix: a leaf variable that knows its sizes in PyTorch.
///
/// Copies are deep, so models are values (`auto best = model;`). Assignment copies the numbers into the existing variable: an
/// optimiser that holds it stays connected.
template <class Scalar>
class parameter {
public:
  parameter() = default;
  explicit parameter(shape sizes) : shape_(std::move(sizes)) {
    const bool vector = shape_.size() == 1;
    const index_t rows = vector ? 1 : detail::product(shape_, 1), cols = shape_.at(0);
    variable_ = ad::parameter(ad::matrix<Scalar>::Zero(rows, cols));
  }
  parameter(const parameter& other) : shape_(other.shape_), variable_(other.clone()) {}
  parameter(parameter&&) noexcept = default;
  parameter& operator=(const parameter& other) {
    if (this == &other) return *this;
    if (shape_ == other.shape_ && variable_.valid()) {
      if (other.variable_.valid()) variable_.mutable_value() = other.variable_.value();
    } else {
      shape_ = other.shape_;
      variable_ = other.clone();
    }
    return *this;
  }
  parameter& operator=(parameter&&) noexcept = default;
  ~parameter() = default;

  const nn::shape& torch_shape() const { return shape_; }
  index_t size() const { return detail::product(shape_); }
  /// The leaf in the graph; shared, not copied.
  const ad::variable<Scalar>& variable() const { return variable_; }
  operator const ad::variable<Scalar>&() const { return variable_; }

  /// The values, or any matrix of the same layout such as the gradient, in PyTorch's order.
  std::vector<Scalar> to_torch() const { return to_torch(variable_.value()); }
  std::vector<Scalar> to_torch(const ad::const_map<Scalar>& matrix) const {
    std::vector<Scalar> result(static_cast<std::size_t>(size()));
    detail::for_each_torch_element(shape_, [&](index_t i, index_t row, index_t col) { result[static_cast<std::size_t>(i)] = matrix(row, col); });
    return result;
  }
  /// Sets the values from PyTorch's order. @throws std::invalid_argument for a wrong number of elements
  template <class Other>
  void from_torch(std::span<const Other> values) {
    if (static_cast<index_t>(values.size()) != size())
      throw std::invalid_argument("parameter: " + std::to_string(values.size()) + " values for " + std::to_string(size()) + " elements");
    auto target = variable_.mutable_value();
    detail::for_each_torch_element(
        shape_, [&](index_t i, index_t row, index_t col) { target(row, col) = static_cast<Scalar>(values[static_cast<std::size_t>(i)]); });
  }

  /// Inputs per output: product of all sizes but the first.
  index_t fan_in() const { return detail::product(shape_, 1); }

private:
  ad::variable<Scalar> clone() const {
    if (!variable_.valid()) return {};
    auto copy = ad::parameter(variable_.value(), variable_.name());
    copy.set_requires_gradient(variable_.requires_gradient());
    return copy;
  }

  nn::shape shape_;
  ad::variable<Scalar> variable_;
};

/// A vector that is part of the model but not trained (running statistics). Copies are deep.
template <class Scalar>
class buffer {
public:
  buffer() = default;
  buffer(index_t size, Scalar value) : values_(1, size) { values_.view().setConstant(value); }
  buffer(const buffer& other) { *this = other; }
  buffer(buffer&&) noexcept = default;
  buffer& operator=(const buffer& other) {
    if (this == &other) return *this;
    if (other.values_.empty()) {
      values_ = {};
      return *this;
    }
    if (values_.empty() || values_.cols() != other.values_.cols()) values_ = ad::tensor<Scalar>(1, other.values_.cols());
    values_.view() = other.values_.view();
    return *this;
  }
  buffer& operator=(buffer&&) noexcept = default;
  ~buffer() = default;

  nn::shape torch_shape() const { return {values_.cols()}; }
  index_t size() const { return values_.cols(); }
  const ad::tensor<Scalar>& tensor() const { return values_; }
  std::vector<Scalar> to_torch() const { return {values_.data(), values_.data() + size()}; }
  template <class Other>
  void from_torch(std::span<const Other> values) {
    if (static_cast<index_t>(values.size()) != size())
      throw std::invalid_argument("buffer: " + std::to_string(values.size()) + " values for " + std::to_string(size()) + " elements");
    std::transform(values.begin(), values.end(), values_.data(), [](Other x) { return static_cast<Scalar>(x); });
  }

private:
  ad::tensor<Scalar> values_;
};

namespace detail {
/// Draws the elements in PyTorch's order, so that equal seeds mean equal networks whatever our layout is.
template <class Scalar, class Draw>
void fill(parameter<Scalar>& p, const Draw& draw) {
  std::vector<double> values(static_cast<std::size_t>(p.size()));
  for (double& value : values) value = draw();
  p.from_torch(std::span<const double>(values));
}
} // namespace detail

/// Uniform in +-bound; PyTorch's default for linear and convolution is bound = 1 / sqrt(fan_in), for weights and biases.
template <class Scalar>
void fill_uniform(parameter<Scalar>& p, double bound, io::random_generator& random) {
  detail::fill(p, [&] { return random.uniform(-bound, bound); });
}

/// Normal with mean 0.
template <class Scalar>
void fill_normal(parameter<Scalar>& p, double standard_deviation, io::random_generator& random) {
  detail::fill(p, [&] { return standard_deviation * random.normal(); });
}

template <class Scalar>
void fill_constant(parameter<Scalar>& p, double value) {
  p.variable().mutable_value().setConstant(static_cast<Scalar>(value));
}

} // namespace dalib::nn
