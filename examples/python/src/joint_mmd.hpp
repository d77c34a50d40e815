/// @file
/// The joint MMD of a number of layers with compiled kernels.
#pragma once

#include "kernels.hpp"

#include "dalib/measure/joint_mmd.hpp"

namespace dalib_python {

namespace detail {
template <class T, std::size_t... L>
auto layers_of(std::index_sequence<L...>, std::span<const array> arrays, const array& weights) {
  return dalib::layers(sample_of<T>(arrays[L], weights)...);
}
template <family... Kinds, std::size_t... L>
auto kernels_of(std::index_sequence<L...>, const plan& p) {
  return dalib::layer_kernels(make_kernel<Kinds>(p.kernels[L])...);
}
} // namespace detail

/// Inputs: the layers of the source, then those of the target.
template <family... Kinds>
double run_joint_mmd(const plan& p, const request& r) {
  constexpr std::size_t count = sizeof...(Kinds);
  using layers = std::make_index_sequence<count>;
  return by_scalar(r, [&](auto number) -> double {
    using T = decltype(number);
    const auto source = detail::layers_of<T>(layers{}, r.inputs.first(count), r.weights[0]);
    const auto target = detail::layers_of<T>(layers{}, r.inputs.last(count), r.weights[1]);
    return with_estimator(p.chosen.estimator, [&](const auto& estimator) -> double {
      const dalib::joint_mmd loss{detail::kernels_of<Kinds...>(layers{}, p), estimator};
      if (!r.gradient) return loss(execution_of(r), source, target, scratch_of_thread());
      dalib::layer_gradients<T, count> out;
      for (std::size_t l = 0; l < count; ++l) {
        out.source[l] = r.outputs[l].write<T>();
        out.target[l] = r.outputs[count + l].write<T>();
      }
      out.scale = static_cast<T>(r.scale);
      return loss.value_and_gradient(execution_of(r), source, target, out, scratch_of_thread());
    });
  });
}

} // namespace dalib_python
