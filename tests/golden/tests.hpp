/// @file
/// Running a test of a case's samples through a tensor of Eigen, and of xtensor; or of a device.
#pragma once

#include "any_kernel.hpp"
#include "tensors.hpp"

#include <cstdint>
#include <dalib/inference/result.hpp>
#include <string>
#include <vector>

namespace golden {

/// Draws of a case, kept for a call.
class case_draws {
public:
  explicit case_draws(const test_case& test) : test_(test) {}

  /// An input of integers as permutations; no data if the case has none of that name.
  dalib::matrix_view<const std::int64_t> integers(const std::string& name) {
    if (!test_.inputs.contains(name)) return {};
    const array& source = test_.input(name);
    integers_.push_back(source.integers());
    return {integers_.back().data(), source.rows(), source.cols()};
  }
  dalib::matrix_view<const double> numbers(const std::string& name) const {
    if (!test_.inputs.contains(name)) return {};
    const array& source = test_.input(name);
    return {source.values.data(), source.rows(), source.cols()};
  }

private:
  const test_case& test_;
  std::vector<std::vector<std::int64_t>> integers_;
};

/// What the case asks of every test.
inline dalib::inference::test_options options_of(const test_case& test) {
  return {.alpha = test.param<double>("alpha"), .keep_null = true};
}

inline array flag(bool value) { return array(value ? 1.0 : 0.0); }
inline array vector_of(const std::vector<double>& values) { return array(std::span<const double>(values)); }

/// Outputs of a test that counts; `null_name` is what the set calls its null sample.
inline std::map<std::string, array> outputs_of(const dalib::inference::test_result& r, const std::string& null_name) {
  return {{"statistic", array(r.statistic)},
          {"p_value", array(r.p_value)},
          {"threshold", array(r.threshold)},
          {"reject", flag(r.reject)},
          {null_name, vector_of(r.null_sample)}};
}

/// Outputs of a test with a fitted gamma law.
template <class Result>
std::map<std::string, array> gamma_outputs(const Result& r) {
  std::map<std::string, array> outputs; // filled one by one: nvcc 13.0 writes a list of them as no C++
  outputs["statistic"] = array(r.statistic);
  outputs["mean"] = array(r.mean);
  outputs["variance"] = array(r.variance);
  outputs["shape"] = array(r.shape);
  outputs["scale"] = array(r.scale);
  outputs["p_value"] = array(r.p_value);
  outputs["threshold"] = array(r.threshold);
  return outputs;
}

/// Calls compute(x, y) -> outputs with the samples as tensors with elements T.
template <class T, class Compute>
std::vector<outcome> through_tensors(const test_case& test, const Compute& compute, const char* first = "X", const char* second = "Y") {
  std::vector<outcome> results;
  const auto run = [&]<class Tensor>(tag<Tensor>) {
    Tensor x(test.input(first)), y(test.input(second));
    results.push_back({Tensor::kind(), compute(x.get(), y.get()), {}});
  };
  run(tag<plain_tensor<T>>{});
#if defined(DALIB_TEST_XTENSOR) && !defined(DALIB_TEST_THRUST)
  run(tag<xtensor_matrix<T>>{});
#endif
  return results;
}

} // namespace golden
