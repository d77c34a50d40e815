/// @file
/// Kernel matrices in host memory, at the speed of the product that they are made of.
#pragma once

#include "dalib/engine/host/kept_tiles.hpp"
#include "dalib/simd/transpose_square.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace dalib::engine {

/// The sums that `Profile` reads, of row i of one block and row j of another.
template <class Profile, class T>
pair_sums<T> sums_of_rows(const packed_rows<T>& lanes, index_t i, const packed_rows<T>& columns, index_t j) {
  pair_sums<T> sums;
  for (index_t c = 0; c < lanes.chunk_count(); ++c) sums += sums_of<Profile>(lanes.chunk(i, c), columns.chunk(j, c), lanes.chunk_width(c));
  return sums;
}

namespace detail {

/// to(column, lane) = the tile's entry, stored by columns.
template <class T>
void write_tile(const T* tile, index_t stride, const matrix_view<T>& to) {
  constexpr index_t width = simd_lanes<T>;
  if (to.col_stride == 1) {
    for (index_t c = 0; c < to.rows; ++c) std::copy_n(tile + c * stride, to.cols, &to(c, 0));
    return;
  }
  const index_t whole_rows = to.row_stride == 1 ? to.rows / width * width : 0, whole_cols = to.cols / width * width;
  for (index_t c = 0; c < whole_rows; c += width)
    for (index_t l = 0; l < whole_cols; l += width) transpose_square(tile + c * stride + l, stride, &to(c, l), to.col_stride);
  for (index_t c = 0; c < to.rows; ++c)
    for (index_t l = c < whole_rows ? whole_cols : 0; l < to.cols; ++l) to(c, l) = tile[c * stride + l];
}

/// All entries of a kernel matrix: of the source's rows, each tile for both its sides, or of source and target.
template <class T, class Profile>
class matrix_pass {
  using tiles_type = kept_tiles<matrix_visitor, T, Profile>;

public:
  matrix_pass(const typename tiles_type::problem_type& problem, const matrix_view<T>& to, bool across)
      : tiles_(problem), to_(to), across_(across) {}

  template <class Exec>
  void run(const Exec& exec, workspace& scratch) {
    tiles_.prepare(exec, to_.rows, 1, scratch);
    const index_t owns = tiles_.own_blocks(), others = tiles_.count() - owns;
    if (across_)
      exec.run(owns * others, [&](index_t task, int worker) { visit(worker, owns + task % others, task / others); });
    else // task a (a + 1) / 2 + b: blocks a >= b
      exec.run(owns * (owns + 1) / 2, [&](index_t task, int worker) {
        auto a = static_cast<index_t>((std::sqrt(8 * static_cast<double>(task) + 1) - 1) / 2);
        while (a * (a + 1) / 2 > task) --a;
        while ((a + 1) * (a + 2) / 2 <= task) ++a;
        visit(worker, a, task - a * (a + 1) / 2);
      });
  }

private:
  /// The tile of two blocks: its lanes run along the matrix's columns.
  void visit(int worker, index_t lane_block, index_t column_block) const {
    const T* tile = tiles_.evaluate(worker, lane_block, column_block)[0];
    const packed_rows<T>&lanes = tiles_.rows(lane_block), &columns = tiles_.rows(column_block);
    const index_t col = lanes.first - (across_ ? to_.rows : 0);
    write_tile(tile, tiles_.block_rows(), part({columns.first, col}, columns.count, lanes.count));
    if (!across_ && lane_block != column_block)
      write_tile(tile, tiles_.block_rows(), part({col, columns.first}, lanes.count, columns.count).transposed());
  }

  struct place {
    index_t row, col;
  };
  matrix_view<T> part(place at, index_t rows, index_t cols) const {
    return {&to_(at.row, at.col), rows, cols, to_.row_stride, to_.col_stride};
  }

  tiles_type tiles_;
  const matrix_view<T>& to_;
  bool across_;
};

/// Rows are measured from the mean, or, where inner products are read, from 0: a matrix has no terms that cancel.
template <class Exec, class T, class Profile>
void write_matrix(const Exec& exec, layer<T, Profile> one, const matrix_view<T>& to, bool across, workspace& scratch) {
  using problem_type = pair_problem<matrix_visitor, unit_coefficients, T, Profile>;
  one.as_given = reads<Profile>::shift;
  const typename problem_type::layers_tuple layers{one};
  const typename problem_type::centres_array no_centres{};
  const matrix_visitor visitor;
  const unit_coefficients coefficients;
  const problem_type problem(visitor, coefficients, layers, no_centres, T(1));
  matrix_pass<T, Profile>(problem, to, across).run(exec, scratch);
}

} // namespace detail

/// The kernel of every pair of a layer's rows. Distances of close rows are found by differences.
template <class Exec, class T, class Profile>
void kernel_entries(const Exec& exec, layer<T, Profile> one, const matrix_view<T>& to, workspace& scratch) {
  // Around the mean of the rows twice: the same bits as a matrix of two samples that are one.
  const sample_summary<T> twice(exec, {one.data.source, one.data.source}, scratch);
  one.summary = &twice;
  detail::write_matrix(exec, one, to, false, scratch);
}

/// The kernel of every pair of a source's and a target's row.
template <class Exec, class T, class Profile>
void kernel_entries_across(const Exec& exec, const layer<T, Profile>& one, const matrix_view<T>& to, workspace& scratch) {
  detail::write_matrix(exec, one, to, true, scratch);
}

} // namespace dalib::engine
