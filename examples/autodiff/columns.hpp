#pragma once
#include "parallel.hpp"

namespace dalib::ad {
namespace detail {
template <class Scalar>
using row_map = Eigen::Map<Eigen::Array<Scalar, 1, Eigen::Dynamic>>;
template <class Scalar>
row_map<Scalar> as_row(const tensor<Scalar>& x, index_t row = 0) {
  return {x.data() + row * x.cols(), x.cols()};
}
} // namespace detail

/// Sums over the rows, one per column: sum(row) is called as term(row, accumulator array of `cols` elements).
///
/// Blocks of rows are summed on their own and added in order, so the result does not depend on the number of threads.
/// @return a 1 x cols tensor
template <class Scalar, class Term>
tensor<Scalar> sum_over_rows(index_t rows, index_t cols, const Term& term) {
  const index_t block = std::max<index_t>(rows_per_block(cols), (rows + most_row_blocks - 1) / most_row_blocks);
  const index_t blocks = std::max<index_t>(1, (rows + block - 1) / block);
  const auto partial = tensor<Scalar>::zeros(blocks, cols);
  parallel_for(blocks, [&](index_t b) {
    auto sum = detail::as_row(partial, b);
    for (index_t row = b * block; row < std::min(rows, (b + 1) * block); ++row) term(row, sum);
  });
  auto total = detail::as_row(partial);
  for (index_t b = 1; b < blocks; ++b) total += detail::as_row(partial, b);
  return partial.row_block(0, 1);
}

template <class Scalar>
tensor<Scalar> column_sums(const tensor<Scalar>& x) {
  const map<Scalar> values = x.view();
  return sum_over_rows<Scalar>(x.rows(), x.cols(), [&](index_t row, auto& sum) { sum += values.row(row).array(); });
}

} // namespace dalib::ad
