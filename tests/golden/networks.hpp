/// @file
/// Parameters and values of the example networks as arrays, under PyTorch's names and layouts.
#pragma once

#include "groups.hpp"

#include "nn/nn.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace golden {

namespace ad = dalib::ad;
namespace nn = dalib::nn;

/// Sizes and elements in PyTorch's order.
template <class T>
array torch_array(const nn::shape& sizes, const std::vector<T>& values) {
  return {{sizes.begin(), sizes.end()}, {values.begin(), values.end()}};
}

/// The gradient of a parameter; zeros if backward() did not reach it.
template <class T>
array gradient_of(const nn::parameter<T>& parameter) {
  if (!parameter.variable().has_gradient())
    return {{parameter.torch_shape().begin(), parameter.torch_shape().end()},
            std::vector<double>(static_cast<std::size_t>(parameter.size()))};
  return torch_array(parameter.torch_shape(), parameter.to_torch(parameter.variable().gradient()));
}

/// Sets every parameter of a model to source(full name, shape).
template <class Model, class Source>
void set_parameters(Model& model, const std::string& prefix, Source&& source) {
  nn::visit_parameters(
      model,
      [&](const std::string& name, auto& parameter) {
        const array values = source(name, std::vector<std::ptrdiff_t>(parameter.torch_shape().begin(), parameter.torch_shape().end()));
        parameter.from_torch(std::span<const double>(values.values));
      },
      prefix);
}

/// The values of all parameters and buffers by name.
template <class Model>
std::map<std::string, array> state_of(Model& model, const std::string& prefix) {
  std::map<std::string, array> result;
  nn::visit(
      model, [&](const std::string& name, auto& item) { result.emplace(name, torch_array(item.torch_shape(), item.to_torch())); }, prefix);
  return result;
}

/// The gradients of all parameters by name.
template <class Model>
std::map<std::string, array> gradients_of(Model& model, const std::string& prefix) {
  std::map<std::string, array> result;
  nn::visit_parameters(
      model, [&](const std::string& name, auto& parameter) { result.emplace(name, gradient_of(parameter)); }, prefix);
  return result;
}

/// A 2-d array as a matrix.
template <class T>
ad::matrix<T> matrix_of(const array& source) {
  return Eigen::Map<const ad::matrix<double>>(source.values.data(), source.rows(), source.cols()).template cast<T>();
}

/// A matrix as an array of the given shape.
template <class Derived>
array array_of(const Eigen::MatrixBase<Derived>& matrix, std::vector<std::ptrdiff_t> shape) {
  const ad::matrix<double> copy = matrix.template cast<double>();
  return {std::move(shape), {copy.data(), copy.data() + copy.size()}};
}

} // namespace golden
