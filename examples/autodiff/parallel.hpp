#pragma once
#include <algorithm>

#include <dalib/execution/openmp.hpp>

#include "tensor.hpp"

namespace dalib::ad {

/// Calls body(i) for i in [0, count) on the threads of the library's default policy. The tasks must be independent; which thread runs which
/// is unspecified, so every task has to be cut by the size of the problem and never by the number of threads.
template <class Body>
void parallel_for(index_t count, const Body& body) {
  exec::default_policy{}.run(count, [&](index_t i, int) { body(i); });
}

/// Cuts [0, size) into blocks of `block` (the last may be shorter) and calls body(begin, end) for each, on all threads.
template <class Body>
void parallel_blocks(index_t size, index_t block, const Body& body) {
  const index_t count = (size + block - 1) / block;
  parallel_for(count, [&](index_t i) { body(i * block, std::min(size, (i + 1) * block)); });
}

/// Block length of element-wise loops: large enough to pay for a task, small enough to balance.
inline constexpr index_t elements_per_block = 16384;

/// Most partial sums of a reduction over rows.
inline constexpr index_t most_row_blocks = 64;

/// Rows per block of an operation over the rows of a matrix with `cols` columns.
inline index_t rows_per_block(index_t cols) { return std::max<index_t>(1, elements_per_block / std::max<index_t>(1, cols)); }

} // namespace dalib::ad
