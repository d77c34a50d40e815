/// @file
/// Kernel matrices of one or two samples with one of the compiled kernels, and their pull-back.
#pragma once

#include "kernels.hpp"

#include "dalib/engine/kernel_matrix.hpp"

namespace dalib_python {

/// Inputs x, or x and y; the matrix goes to outputs[0].
template <family Kind>
double run_kernel_matrix(const plan& p, const request& r) {
  return by_scalar(r, [&](auto number) -> double {
    using T = decltype(number);
    const auto kernel = make_kernel<Kind>(p.kernels.front());
    if (r.inputs.size() == 1)
      dalib::kernel_matrix(execution_of(r), kernel, r.inputs[0].read<T>(), r.outputs[0].write<T>());
    else
      dalib::kernel_matrix(execution_of(r), kernel, r.inputs[0].read<T>(), r.inputs[1].read<T>(), r.outputs[0].write<T>());
    return 0;
  });
}

/// Inputs x, or x and y, then the upstream gradient R; returns sum R k and writes its gradients.
template <family Kind>
double run_kernel_matrix_gradient(const plan& p, const request& r) {
  return by_scalar(r, [&](auto number) -> double {
    using T = decltype(number);
    const auto kernel = make_kernel<Kind>(p.kernels.front());
    const auto x = r.inputs[0].read<T>(), upstream = r.inputs.back().read<T>();
    if (r.inputs.size() == 2) return dalib::kernel_matrix_gradient(execution_of(r), kernel, x, upstream, r.outputs[0].write<T>());
    const dalib::gradients<T> out{r.outputs[0].write<T>(), r.outputs[1].write<T>()};
    return dalib::kernel_matrix_gradient(execution_of(r), kernel, x, r.inputs[1].read<T>(), upstream, out);
  });
}

} // namespace dalib_python
