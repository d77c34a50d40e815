/// @file
/// @internal
/// v' K v of hundreds of vectors on a machine that is not the host: the vectors go there in runs, K v comes back.
#pragma once

#include "dalib/inference/quadratic_forms.hpp"

#include <algorithm>
#include <vector>

namespace dalib::inference::detail {

/// The forms of a kernel that counts as one term. O(n^2 (F + vectors)) time on the machine, O(n vectors) numbers to and fro. All products
/// are of one width, a multiple of what machines compute at once, so that equal vectors give equal bits wherever they stand.
template <class Exec, class T, class Profile, class Memory>
quadratic_forms machine_forms(const Exec& exec, const engine::layer<T, Profile, Memory>& one, const vector_rows<T>& vectors, own_pairs own,
                              workspace_of<Memory>& scratch) {
  constexpr index_t most_bytes = index_t{256} << 20;
  const matrix_view<const T> all = vectors.view();
  const index_t n = all.cols, count = all.rows;
  constexpr index_t unit = 64;
  const index_t most = std::max<index_t>(1, most_bytes / (n * static_cast<index_t>(sizeof(T)) * unit));
  const index_t run = unit * std::min((count + unit - 1) / unit, most);
  const engine::pair_set pairs = own == own_pairs::with ? engine::pair_set::all : engine::pair_set::distinct;
  const workspace_mark mark(scratch);
  T* const right = scratch.template allocate<T>(n * run);
  T* const out = scratch.template allocate<T>(n * run);
  std::vector<T> staged(static_cast<std::size_t>(n * run)), products(staged);
  const auto multiply = [&](const T* from, index_t now) {
    std::fill(std::copy_n(from, n * now, staged.begin()), staged.end(), T(0));
    backend<Memory>::copy_from_host(exec, staged.data(), n * run, right);
    engine::kernel_product(exec, one, pairs, matrix_view<const T, Memory>(right, n, run, index_t{1}, n),
                           matrix_view<T, Memory>(out, n, run, index_t{1}, n), scratch);
    backend<Memory>::copy_to_host(exec, out, n * run, products.data());
    backend<Memory>::synchronise(exec);
  };
  const std::vector<T> ones(static_cast<std::size_t>(n), T(1));
  multiply(ones.data(), 1);
  const std::vector<T> row_sums(products.begin(), products.begin() + n);
  quadratic_forms result{count, 1, {}, {}, {sum_of(row_sums.data(), n)}};
  for (index_t first = 0; first < count; first += run) {
    const index_t now = std::min(run, count - first);
    multiply(&all(first, 0), now);
    for (index_t v = 0; v < now; ++v) {
      result.form.push_back(dot(&all(first + v, 0), products.data() + v * n, n));
      result.linear.push_back(dot(&all(first + v, 0), row_sums.data(), n));
    }
  }
  return result;
}

} // namespace dalib::inference::detail
