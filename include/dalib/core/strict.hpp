/// @file
/// What must hold under -ffast-math too: arithmetic in the written order, and the question whether a number is finite.
#pragma once

#include "dalib/config.hpp"

#include <concepts>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace dalib {

/// @internal
/// Hides from the compiler how `value` (a number or a register of them) was made, so that no expression is rearranged across this place:
/// -fassociative-math would turn (x + big) - big into x. No instruction comes of it. Not under nvcc, whose host code must not be compiled
/// with such flags.
template <class V>
[[gnu::always_inline]] DALIB_HD inline void keep_as_written([[maybe_unused]] V& value) {
#if !defined(__CUDACC__)
#  if defined(__AVX512F__)
  asm("" : "+v"(value));
#  elif defined(__SSE2__)
  asm("" : "+x"(value));
#  elif defined(__aarch64__)
  asm("" : "+w"(value));
#  else
  asm("" : "+m"(value));
#  endif
#endif
}

/// `value`, made before what is done with it, where the flags would turn (x - big) - small into x - (big + small). Without such flags it is
/// nothing at all; with them a loop that has it is not vectorised (__builtin_assoc_barrier does not survive g++ 12's vectoriser).
template <std::floating_point T>
[[gnu::always_inline]] DALIB_HD inline T as_written(T value) {
#if defined(__ASSOCIATIVE_MATH__) || defined(__FAST_MATH__)
  keep_as_written(value);
#endif
  return value;
}

/// Neither NaN nor infinite, by the number's bits: under -ffinite-math-only std::isfinite and x == x are true of everything.
template <std::floating_point T>
requires(sizeof(T) == 4 || sizeof(T) == 8) DALIB_HD inline bool is_finite(T x) {
  using bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  constexpr bits exponent = sizeof(T) == 4 ? bits{0x7f800000} : static_cast<bits>(std::uint64_t{0x7ff0000000000000});
  bits value;
  std::memcpy(&value, &x, sizeof(value));
  return (value & exponent) != exponent;
}

} // namespace dalib
