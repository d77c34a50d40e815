/// @file
/// The tile of two packed blocks: all pairs of a row of the one and a row of the other.
#pragma once

#include "dalib/engine/host/pair_problem.hpp"

#include <algorithm>
#include <array>

namespace dalib::engine {

/// What such a tile is computed in.
template <class Problem>
struct across_memory {
  using T = typename Problem::scalar;

  std::array<layer_tile<T>, Problem::layer_count> tiles;
  index_t stride; ///< between two columns of a tile: the most lanes that there are
  T* numbers;     ///< Problem::lane_numbers for each lane
  T* gradient;    ///< a padded row of the widest layer for each row of the longer side
};

/// Whether the gradients of a tile's two sides are written or added to.
struct across_modes {
  write_mode columns = write_mode::accumulate;
  write_mode lanes = write_mode::accumulate;
};

namespace detail {

/// Rows of a block that `run` has some of, in whole registers.
template <class T>
span_of_rows registers_of(const packed_rows<T>& block, joint_rows run) {
  const index_t first = (run.first - block.first) / row_unit<T> * row_unit<T>;
  return {first, round_up(run.first - block.first + run.count, row_unit<T>) - first};
}

/// Pulls a side's own rows towards the others.
template <std::size_t L, class Problem, class T>
void pull_across(const Problem& problem, tile_side<T> side, const own_pulls<T>& coefficients, T* gradient, write_mode mode) {
  side.own_rows.count = std::min(side.own_rows.count, round_up(side.owns.count - side.own_rows.first, tile_columns<T>));
  side.other_rows.count = std::min(side.other_rows.count, side.others.count - side.other_rows.first);
  if (!problem.template wanted<L>(side.owns, side.own_rows)) return;
  problem.template pull<L>(side, coefficients, gradient, mode);
  problem.template pull_near<L>(side, gradient);
}

} // namespace detail

/// Visits all pairs of two blocks that count: `value` receives what the visitor adds up, and both blocks' rows their gradients, unless no
/// pair counts.
template <class Problem, class State>
void visit_across(const Problem& problem, const typename Problem::blocks& lanes, const typename Problem::blocks& columns,
                  const across_memory<Problem>& memory, State& value, across_modes modes = {}) {
  using T = typename Problem::scalar;
  const auto [of_lanes, of_columns] = problem.counted({lanes[0].first, lanes[0].count}, {columns[0].first, columns[0].count});
  if (of_lanes.count == 0) return;
  const span_of_rows lane_rows = detail::registers_of(lanes[0], of_lanes), column_rows = detail::registers_of(columns[0], of_columns);
  typename Problem::parts parts;
  for (std::size_t l = 0; l < Problem::layer_count; ++l) parts[l] = {&lanes[l], &columns[l], memory.tiles[l]};
  value.add(problem.evaluate(parts, {lane_rows, column_rows, 0, memory.stride, memory.numbers}));
  if constexpr (Problem::with_gradient)
    Problem::for_each_layer([&](auto l) {
      const layer_tile<T>& tile = memory.tiles[l];
      detail::pull_across<l>(problem, tile_side<T>{tile, {memory.stride, 1}, columns[l], column_rows, lanes[l], lane_rows},
                             own_pulls<T>{tile.column_self, tile.column_shift}, memory.gradient, modes.columns);
      detail::pull_across<l>(problem, tile_side<T>{tile, {1, memory.stride}, lanes[l], lane_rows, columns[l], column_rows},
                             own_pulls<T>{tile.lane_self, tile.lane_shift}, memory.gradient, modes.lanes);
    });
}

} // namespace dalib::engine
