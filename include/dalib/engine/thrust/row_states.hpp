/// @file
/// A state of every row, gathered over the rows it is paired with, on a device.
#pragma once

#include "dalib/engine/thrust/kept_tiles.hpp"

namespace dalib::engine {

namespace detail {

/// Adds a tile's columns to the states of its lanes: task = lane. Number k of row i is at states[k * rows + i].
template <class State, class T>
struct row_state_task {
  State state;
  device_block block;
  const T* tile;
  matrix_view<const T, device_memory> potential;
  index_t potential_first; ///< place of the block's first column in the potential
  bool skips_own;
  bool fresh;
  T* states;
  index_t rows;

  DALIB_HD void operator()(index_t lane) const {
    T row[State::numbers];
    const index_t x = block.first_lane + lane;
    if (fresh)
      state.start(row);
    else
      for (int k = 0; k < State::numbers; ++k) row[k] = states[k * rows + x];
    for (index_t c = 0; c < block.columns; ++c)
      if (!(skips_own && x == block.first_column + c)) state.visit(row, tile[c * block.lanes + lane], T(potential(potential_first + c, 0)));
    for (int k = 0; k < State::numbers; ++k) states[k * rows + x] = row[k];
  }
};

/// Writes a row's result: task = row.
template <class State, class T>
struct row_result_task {
  State state;
  const T* states;
  matrix_view<T, device_memory> out;

  DALIB_HD void operator()(index_t i) const {
    T row[State::numbers];
    for (int k = 0; k < State::numbers; ++k) row[k] = states[k * out.rows + i];
    out(i, 0) = state.result(row);
  }
};

} // namespace detail

namespace device {

/// out(i) = what `state` gathers of row i; see engine/row_states.hpp.
template <class State, class T, class Profile>
void row_states(const exec::thrust& exec, const State& state, const layer<T, Profile, device_memory>& one,
                const row_request<T, device_memory>& request, device_workspace& scratch) {
  const bool across = request.pairs == pair_set::across;
  const index_t owns = request.out.rows;
  device_kept_tiles<matrix_visitor, T, Profile> tiles(exec, matrix_visitor{}, one, {false, owns, 1}, scratch);
  T* states = scratch.allocate<T>(State::numbers * owns);
  const index_t first = across ? owns : 0;
  tiles.for_each_block(owns, across ? pair_blocks::across : pair_blocks::both, [&](const device_block& block) {
    exec.run(block.lanes, detail::row_state_task<State, T>{state, block, tiles.kept(0), request.potential, block.first_column - first,
                                                           request.pairs == pair_set::distinct, block.first_column == first, states, owns});
  });
  exec.run(owns, detail::row_result_task<State, T>{state, states, request.out});
  exec.synchronise(); // the scratch memory goes
}

} // namespace device
} // namespace dalib::engine
