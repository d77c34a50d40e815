/// @file
/// The kernel matrix in host memory.
#pragma once

#include "dalib/engine/host/packed_rows.hpp"
#include "dalib/engine/pair/layer.hpp"
#include "dalib/engine/pair/pair.hpp"

namespace dalib::engine {

/// The sums that `Profile` reads, of row i of one block and row j of another.
template <class Profile, class T>
pair_sums<T> sums_of_rows(const packed_rows<T>& lanes, index_t i, const packed_rows<T>& columns, index_t j) {
  pair_sums<T> sums;
  for (index_t c = 0; c < lanes.chunk_count(); ++c) sums += sums_of<Profile>(lanes.chunk(i, c), columns.chunk(j, c), lanes.chunk_width(c));
  return sums;
}

/// The kernel of every pair of a layer's rows, with exact differences.
template <class Exec, class T, class Profile>
void kernel_entries(const Exec& exec, const layer<T, Profile>& one, const matrix_view<T>& to, workspace& scratch) {
  packed_rows<T> block;
  block.allocate(scratch, one.data.rows(), one.data.features());
  block.assign(0, one.data.rows());
  exec.run(block.panel_count(), [&](index_t panel, int) { pack_panel(one.data, row_origin<T>{}, block, panel, reads<Profile>::shift); });
  exec.run(to.rows, [&](index_t i, int) {
    for (index_t j = 0; j <= i; ++j) {
      const auto sums = sums_of_rows<Profile>(block, i, block, j);
      to(i, j) = evaluate_pair(one.profile, sums, block.terms(i), block.terms(j)).value;
      to(j, i) = to(i, j);
    }
  });
}

/// The kernel of every pair of a source's and a target's row, with exact differences.
template <class Exec, class T, class Profile>
void kernel_entries_across(const Exec& exec, const layer<T, Profile>& one, const matrix_view<T>& to, workspace& scratch) {
  packed_rows<T> block;
  block.allocate(scratch, one.data.rows(), one.data.features());
  block.assign(0, one.data.rows());
  exec.run(block.panel_count(), [&](index_t panel, int) { pack_panel(one.data, row_origin<T>{}, block, panel, reads<Profile>::shift); });
  exec.run(to.rows, [&](index_t i, int) {
    for (index_t j = 0; j < to.cols; ++j) {
      // In the order of the matrix of one sample: the same bits where both samples are the same.
      const index_t x = i < j ? to.rows + j : i, y = i < j ? i : to.rows + j;
      to(i, j) = evaluate_pair(one.profile, sums_of_rows<Profile>(block, x, block, y), block.terms(x), block.terms(y)).value;
    }
  });
}

} // namespace dalib::engine
