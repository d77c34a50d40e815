/// @file
/// MK-MMD with the kernel weights of DALIB's quadratic program.
#include "kernels.hpp"

#include "dalib/compat/quadratic_program.hpp"
#include "dalib/measure/multi_kernel.hpp"

namespace dalib_python {

namespace {
double run_weighted_mmd(const plan& p, const request& r) {
  return by_scalar(r, [&](auto number) -> double {
    using T = decltype(number);
    const auto source = sample_of<T>(r.inputs[0], r.weights[0]), target = sample_of<T>(r.inputs[1], r.weights[1]);
    const auto run = [&](const auto& estimator) -> double {
      const dalib::weighted_mmd loss{make_kernel<family::gaussian_ladder>(p.kernels.front()), estimator,
                                     dalib::compat::quadratic_program{}};
      if (!r.gradient) return loss(execution_of(r), source, target, scratch_of_thread());
      const dalib::gradients<T> out{r.outputs[0].write<T>(), r.outputs[1].write<T>(), static_cast<T>(r.scale)};
      return loss.value_and_gradient(execution_of(r), source, target, out, scratch_of_thread());
    };
    const estimator_choice& choice = p.chosen.estimator;
    if (choice.block_rows != 0) throw std::invalid_argument("weighted_mmd: blocks and drawn pairs are not compiled into this package");
    if (choice.kind == estimator_choice::linear_time || choice.kind == estimator_choice::ring) return run(any_quadruples{choice.kind});
    return run(any_full_pair{choice.kind});
  });
}
} // namespace

plan::function weighted_mmd_for(family kind) {
  if (kind != family::gaussian_ladder)
    throw std::invalid_argument("weighted_mmd: only kernel.gaussian_ladder is compiled into this package, not this kernel");
  return run_weighted_mmd;
}

} // namespace dalib_python
