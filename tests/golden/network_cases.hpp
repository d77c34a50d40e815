/// @file
/// Feed-forward networks of golden cases, and the gradients of their parameters.
#pragma once

#include "loss_cases.hpp"

#include <dalib/measure/network/feed_forward.hpp>

#include <deque>
#include <string>
#include <vector>

namespace golden {

inline dalib::hidden_activation activation_of(const test_case& test) {
  const auto name = test.param<std::string>("activation");
  if (name == "relu") return dalib::hidden_activation::relu;
  if (name == "leaky_relu") return dalib::hidden_activation::leaky_relu;
  if (name == "elu") return dalib::hidden_activation::elu;
  if (name == "tanh") return dalib::hidden_activation::tanh;
  unknown("activation", name);
}

/// A view, or a matrix, as an array.
template <class View>
array array_of_view(const View& view) {
  std::vector<double> values;
  for (std::ptrdiff_t i = 0; i < view.rows; ++i)
    for (std::ptrdiff_t j = 0; j < view.cols; ++j) values.push_back(static_cast<double>(view(i, j)));
  return {{view.rows, view.cols}, std::move(values)};
}
template <class Matrix>
array array_of_matrix(const Matrix& matrix) {
  return array_of_view(dalib::const_view_of(matrix));
}

/// Layers `<prefix>fc1`, `<prefix>fc2`, ... of a case, with room for their gradients.
template <class T>
class case_network {
public:
  case_network(const test_case& test, const std::string& prefix) : activation_(activation_of(test)) {
    for (int l = 1; test.inputs.contains(prefix + "fc" + std::to_string(l) + ".weight"); ++l) {
      const std::string name = prefix + "fc" + std::to_string(l);
      names_.push_back(name);
      weights_.emplace_back(dense_input<T>(test, name + ".weight"));
      slopes_.emplace_back(weights_.back());
      const std::vector<double>& bias = test.input(name + ".bias").values;
      biases_.emplace_back(bias.begin(), bias.end());
      bias_slopes_.emplace_back(bias.size(), T(7)); // to be overwritten
      layers_.push_back({dalib::const_view_of(weights_.back()), biases_.back().data()});
      gradients_.push_back({dalib::view_of(slopes_.back()), bias_slopes_.back().data()});
    }
  }
  case_network(const case_network&) = delete;
  case_network& operator=(const case_network&) = delete;

  dalib::feed_forward<T> network() const { return {layers_, activation_}; }
  dalib::network_gradients<T> gradients() const { return {gradients_}; }

  void add_to(outputs_map& outputs) const {
    for (std::size_t l = 0; l < names_.size(); ++l) {
      outputs.emplace("grad." + names_[l] + ".weight", array_of_matrix(slopes_[l]));
      outputs.emplace("grad." + names_[l] + ".bias", array(std::span<const T>(bias_slopes_[l])));
    }
  }

private:
  using matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;

  dalib::hidden_activation activation_;
  std::vector<std::string> names_;
  std::deque<matrix> weights_, slopes_; // views refer to them
  std::deque<std::vector<T>> biases_, bias_slopes_;
  std::vector<dalib::dense_layer<const T>> layers_;
  std::vector<dalib::dense_layer<T>> gradients_;
};

} // namespace golden
