/// @file
/// From a kernel chosen at run time to the library's kernel types, one function for each compiled kernel.
#pragma once

#include "plan.hpp"

#include "dalib/kernel/centred_terms.hpp"
#include "dalib/kernel/composite.hpp"
#include "dalib/kernel/gaussian.hpp"
#include "dalib/kernel/linear.hpp"

namespace dalib_python {

namespace k = dalib::kernel;

template <family Kind>
auto make_kernel(const kernel_choice& c) {
  if constexpr (Kind == family::gaussian_ladder)
    return k::gaussian_ladder<any_bandwidth>(c.first_alpha, c.count, c.bandwidth);
  else if constexpr (Kind == family::radial)
    return c.expression;
  else if constexpr (Kind == family::linear)
    return c.factor * k::linear{};
  else if constexpr (Kind == family::polynomial)
    return c.factor * c.polynomial;
  else if constexpr (Kind == family::mixed)
    return c.expression + c.linear_weight * k::linear{};
  else if constexpr (Kind == family::mixed_polynomial)
    return c.expression + (c.linear_weight * k::linear{} + c.polynomial_weight * c.polynomial);
  else if constexpr (Kind == family::cosine)
    return c.factor * k::cosine{};
  else
    return c.factor * k::laplacian_l1{c.l1_scale};
}

} // namespace dalib_python
