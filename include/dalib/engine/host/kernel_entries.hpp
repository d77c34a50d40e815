/// @file
/// Kernel matrices in host memory, at the speed of the product that they are made of.
#pragma once

#include "dalib/engine/host/kept_tiles.hpp"
#include "dalib/simd/transpose_square.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>

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

/// All entries of the matrices that a visitor keeps: of the source's rows, each tile for both its sides, or of source and target.
template <class Visitor, class T, class Profile>
class matrix_pass {
  using tiles_type = kept_tiles<Visitor, T, Profile>;

public:
  matrix_pass(const typename tiles_type::problem_type& problem, const matrix_request<T>& request)
      : tiles_(problem), out_(request.out), across_(request.across) {}

  template <class Exec>
  void run(const Exec& exec, workspace& scratch) {
    tiles_.prepare(exec, out_[0].rows, static_cast<index_t>(out_.size()), scratch);
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
    T* const* kept = tiles_.evaluate(worker, lane_block, column_block);
    const packed_rows<T>&lanes = tiles_.rows(lane_block), &columns = tiles_.rows(column_block);
    const index_t col = lanes.first - (across_ ? out_[0].rows : 0);
    for (std::size_t k = 0; k < out_.size(); ++k) {
      write_tile(kept[k], tiles_.block_rows(), part(out_[k], {columns.first, col}, columns.count, lanes.count));
      if (!across_ && lane_block != column_block)
        write_tile(kept[k], tiles_.block_rows(), part(out_[k], {col, columns.first}, lanes.count, columns.count).transposed());
    }
  }

  struct place {
    index_t row, col;
  };
  static matrix_view<T> part(const matrix_view<T>& of, place at, index_t rows, index_t cols) {
    return {&of(at.row, at.col), rows, cols, of.row_stride, of.col_stride};
  }

  tiles_type tiles_;
  std::span<const matrix_view<T>> out_;
  bool across_;
};

} // namespace detail

/// The matrices that `visitor` keeps, as many as there are results. Distances of close rows are found by differences; rows are measured
/// from the mean, or, where inner products are read, from 0: a matrix has no terms that cancel.
template <class Exec, class Visitor, class T, class Profile>
void kernel_entries(const Exec& exec, const Visitor& visitor, layer<T, Profile> one, const matrix_request<T>& request, workspace& scratch) {
  using problem_type = pair_problem<Visitor, unit_coefficients, T, Profile>;
  // Around the mean of the rows twice: the same bits as a matrix of two samples that are one.
  std::optional<sample_summary<T>> twice;
  if (!request.across) one.summary = &twice.emplace(exec, joint_sample<T>{one.data.source, one.data.source}, scratch);
  one.as_given = reads<Profile>::shift;
  const typename problem_type::layers_tuple layers{one};
  const typename problem_type::centres_array no_centres{};
  const unit_coefficients coefficients;
  const problem_type problem(visitor, coefficients, layers, no_centres, T(1));
  detail::matrix_pass<Visitor, T, Profile>(problem, request).run(exec, scratch);
}

} // namespace dalib::engine
