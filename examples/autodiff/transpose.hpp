#pragma once
#include <dalib/core/transpose_square.hpp>

#include "parallel.hpp"

namespace dalib::ad {

/// to(c, r) = from(r, c) for a rows x cols matrix with the given distances between rows; squares as large as a register, so that both sides
/// stay in cache.
template <class Scalar>
void transpose(const Scalar* from, index_t from_stride, Scalar* to, index_t to_stride, index_t rows, index_t cols) {
  constexpr index_t block = simd_lanes<Scalar>;
  for (index_t c = 0; c < cols; c += block)
    for (index_t r = 0; r < rows; r += block) {
      const index_t last_row = std::min(rows, r + block), last_col = std::min(cols, c + block);
      if (r + block <= rows && c + block <= cols) {
        transpose_square(from + r * from_stride + c, from_stride, to + c * to_stride + r, to_stride);
        continue;
      }
      for (index_t i = r; i < last_row; ++i)
        for (index_t j = c; j < last_col; ++j) to[j * to_stride + i] = from[i * from_stride + j];
    }
}

} // namespace dalib::ad
