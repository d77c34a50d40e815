/// @file
/// Running a two-sample measure of a case's z_s and z_t through every kind of tensor.
#pragma once

#include "groups.hpp"
#include "tensors.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace golden {

/// A tensor of the source's shape full of a number that no gradient has, so that an element that is not written shows.
inline array unwritten_like(const array& source) { return {source.shape, std::vector<double>(source.values.size(), 12345.0)}; }

/// Calls `compute(zs, zt, gs, gt)`, which writes the gradients and returns the loss, with tensors of each kind with elements T.
template <class T, class Compute>
void run_two_sample(const test_case& test, const std::string& label, std::vector<outcome>& results, Compute&& compute) {
  const array& source = test.input("z_s");
  const array& target = test.input("z_t");
  for_each_tensor_kind<T>([&](const tensor_kind<T>& kind) {
    any_tensor<T> zs = kind(source), zt = kind(target), gs = kind(unwritten_like(source)), gt = kind(unwritten_like(target));
    const auto loss = static_cast<double>(compute(zs, zt, gs, gt));
    results.push_back({label + ", " + kind.name, {{"loss", array(loss)}, {"grad.z_s", gs.read()}, {"grad.z_t", gt.read()}}, {}});
  });
}

/// Runs a measure by its primary form on every kind of tensor, and once by the value-only and the allocating form.
template <class T, class Measure>
void run_measure(const test_case& test, const std::string& label, std::vector<outcome>& results, const Measure& measure) {
  run_two_sample<T>(test, label, results, [&](auto& zs, auto& zt, auto& gs, auto& gt) {
    return measure.value_and_gradient(tensor_policy{}, zs, zt, dalib::gradients{gs, gt});
  });
  plain_tensor<T> zs(test.input("z_s")), zt(test.input("z_t")), gs(test.input("z_s")), gt(test.input("z_t"));
  auto computed = dalib::value_and_gradient(measure, tensor_policy{}, zs.get(), zt.get());
  gs.get() = computed.source;
  gt.get() = computed.target;
  const auto loss = static_cast<double>(measure(tensor_policy{}, zs.get(), zt.get()));
  results.push_back(
      {label + ", value only and allocated gradients", {{"loss", array(loss)}, {"grad.z_s", gs.read()}, {"grad.z_t", gt.read()}}, {}});
}

} // namespace golden
