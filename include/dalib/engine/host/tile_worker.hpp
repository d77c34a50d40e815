/// @file
/// One worker's tiles: all pairs of a packed block, and of two.
#pragma once

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
    typename Problem::parts parts;
    for (std::size_t l = 0; l < layers; ++l) parts[l] = {&lanes[l], &columns[l], within_.tile(l)};
    value.add(problem.evaluate(parts, {{0, lanes[0].padded}, {0, columns[0].padded}, 0, block_rows_, stripe_.coefficients}));
    if constexpr (Problem::with_gradient)
      Problem::for_each_layer([&](auto l) {
        const layer_tile<T>& tile = within_.tile(l);
        pull<l>(problem, tile_side<T>{tile, {block_rows_, 1}, columns[l], {}, lanes[l], {}}, {tile.column_self, tile.column_shift});
        pull<l>(problem, tile_side<T>{tile, {1, block_rows_}, lanes[l], {}, columns[l], {}}, {tile.lane_self, tile.lane_shift});
      });
  }

  /// Memory for a padded row of the widest layer.
  T* row() const { return stripe_.gradient; }

private:
  /// Pulls all own rows of a side towards all others and adds the result to the caller's gradient.
  template <std::size_t L>
  void pull(const Problem& problem, tile_side<T> side, const own_pulls<T>& coefficients) {
    side.own_rows = {0, round_up(side.owns.count, tile_columns<T>)};
    side.other_rows = {0, side.others.count};
    if (!problem.template wanted<L>(side.owns, side.own_rows)) return;
    problem.template pull<L>(side, coefficients, stripe_.gradient, write_mode::accumulate);
    problem.template pull_near<L>(side, stripe_.gradient);
  }

  index_t block_rows_ = 0;
  lower_triangle<Problem> within_;                         ///< tile of a block and itself
  typename lower_triangle<Problem>::stripe_memory stripe_; ///< for one of its stripes, or for a whole tile
};

} // namespace dalib::engine
