/// @file
/// What a machine offers the engines: one page, one template, `backend<Memory>`, specialised once for each memory.
#pragma once

#include "dalib/core/matrix_view.hpp"

namespace dalib {

namespace engine {

/// A product is written as alpha A B + beta C. With beta 0 what was in C is not read, so it may be NaN.
template <class T>
struct product_scale {
  T alpha = T(1);
  T beta = T(0);
};

} // namespace engine

namespace detail {
template <class Memory>
inline constexpr bool has_backend = false;
}

/// The machine whose tensors lie in `Memory`. The library has that of the host's memory (engine/host/backend.hpp) and that of a Thrust
/// device (engine/thrust/backend.hpp); another machine specialises this template. It has no data and only static members:
///
/// | member | what it does |
/// |---|---|
/// | `execution` | the policy of calls without one |
/// | `cached_bytes` | what a pass writes for the next one to read is best at most so large |
/// | `synchronise(exec)` | waits until all that was run is done |
/// | `copy_from_host(exec, from, count, to)` | copies contiguous numbers of the host into this memory; the host's may change on return |
/// | `copy_to_host(exec, from, count, to)` | copies them back, and waits for them |
/// | `for_each_entry(exec, rows, cols, task)` | calls `task(row, col, count)` for parts of rows that cover a matrix: whole rows, or single entries |
/// | `product(exec, a, b, c, scale, scratch)` | c = alpha a b + beta c, for views with any strides; see engine/product.hpp |
template <class Memory>
struct backend {
  static_assert(detail::has_backend<Memory>,
                "dalib: no machine works on tensors in this memory. Include its header (dalib/thrust.hpp ...), or specialise dalib::backend; "
                "dalib/engine/backend.hpp says what it must offer");
};

} // namespace dalib
