/// @file
/// What tests may expect under the flags that they are compiled with.
#pragma once

namespace support {

/// Whether sums may be reassociated and divisions be replaced by products of approximate inverses, as -ffast-math lets g++ do.
#if defined(__ASSOCIATIVE_MATH__) || defined(__FAST_MATH__)
inline constexpr bool relaxed_arithmetic = true;
#else
inline constexpr bool relaxed_arithmetic = false;
#endif

/// What errors may be multiplied by then (include/dalib/extending.md, "Compiler flags").
inline constexpr double flag_factor = relaxed_arithmetic ? 2 : 1;

} // namespace support
