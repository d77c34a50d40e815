/// @file
/// Loops whose indices are known at compile time.
#pragma once

#include <type_traits>
#include <utility>

namespace dalib::detail {

/// Calls f(0), f(1), ... f(Count - 1) with compile-time indices, so that accumulators stay in registers.
template <int... I, class F>
[[gnu::always_inline]] inline void unroll(std::integer_sequence<int, I...>, F&& f) {
  (f(std::integral_constant<int, I>{}), ...);
}
template <int Count, class F>
[[gnu::always_inline]] inline void unroll(F&& f) {
  unroll(std::make_integer_sequence<int, Count>{}, std::forward<F>(f));
}

} // namespace dalib::detail
