/// @file
/// @internal
/// Row sums of a two-sample kernel matrix: all that variances of the MMD are made of.
#pragma once

#include "dalib/engine/kernel_products.hpp"
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

/// sum_j k(z_i, z_j) over the distinct rows of the source and of the target: two columns of one product.
template <class Exec, class T, class Profile>
void sums_by_sample(const Exec& exec, const engine::layer<T, Profile>& one, std::vector<double>& within, std::vector<double>& across,
                    workspace& scratch) {
  const index_t n = one.data.rows(), n_s = one.data.source_rows();
  std::vector<T> right(static_cast<std::size_t>(2 * n), T(0)), sums(right);
  for (index_t i = 0; i < n; ++i) right[static_cast<std::size_t>(i < n_s ? i : n + i)] = T(1);
  engine::kernel_product(exec, one, engine::pair_set::distinct, matrix_view<const T>(right.data(), n, 2, 1, n),
                         matrix_view<T>(sums.data(), n, 2, 1, n), scratch);
  for (index_t i = 0; i < n; ++i) {
    const auto to_source = static_cast<double>(sums[static_cast<std::size_t>(i)]),
               to_target = static_cast<double>(sums[static_cast<std::size_t>(n + i)]);
    within.push_back(i < n_s ? to_source : to_target);
    across.push_back(i < n_s ? to_target : to_source);
  }
}

/// `Squares`: also the sums of squared values, by a second product with k^2. O(n^2 F) time, O(n F) memory; the same bits for any number of
/// threads.
template <bool Squares, class Exec, class T, class Profile>
kernel_row_sums row_sums_of(const Exec& exec, const kernel_blocks<T, Profile>& kernel, workspace& scratch) {
  const index_t n = kernel.rows(), n_s = kernel.source_rows();
  kernel_row_sums result;
  sums_by_sample(exec, kernel.layer(), result.within, result.across, scratch);
  const auto add_up = [&](const std::vector<double>& within, const std::vector<double>& across, double& source, double& target,
                          double& both) {
    for (index_t i = 0; i < n; ++i) {
      const auto at = static_cast<std::size_t>(i);
      (i < n_s ? source : target) += within[at];
      if (i < n_s) both += across[at];
    }
  };
  add_up(result.within, result.across, result.within_source, result.within_target, result.across_all);
  if constexpr (Squares) {
    const auto& own = kernel.layer();
    const engine::layer<T, squared_kernel<Profile>> squared{own.data, own.summary, {own.profile}, {}, {}};
    std::vector<double> within, across;
    sums_by_sample(exec, squared, within, across, scratch);
    add_up(within, across, result.squares_source, result.squares_target, result.squares_across);
  }
  for (index_t i = 0; i < n; ++i) result.own.push_back(kernel.pair(i, i));
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
