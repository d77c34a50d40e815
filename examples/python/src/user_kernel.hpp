/// @file
/// What stands around a user's kernel in the library that dalib_cpp.kernel.compile makes: one operation behind a C interface.
/// DALIB_PYTHON_OPERATION says which: mmd, kernel_matrix or kernel_matrix_gradient.
#pragma once

#include "c_call.hpp"
#include "policies.hpp"

#include "dalib/engine/kernel_matrix.hpp"
#include "dalib/kernel/composite.hpp"
#include "dalib/kernel/from_value.hpp"
#include "dalib/measure/mmd.hpp"

#include <cstdio>
#include <exception>

namespace dalib_python::operation {

template <class Kernel>
double mmd(const Kernel& kernel, const c_call& c, const request& r) {
  return by_scalar(r, [&](auto number) -> double {
    using T = decltype(number);
    const auto source = sample_of<T>(r.inputs[0], r.weights[0]), target = sample_of<T>(r.inputs[1], r.weights[1]);
    const estimator_choice choice{static_cast<estimator_choice::kind_type>(c.estimator), c.block_rows};
    return with_estimator(choice, [&](const auto& estimator) -> double {
      const dalib::mmd loss{kernel, estimator};
      if (!r.gradient) return loss(execution_of(r), source, target, scratch_of_thread());
      const dalib::gradients<T> out{r.outputs[0].write<T>(), r.outputs[1].write<T>(), static_cast<T>(r.scale)};
      return loss.value_and_gradient(execution_of(r), source, target, out, scratch_of_thread());
    });
  });
}

template <class Kernel>
double kernel_matrix(const Kernel& kernel, const c_call&, const request& r) {
  return by_scalar(r, [&](auto number) -> double {
    using T = decltype(number);
    if (r.inputs.size() == 1)
      dalib::kernel_matrix(execution_of(r), kernel, r.inputs[0].read<T>(), r.outputs[0].write<T>());
    else
      dalib::kernel_matrix(execution_of(r), kernel, r.inputs[0].read<T>(), r.inputs[1].read<T>(), r.outputs[0].write<T>());
    return 0;
  });
}

template <class Kernel>
double kernel_matrix_gradient(const Kernel& kernel, const c_call&, const request& r) {
  return by_scalar(r, [&](auto number) -> double {
    using T = decltype(number);
    const auto x = r.inputs[0].read<T>(), upstream = r.inputs.back().read<T>();
    if (r.inputs.size() == 2) return dalib::kernel_matrix_gradient(execution_of(r), kernel, x, upstream, r.outputs[0].write<T>());
    const dalib::gradients<T> out{r.outputs[0].write<T>(), r.outputs[1].write<T>()};
    return dalib::kernel_matrix_gradient(execution_of(r), kernel, x, r.inputs[1].read<T>(), upstream, out);
  });
}

/// Runs an operation; an exception becomes its message.
template <class Kernel>
int run(c_call* c, const Kernel& kernel) {
  try {
    request r;
    r.scalar = static_cast<scalar_type>(c->scalar);
    r.threads = c->threads;
    r.gradient = c->gradient != 0;
    r.scale = c->scale;
    r.inputs = {c->inputs, static_cast<std::size_t>(c->input_count)};
    r.outputs = {c->outputs, static_cast<std::size_t>(c->output_count)};
    r.weights = {c->weights[0], c->weights[1]};
    c->value = DALIB_PYTHON_OPERATION(kernel, *c, r);
    return 0;
  } catch (const std::exception& error) {
    std::snprintf(c->message, static_cast<std::size_t>(c->message_size), "%s", error.what());
    return 1;
  }
}

} // namespace dalib_python::operation

/// The library's one function: `Value` holds the kernel's parameters and is s -> k(s).
#define DALIB_PYTHON_USER_KERNEL(Value, Statistic, ...)                                                                                    \
  extern "C" [[gnu::visibility("default")]] int dalib_cpp_call(dalib_python::c_call* c) {                                                  \
    const double* n = c->numbers;                                                                                                          \
    static_cast<void>(n);                                                                                                                  \
    return dalib_python::operation::run(c, n[0] * dalib::kernel::from_value<Statistic>(Value{__VA_ARGS__}));                               \
  }
