/// @file
/// The tournament as a plan for blocks of rows that travel: who meets whom, and where everybody goes next.
#pragma once

#include "dalib/core/matrix_view.hpp"
#include "dalib/engine/sample/round_up.hpp"

#include <algorithm>

namespace dalib::engine {

/// Where a block stands: in a table of two rows.
struct table_place {
  index_t column;
  bool lower;
};

/// Brent and Luk's systolic order (1985, "The solution of singular-value and symmetric eigenvalue problems on multiprocessor arrays"):
/// blocks stand in a table of two rows. In a round the two of a column meet; then all but the first move one place round the table. After
/// blocks - 1 rounds every two have met once and all are where they began. The columns may be dealt to any number of machines, a run of
/// neighbouring ones to each: then one block passes a border in each direction after a round, and which blocks meet, in which order and in
/// which column does not depend on where the borders are.
struct travel_plan {
  index_t blocks; ///< even; a block may be empty

  index_t columns() const { return blocks / 2; }
  index_t rounds() const { return blocks - 1; }

  /// The block that is at a place in a round. Before the first, column c has the blocks 2 c and 2 c + 1.
  index_t block_at(index_t round, table_place place) const {
    if (place.column == 0 && !place.lower) return 0;
    const index_t cycle = blocks - 1, from = (turn_of(place) - round % cycle + cycle) % cycle;
    const table_place start = place_of(from);
    return 2 * start.column + (start.lower ? 1 : 0);
  }

  /// Where what is at a place is in the next round.
  table_place next(table_place place) const {
    if (place.column == 0 && !place.lower) return place;
    return place_of((turn_of(place) + 1) % (blocks - 1));
  }

  /// Where what is at a place was in the round before.
  table_place previous(table_place place) const {
    if (place.column == 0 && !place.lower) return place;
    return place_of((turn_of(place) + blocks - 2) % (blocks - 1));
  }

  /// First column of machine `which` of `machines`; that of the next one is the end.
  index_t first_column(index_t which, index_t machines) const { return which * columns() / machines; }

private:
  // The way round: right along the upper row from column 1, back along the lower one.
  index_t turn_of(table_place place) const { return place.lower ? blocks - 2 - place.column : place.column - 1; }
  table_place place_of(index_t turn) const {
    return turn < columns() - 1 ? table_place{turn + 1, false} : table_place{blocks - 2 - turn, true};
  }
};

/// How the rows of two domains become blocks, none of which has rows of both: by their numbers alone, so that the blocks are the same
/// wherever the rows lie.
struct block_deal {
  index_t source_rows = 0;
  index_t target_rows = 0;
  index_t most_rows = 1; ///< in a block
  index_t source_blocks = 0;
  index_t target_blocks = 0;

  /// Blocks of at most `limit` rows, a multiple of `unit`; fewer where there would not be at least `least` blocks.
  static block_deal of(index_t source_rows, index_t target_rows, index_t unit, index_t limit, index_t least = 16) {
    block_deal deal{source_rows, target_rows};
    deal.most_rows = std::min(limit, round_up(std::max<index_t>(1, (source_rows + target_rows) / least), unit));
    deal.source_blocks = (source_rows + deal.most_rows - 1) / deal.most_rows;
    deal.target_blocks = (target_rows + deal.most_rows - 1) / deal.most_rows;
    return deal;
  }

  /// An even number; the last one may be empty.
  index_t blocks() const { return round_up(source_blocks + target_blocks, 2); }
  bool of_source(index_t block) const { return block < source_blocks; }
  /// First row of a block in its domain.
  index_t first(index_t block) const { return (of_source(block) ? block : block - source_blocks) * most_rows; }
  index_t count(index_t block) const {
    return std::clamp<index_t>((of_source(block) ? source_rows : target_rows) - first(block), 0, most_rows);
  }
};

} // namespace dalib::engine
