/// @file
/// The squared MMD with one of the compiled kernels; included by one file for each family, which are compiled side by side.
#pragma once

#include "kernels.hpp"

#include "dalib/measure/mmd.hpp"

namespace dalib_python {

template <family Kind>
double run_mmd(const plan& p, const request& r) {
  return by_scalar(r, [&](auto number) -> double {
    using T = decltype(number);
    const auto source = sample_of<T>(r.inputs[0], r.weights[0]), target = sample_of<T>(r.inputs[1], r.weights[1]);
    constexpr bool drawn = Kind == family::gaussian_ladder || Kind == family::radial;
    return with_estimator<drawn>(p.chosen.estimator, [&](const auto& estimator) -> double {
      const dalib::mmd loss{make_kernel<Kind>(p.kernels.front()), estimator};
      if (!r.gradient) return loss(execution_of(r), source, target, scratch_of_thread());
      const dalib::gradients<T> out{r.outputs[0].write<T>(), r.outputs[1].write<T>(), static_cast<T>(r.scale)};
      return loss.value_and_gradient(execution_of(r), source, target, out, scratch_of_thread());
    });
  });
}

} // namespace dalib_python
