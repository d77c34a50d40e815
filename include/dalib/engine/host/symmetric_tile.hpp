/// @file
/// All pairs of the rows of one packed block: the lower triangle is evaluated, the upper one follows by symmetry.
#pragma once

#include "dalib/engine/host/pair_problem.hpp"
#include "dalib/simd/transpose_square.hpp"

#include <algorithm>
#include <array>

namespace dalib::engine {

/// A block's tile, cut into stripes of columns. First every stripe evaluates its columns against the rows from its own diagonal square
/// downwards; then every stripe completes its columns above the diagonal from the lanes that stripes before it left there, and pulls its
/// rows towards all others in one product. Stripes of one phase are independent: none writes what another one reads or writes.
template <class Problem>
class lower_triangle {
  using T = typename Problem::scalar;
  static constexpr std::size_t layers = Problem::layer_count;

public:
  using blocks = typename Problem::blocks;

  /// What one thread needs while it works on a stripe.
  struct stripe_memory {
    T* coefficients = nullptr;
    T* gradient = nullptr;
    T* self = nullptr;
    T* shift = nullptr;

    void allocate(workspace& scratch, index_t rows, index_t width, index_t widest) {
      coefficients = scratch.template allocate<T>(rows * Problem::lane_numbers);
      if (Problem::with_gradient) gradient = scratch.template allocate<T>(width * widest);
      self = scratch.template allocate<T>(width);
      shift = scratch.template allocate<T>(width);
    }
  };

  /// Memory for blocks of at most `most_rows` rows, in stripes of `width` columns; both multiples of row_unit.
  void allocate(workspace& scratch, index_t most_rows, index_t width) {
    width_ = width;
    stride_ = most_rows;
    const index_t most_stripes = (most_rows + width - 1) / width;
    // Every stripe has its own lane sums: the rows below receive from many stripes, and add them up in order in the second phase.
    Problem::for_each_layer([&](auto l) {
      using profile = typename Problem::template profile_of<l>;
      tiles_[l] = allocate_tile<profile, T>(scratch, most_rows, most_rows);
      tiles_[l].lane_self = scratch.template allocate<T>(most_stripes * most_rows);
      tiles_[l].lane_shift = scratch.template allocate<T>(most_stripes * most_rows);
    });
  }

  /// The tile's buffers, for a tile of other pairs in between.
  const layer_tile<T>& tile(std::size_t layer) const { return tiles_[layer]; }

  index_t stripes(const blocks& all) const { return (all[0].padded + width_ - 1) / width_; }

  /// First phase of one stripe: what the visitor adds up.
  typename Problem::numbers evaluate(const Problem& problem, const blocks& all, index_t stripe, const stripe_memory& own) const {
    const span_of_rows columns = rows_of(all, stripe);
    typename Problem::parts parts;
    for (std::size_t l = 0; l < layers; ++l) parts[l] = {&all[l], &all[l], from_diagonal(tiles_[l], stripe)};
    return problem.evaluate(parts, {{columns.first, all[0].padded - columns.first}, columns, columns.count, stride_, own.coefficients});
  }

  /// Second phase of one stripe, after all have finished the first: writes its rows' gradients or adds to them.
  void pull(const Problem& problem, const blocks& all, index_t stripe, const stripe_memory& own, write_mode mode) const {
    Problem::for_each_layer([&](auto l) { pull_layer<l>(problem, all, stripe, own, mode); });
  }

  /// After the pulls, if no rows outside the block are to come.
  void pull_to_centres(const Problem& problem, const blocks& all, index_t stripe, const stripe_memory& own) const {
    Problem::for_each_layer([&](auto l) { problem.template pull_to_centres<l>(all[l], rows_of(all, stripe), own.gradient); });
  }

private:
  span_of_rows rows_of(const blocks& all, index_t stripe) const {
    const index_t first = stripe * width_;
    return {first, std::min(width_, all[0].padded - first)};
  }

  /// The buffers of a stripe, starting at its diagonal square.
  layer_tile<T> from_diagonal(const layer_tile<T>& all, index_t stripe) const {
    const index_t first = stripe * width_;
    layer_tile<T> part = shifted(all, first, first, stride_);
    part.lane_self += stripe * stride_;
    part.lane_shift += stripe * stride_;
    return part;
  }

  /// A stripe's columns receive their entries above its diagonal square from the lanes of the columns there: the tile of a block with
  /// itself is symmetric.
  void complete(T* entries, span_of_rows columns) const {
    if (entries == nullptr) return;
    for (index_t column = columns.first; column < columns.first + columns.count; column += row_unit<T>)
      for (index_t lane = 0; lane < columns.first; lane += row_unit<T>)
        transpose_square(entries + lane * stride_ + column, stride_, entries + column * stride_ + lane, stride_);
  }

  template <std::size_t L>
  void pull_layer(const Problem& problem, const blocks& all, index_t stripe, const stripe_memory& own, write_mode mode) const {
    const packed_rows<T>& block = all[L];
    span_of_rows rows = rows_of(all, stripe);
    const index_t first = rows.first;
    rows.count = std::min(rows.count, round_up(block.count - first, tile_columns<T>));
    if (!problem.template wanted<L>(block, rows)) return;
    const layer_tile<T>& tile = tiles_[L];
    for (index_t i = 0; i < rows.count; ++i) {
      own.self[i] = tile.column_self[first + i];
      own.shift[i] = tile.column_shift[first + i];
      for (index_t before = 0; before < stripe; ++before) {
        own.self[i] += tile.lane_self[before * stride_ + first + i];
        own.shift[i] += tile.lane_shift[before * stride_ + first + i];
      }
    }
    complete(tile.gram, rows_of(all, stripe));
    complete(tile.added, rows_of(all, stripe));
    const layer_tile<T> whole = shifted(tile, 0, first, stride_), below = from_diagonal(tile, stripe),
                        above = shifted(tile, first, 0, stride_);
    problem.template pull<L>({whole, {stride_, 1}, block, rows, block, {0, block.count}}, {own.self, own.shift}, own.gradient, mode);
    problem.template pull_near<L>({below, {stride_, 1}, block, rows, block, {first, block.count - first}}, own.gradient);
    problem.template pull_near<L>({above, {1, stride_}, block, rows, block, {0, first}}, own.gradient);
  }

  index_t width_ = 0;
  index_t stride_ = 0;
  std::array<layer_tile<T>, layers> tiles_;
};

} // namespace dalib::engine
