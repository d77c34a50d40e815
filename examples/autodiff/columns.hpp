#pragma once
#include "parallel.hpp"

namespace dalib::ad {

/// Sums over the rows, one per column: sum(row) is called as term(row, accumulator array of `cols` elements).
///
/// Blocks of rows are summed on their own and added in order, so the result does not depend on the number of threads.
/// @return a 1 x cols tensor
template <class Scalar, class Term>
tensor<Scalar> sum_over_rows(index_t rows, index_t cols, const Term& term) {
  using row_array = Eigen::Map<Eigen::Array<Scalar, 1, Eigen::Dynamic>>;
  const index_t block = std::max<index_t>(rows_per_block(cols), (rows + most_row_blocks - 1) / most_row_blocks);
  const index_t blocks = std::max<index_t>(1, (rows + block - 1) / block);
  const auto partial = tensor<Scalar>::zeros(blocks, cols);
  parallel_for(blocks, [&](index_t b) {
    row_array sum(partial.data() + b * cols, cols);
    for (index_t row = b * block; row < std::min(rows, (b + 1) * block); ++row) term(row, sum);
  });
  row_array total(partial.data(), cols);
  for (index_t b = 1; b < blocks; ++b) total += row_array(partial.data() + b * cols, cols);
  return partial.row_block(0, 1);
}

template <class Scalar>
tensor<Scalar> column_sums(const tensor<Scalar>& x) {
  const map<Scalar> values = x.view();
  return sum_over_rows<Scalar>(x.rows(), x.cols(), [&](index_t row, auto& sum) { sum += values.row(row).array(); });
}

} // namespace dalib::ad
