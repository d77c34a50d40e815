/// @file
/// Which tiles are visited, in which order, by which task: a function of the problem's size alone.
#pragma once

#include "dalib/core/matrix_view.hpp"

#include <utility>

namespace dalib::engine {

/// Round-robin tournament of an even number of row blocks: in each round every block meets exactly one other, so the tiles of a round write
/// disjoint rows, need no locks, and add to every row in an order that no thread count changes.
struct tournament {
  index blocks;

  index rounds() const { return blocks - 1; }
  index pairs() const { return blocks / 2; }

  /// The two blocks of pair `which` in `round` (circle method: the last block stays, the others move round).
  std::pair<index, index> pair(index round, index which) const {
    const index circle = blocks - 1;
    if (which == 0) return {round % circle, circle};
    return {(round + which) % circle, (round + circle - which) % circle};
  }
};

} // namespace dalib::engine
