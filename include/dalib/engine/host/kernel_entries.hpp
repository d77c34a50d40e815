/// @file
/// Kernel matrices in host memory, at the speed of the product that they are made of.
#pragma once

#include "dalib/engine/host/pair_problem.hpp"
#include "dalib/simd/transpose_square.hpp"

#include <algorithm>
#include <cmath>
#include <new>
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
  using problem_type = pair_problem<matrix_visitor, unit_coefficients, T, Profile>;
  using blocks_type = typename problem_type::blocks;

  struct worker_memory {
    layer_tile<T> tile;
    T* numbers = nullptr;
    T* kept = nullptr;
  };

public:
  matrix_pass(const problem_type& problem, const matrix_view<T>& to, bool across) : problem_(problem), to_(to), across_(across) {}

  template <class Exec>
  void run(const Exec& exec, workspace& scratch) {
    const index_t most = std::max(to_.rows, to_.cols);
    const index_t wanted =
        std::max(std::clamp<index_t>(most / least_block_rows, 1, least_blocks), (most + block_rows_limit - 1) / block_rows_limit);
    block_rows_ = round_up((most + wanted - 1) / wanted, row_unit<T>);
    row_blocks_ = (to_.rows + block_rows_ - 1) / block_rows_;
    const index_t col_blocks = (to_.cols + block_rows_ - 1) / block_rows_;
    allocate(exec, row_blocks_ + (across_ ? col_blocks : 0), scratch);
    if (across_)
      exec.run(row_blocks_ * col_blocks,
               [&](index_t task, int worker) { visit(workers_[worker], row_blocks_ + task % col_blocks, task / col_blocks); });
    else // task a (a + 1) / 2 + b: blocks a >= b
      exec.run(row_blocks_ * (row_blocks_ + 1) / 2, [&](index_t task, int worker) {
        auto a = static_cast<index_t>((std::sqrt(8 * static_cast<double>(task) + 1) - 1) / 2);
        while (a * (a + 1) / 2 > task) --a;
        while ((a + 1) * (a + 2) / 2 <= task) ++a;
        visit(workers_[worker], a, task - a * (a + 1) / 2);
      });
  }

private:
  template <class Exec>
  void allocate(const Exec& exec, index_t count, workspace& scratch) {
    blocks_ = scratch.template allocate<blocks_type>(count);
    for (index_t b = 0; b < count; ++b) {
      blocks_type& block = *new (blocks_ + b) blocks_type{};
      problem_.allocate(scratch, block, block_rows_);
      const bool of_rows = b < row_blocks_;
      const index_t first = of_rows ? b * block_rows_ : to_.rows + (b - row_blocks_) * block_rows_;
      block[0].assign(first, std::min(block_rows_, (of_rows ? to_.rows : problem_.rows()) - first));
    }
    exec.run(count, [&](index_t b, int) {
      for (index_t panel = 0; panel < blocks_[b][0].panel_count(); ++panel) problem_.pack(blocks_[b], panel);
    });
    const auto workers = static_cast<index_t>(exec.workers());
    workers_ = scratch.template allocate<worker_memory>(workers);
    for (index_t w = 0; w < workers; ++w) {
      worker_memory& own = *new (workers_ + w) worker_memory{};
      own.tile = allocate_tile<Profile, T>(scratch, block_rows_, block_rows_);
      own.numbers = scratch.template allocate<T>(block_rows_ * problem_type::lane_numbers);
      own.kept = reads<Profile>::gram ? own.tile.gram : own.tile.l1; // in place of the statistics
    }
  }

  /// The tile of two blocks: its lanes run along the matrix's columns.
  void visit(const worker_memory& own, index_t lane_block, index_t column_block) const {
    const packed_rows<T>&lanes = blocks_[lane_block][0], &columns = blocks_[column_block][0];
    typename problem_type::parts parts{{{&lanes, &columns, own.tile}}};
    problem_.evaluate(parts, {{0, lanes.padded}, {0, columns.padded}, 0, block_rows_, own.numbers, &own.kept});
    const index_t col = lanes.first - (across_ ? to_.rows : 0);
    write_tile(own.kept, block_rows_, part({columns.first, col}, columns.count, lanes.count));
    if (!across_ && lane_block != column_block)
      write_tile(own.kept, block_rows_, part({col, columns.first}, lanes.count, columns.count).transposed());
  }

  struct place {
    index_t row, col;
  };
  matrix_view<T> part(place at, index_t rows, index_t cols) const {
    return {&to_(at.row, at.col), rows, cols, to_.row_stride, to_.col_stride};
  }

  const problem_type& problem_;
  const matrix_view<T>& to_;
  bool across_;
  index_t block_rows_ = 0;
  index_t row_blocks_ = 0;
  blocks_type* blocks_ = nullptr;
  worker_memory* workers_ = nullptr;
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
