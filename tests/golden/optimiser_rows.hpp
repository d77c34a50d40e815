/// @file
/// Cases of an optimiser with given gradients: row i of p0 is the one parameter of group i.
#pragma once

#include "networks.hpp"

#include <cstddef>
#include <utility>
#include <vector>

namespace golden {

template <class T>
class optimiser_rows {
public:
  explicit optimiser_rows(const test_case& test) : test_(test) {
    const ad::matrix<T> p0 = matrix_of<T>(test.input("p0"));
    for (Eigen::Index i = 0; i < p0.rows(); ++i) {
      rows_.push_back(ad::parameter(p0.row(i)));
      groups_.push_back({{rows_.back()}, test.params.at("lr_mult").at(static_cast<std::size_t>(i))});
    }
  }

  const std::vector<nn::parameter_group<T>>& groups() const { return groups_; }

  /// The parameters before the first step and after each one; `before_step()` may set a learning rate.
  template <class Optimiser, class BeforeStep>
  array trajectory(Optimiser& optimiser, const BeforeStep& before_step) {
    const array& start = test_.input("p0");
    const int steps = test_.param<int>("steps");
    const auto count = static_cast<Eigen::Index>(rows_.size());
    const ad::matrix<T> gradients =
        Eigen::Map<const ad::matrix<double>>(test_.input("gradients").values.data(), steps * count, start.cols()).template cast<T>();
    std::vector<double> values = start.values;
    for (int step = 0; step < steps; ++step) {
      before_step();
      optimiser.clear_gradients();
      for (Eigen::Index i = 0; i < count; ++i)
        rows_[static_cast<std::size_t>(i)].add_gradient([&](ad::map<T> target, ad::write) { target = gradients.row(step * count + i); });
      optimiser.step();
      for (const ad::variable<T>& row : rows_)
        for (Eigen::Index j = 0; j < row.cols(); ++j) values.push_back(static_cast<double>(row.value()(0, j)));
    }
    return {{steps + 1, start.rows(), start.cols()}, std::move(values)};
  }

private:
  const test_case& test_;
  std::vector<ad::variable<T>> rows_;
  std::vector<nn::parameter_group<T>> groups_;
};

} // namespace golden
