/// @file
/// Transposed copies of row-major matrices.
#pragma once

#include "dalib/simd/transpose_square.hpp"

#include <algorithm>
#include <type_traits>

namespace dalib {

/// to(j, i) = from(i, j): squares of one register's lanes go through registers, what is left at the borders number by number. Square by
/// square, so that the lines of both sides stay in the first-level cache.
///
/// @param from  rows x cols, a row's elements side by side (col_stride 1)
/// @param to    cols x rows, likewise; may not overlap `from`
///
/// @code{.cpp}
/// const float from[6] = {1, 2, 3, 4, 5, 6};
/// float to[6];
/// transpose({from, 2, 3}, matrix_view<float>(to, 3, 2));
/// assert(to[0] == 1 && to[1] == 4 && to[5] == 6);
/// @endcode
template <class T>
void transpose(const matrix_view<const std::type_identity_t<T>>& from, const matrix_view<T>& to) {
  constexpr index_t square = simd_lanes<T>;
  for (index_t j = 0; j < from.cols; j += square)
    for (index_t i = 0; i < from.rows; i += square) {
      if (i + square <= from.rows && j + square <= from.cols) {
        transpose_square(&from(i, j), from.row_stride, &to(j, i), to.row_stride);
        continue;
      }
      for (index_t r = i; r < std::min(from.rows, i + square); ++r)
        for (index_t c = j; c < std::min(from.cols, j + square); ++c) to(c, r) = from(r, c);
    }
}

} // namespace dalib
