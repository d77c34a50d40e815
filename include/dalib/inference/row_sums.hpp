/// @file
/// @internal
/// Row sums of a two-sample kernel matrix: all that variances of the MMD are made of.
#pragma once

#include "dalib/inference/pair_sums.hpp"

#include <vector>

namespace dalib::inference::detail {

/// Sums over the pairs of distinct rows. `own` and `paired` need no pass: k(z_i, z_i), and k(x_i, y_i) of paired samples.
struct kernel_row_sums {
  std::vector<double> within, across; ///< for each row: over its own sample, and over the other
  double within_source = 0, within_target = 0, across_all = 0;
  double squares_source = 0, squares_target = 0, squares_across = 0;
  std::vector<double> own, paired;
};

/// Values of anything with rows(), source_rows(), fill(place, to) and pair(i, j). One task for each range of rows, which adds along its
/// rows. O(n^2 F) time, O(n) memory; the same bits for any number of threads.
template <class Exec, class Blocks, class T = typename Blocks::value_type>
kernel_row_sums row_sums_of(const Exec& exec, const Blocks& kernel) {
  const index_t n = kernel.rows(), n_s = kernel.source_rows(), blocks = block_count(n);
  const auto size = static_cast<std::size_t>(n);
  kernel_row_sums result;
  result.within.resize(size);
  result.across.resize(size);
  result.own.resize(size);
  std::vector<double> within_squares(size), across_squares(size);
  exec.run(blocks, [&](index_t block, int) {
    const auto [row, rows] = block_range(block, n);
    std::vector<T> values(static_cast<std::size_t>(rows * block_rows));
    for (index_t other = 0; other < blocks; ++other) {
      const auto [col, cols] = block_range(other, n);
      kernel.fill({row, rows, col, cols}, values.data());
      for (index_t i = 0; i < rows; ++i) {
        const auto at = static_cast<std::size_t>(row + i);
        for (index_t j = 0; j < cols; ++j) {
          const auto value = static_cast<double>(values[static_cast<std::size_t>(i * cols + j)]);
          if (row + i == col + j) {
            result.own[at] = value;
          } else if ((row + i < n_s) == (col + j < n_s)) {
            result.within[at] += value;
            within_squares[at] += value * value;
          } else {
            result.across[at] += value;
            across_squares[at] += value * value;
          }
        }
      }
    }
  });
  for (index_t i = 0; i < n; ++i) {
    const auto at = static_cast<std::size_t>(i);
    (i < n_s ? result.within_source : result.within_target) += result.within[at];
    (i < n_s ? result.squares_source : result.squares_target) += within_squares[at];
    if (i < n_s) result.across_all += result.across[at];
    if (i < n_s) result.squares_across += across_squares[at];
  }
  if (2 * n_s == n)
    for (index_t i = 0; i < n_s; ++i) result.paired.push_back(kernel.pair(i, n_s + i));
  return result;
}

/// A criterion of test power, and how it changes with the kernel's values: dJ = sum c(a, b) dk(a, b) + sum c2(a, b) d(k(a, b)^2).
struct power_slopes {
  double mmd = 0, variance = 0, value = 0;
  std::vector<double> within_rows{}, across_rows{};
  double within_source = 0, within_target = 0, across = 0, same_index = 0;
  bool distinct = false;
  double squares_within = 0, squares_across = 0;

  template <class T>
  row_coefficients<T> coefficients(index_t n_s) const {
    const double *u = within_rows.empty() ? nullptr : within_rows.data(), *w = across_rows.empty() ? nullptr : across_rows.data();
    return {n_s, within_source, within_target, across, u, w, distinct, same_index};
  }
  template <class T>
  row_coefficients<T> square_coefficients(index_t n_s) const {
    return {n_s, squares_within, squares_within, squares_across, nullptr, nullptr, true, 0};
  }
};

} // namespace dalib::inference::detail
