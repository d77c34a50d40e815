/// @file
/// Running a loss of one tensor or of two through a tensor of Eigen and one of xtensor, or a device tensor: few instantiations.
#pragma once

#include "tensors.hpp"
#include "two_sample.hpp"

#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace golden {

using outputs_map = std::map<std::string, array>;

/// Calls compute(tag<Tensor>) -> outputs for each kind of tensor.
template <class T, class Compute>
std::vector<outcome> through_kinds(const Compute& compute) {
  std::vector<outcome> results;
  const auto run = [&]<class Tensor>(tag<Tensor> kind) { results.push_back({Tensor::kind(), compute(kind), {}}); };
#ifdef DALIB_TEST_THRUST
  run(tag<device_tensor<T>>{});
#else
  run(tag<eigen_tensor<T, Eigen::ColMajor>>{});
#  ifdef DALIB_TEST_XTENSOR
  run(tag<xtensor_matrix<T>>{});
#  endif
#endif
  return results;
}

template <class T>
array scalar(T value) {
  return array(static_cast<double>(value));
}
inline array vector_array(const std::vector<double>& values) { return array(std::span<const double>(values)); }

/// The value alone must be the value that comes with gradients.
template <class T>
void require_same_value(T alone, T with_gradient) {
  if (alone != with_gradient) throw std::runtime_error("the value alone differs from the value with gradients");
}

/// Loss and gradient of a measure of one tensor.
template <class T, class Measure>
std::vector<outcome> run_one(const test_case& test, const std::string& name, const Measure& measure, const outputs_map& more = {}) {
  return through_kinds<T>([&]<class Tensor>(tag<Tensor>) {
    Tensor x(test.input(name)), g(unwritten_like(test.input(name)));
    const T value = measure.value_and_gradient(tensor_policy{}, x.get(), dalib::gradient{g.get()});
    require_same_value(measure(tensor_policy{}, x.get()), value);
    outputs_map result{{"loss", scalar(value)}, {"grad." + name, g.read()}};
    result.insert(more.begin(), more.end());
    return result;
  });
}

/// Loss and gradients of a measure of two tensors.
template <class T, class Measure>
std::vector<outcome> run_two(const test_case& test, const std::string& first, const std::string& second, const Measure& measure,
                             const outputs_map& more = {}) {
  return through_kinds<T>([&]<class Tensor>(tag<Tensor>) {
    Tensor x(test.input(first)), y(test.input(second)), gx(unwritten_like(test.input(first))), gy(unwritten_like(test.input(second)));
    const T value = measure.value_and_gradient(tensor_policy{}, x.get(), y.get(), dalib::gradients{gx.get(), gy.get()});
    require_same_value(measure(tensor_policy{}, x.get(), y.get()), value);
    outputs_map result{{"loss", scalar(value)}, {"grad." + first, gx.read()}, {"grad." + second, gy.read()}};
    result.insert(more.begin(), more.end());
    return result;
  });
}

/// An input as an Eigen matrix.
template <class T>
Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic> dense_input(const test_case& test, const std::string& name) {
  return eigen_tensor<T, Eigen::ColMajor>(test.input(name)).get();
}

} // namespace golden
