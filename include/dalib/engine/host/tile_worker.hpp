/// @file
/// One worker's tiles: all pairs of a packed block, and of two.
#pragma once

#include "dalib/engine/host/across_tile.hpp"
#include "dalib/engine/host/symmetric_tile.hpp"

namespace dalib::engine {

/// Memory for tiles of blocks of at most so many rows, and what is done in it. Every schedule of blocks comes down to these two tiles.
template <class Problem>
class tile_worker {
  using T = typename Problem::scalar;
  using blocks_type = typename Problem::blocks;
  static constexpr std::size_t layers = Problem::layer_count;
  /// Columns of a stripe of a block's tile with itself: narrower ones save work above the diagonal, wider ones fill more registers.
  static constexpr index_t stripe_columns = chunk_features<T>;

public:
  /// @param widest  padded features of the widest layer
  void allocate(workspace& scratch, index_t block_rows, index_t widest) {
    block_rows_ = block_rows;
    within_.allocate(scratch, block_rows, stripe_columns);
    stripe_.allocate(scratch, block_rows, block_rows, widest);
  }

  /// All pairs of the rows of a block: `value` receives what the visitor adds up, stripe by stripe; gradients are written or added to.
  template <class State>
  void within(const Problem& problem, const blocks_type& block, State& value, write_mode mode) {
    const index_t stripes = within_.stripes(block);
    for (index_t i = 0; i < stripes; ++i) value.add(within_.evaluate(problem, block, i, stripe_));
    if constexpr (Problem::with_gradient)
      for (index_t i = 0; i < stripes; ++i) within_.pull(problem, block, i, stripe_, mode);
  }

  /// All pairs of a row of one block and a row of another; gradients of both are added to.
  template <class State>
  void across(const Problem& problem, const blocks_type& lanes, const blocks_type& columns, State& value) {
    across_memory<Problem> memory{{}, block_rows_, stripe_.coefficients, stripe_.gradient};
    for (std::size_t l = 0; l < layers; ++l) memory.tiles[l] = within_.tile(l);
    visit_across(problem, lanes, columns, memory, value);
  }

  /// Memory for a padded row of the widest layer.
  T* row() const { return stripe_.gradient; }

private:
  index_t block_rows_ = 0;
  lower_triangle<Problem> within_;                         ///< tile of a block and itself
  typename lower_triangle<Problem>::stripe_memory stripe_; ///< for one of its stripes, or for a whole tile
};

} // namespace dalib::engine
