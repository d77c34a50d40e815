/// @file
/// Sums that a CPU adds in whole registers and a thread of a GPU in order, as the same source.
#pragma once

#include "dalib/core/matrix_view.hpp"
#include "dalib/simd/vector_math.hpp"

namespace dalib {

/// Independent partial sums: enough for whole registers on the CPU; a thread of a GPU adds in order.
#if defined(__CUDA_ARCH__)
template <class T>
inline constexpr int sum_partials = 1;
#else
template <class T>
inline constexpr int sum_partials = 4 * simd_lanes<T>;
#endif

/// Calls add(i, partial) for i in [0, count): neighbouring i go to different partial sums, so the compiler may use whole registers without
/// reordering additions.
template <class T, class Add>
DALIB_HD void for_each_partial(index_t count, const Add& add) {
  constexpr int partials = sum_partials<T>;
  index_t i = 0;
  for (; i + partials <= count; i += partials)
    for (int p = 0; p < partials; ++p) add(i + p, p);
  for (int p = 0; i < count; ++i, ++p) add(i, p);
}

/// Sum of a power of two of numbers, half onto half: whole registers as long as there are any, where one number after the other would wait
/// for each addition.
template <class T, int Count>
DALIB_HD T sum_by_halves(T (&numbers)[Count]) {
  static_assert((Count & (Count - 1)) == 0);
  for (int half = Count / 2; half > 0; half /= 2)
    for (int p = 0; p < half; ++p) numbers[p] += numbers[p + half];
  return numbers[0];
}

} // namespace dalib
