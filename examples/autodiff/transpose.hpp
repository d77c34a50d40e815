#pragma once
#include "parallel.hpp"

namespace dalib::ad {

/// to(c, r) = from(r, c) for a rows x cols matrix with the given distances between rows; small blocks, so that both sides stay in cache.
template <class Scalar>
void transpose(const Scalar* from, index from_stride, Scalar* to, index to_stride, index rows, index cols) {
  constexpr index block = 16;
  for (index c = 0; c < cols; c += block)
    for (index r = 0; r < rows; r += block) {
      const index last_row = std::min(rows, r + block), last_col = std::min(cols, c + block);
      for (index i = r; i < last_row; ++i)
        for (index j = c; j < last_col; ++j) to[j * to_stride + i] = from[i * from_stride + j];
    }
}

} // namespace dalib::ad
