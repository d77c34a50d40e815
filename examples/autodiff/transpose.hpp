#pragma once
#include <dalib/core/transpose_square.hpp>

#include "parallel.hpp"

namespace dalib::ad {

/// to(c, r) = from(r, c) for a rows x cols matrix with the given distances between rows; squares as large as a register, so that both sides
/// stay in cache.
template <class Scalar>
void transpose(const Scalar* from, index from_stride, Scalar* to, index to_stride, index rows, index cols) {
  constexpr index block = simd_lanes<Scalar>;
  for (index c = 0; c < cols; c += block)
    for (index r = 0; r < rows; r += block) {
      const index last_row = std::min(rows, r + block), last_col = std::min(cols, c + block);
      if (r + block <= rows && c + block <= cols) {
        transpose_square(from + r * from_stride + c, from_stride, to + c * to_stride + r, to_stride);
        continue;
      }
      for (index i = r; i < last_row; ++i)
        for (index j = c; j < last_col; ++j) to[j * to_stride + i] = from[i * from_stride + j];
    }
}

} // namespace dalib::ad
