/// @file
/// The schedule for many rows: blocks of rows meet in a round-robin tournament.
#pragma once

#include "dalib/engine/host/tile_worker.hpp"

#include <algorithm>
#include <limits>
#include <new>
#include <utility>

namespace dalib::engine {

/// With at least twice this many blocks, groups of them meet instead of single ones: within a pair of groups one of a tile's two blocks was
/// in the tile before, and is still in the second-level cache.
inline constexpr index_t least_groups = 16;
inline constexpr index_t most_group_blocks = 4;
/// Rows are packed once for the whole problem up to this size, and by whoever visits a tile beyond it.
inline constexpr index_t packed_bytes_limit = index_t{32} << 20;

/// Who meets whom, for an even number of groups. Where their halves are even too, each half first plays among itself, then every group
/// meets the other half's one by one; neighbouring pairs take turns between the halves. So two threads that take pairs in turn mostly find
/// rows that they wrote themselves, instead of waiting for another core's cache.
struct pairing {
  index_t groups;

  index_t rounds() const { return groups - 1; }
  index_t pairs() const { return groups / 2; }
  std::pair<index_t, index_t> pair(index_t round, index_t which) const {
    const index_t half = groups / 2;
    if (groups % 4 != 0) return circle(groups, round, which);
    if (round >= half - 1) {
      const index_t first = which % 2 * (half / 2) + which / 2;
      return {first, half + (first + round) % half};
    }
    const auto [a, b] = circle(half, round, which / 2);
    const index_t side = which % 2 * half;
    return {side + a, side + b};
  }

private:
  /// Circle method: the last of `count` stays, the others move round.
  static std::pair<index_t, index_t> circle(index_t count, index_t round, index_t which) {
    const index_t moving = count - 1;
    if (which == 0) return {round % moving, moving};
    return {(round + which) % moving, (round + moving - which) % moving};
  }
};

/// In each round every group of blocks meets exactly one other, so the tasks of a round write disjoint rows, need no locks and no gradient
/// buffers of their own, and every row receives its additions in an order that no thread count changes.
template <class Accumulator, class Problem>
class tournament {
  using T = typename Problem::scalar;
  using numbers = typename Problem::numbers;
  using state = accumulated<Accumulator, numbers>;
  using blocks_type = typename Problem::blocks;
  static constexpr std::size_t layers = Problem::layer_count;
  static constexpr index_t none = -1;

  /// One worker's memory for a tile of all layers.
  struct worker_memory {
    blocks_type lanes;
    blocks_type columns;
    tile_worker<Problem> tiles;
    index_t lanes_hold = none; ///< which block was packed last
    index_t columns_hold = none;
  };

public:
  template <class Exec>
  numbers run(const Exec& exec, const Problem& problem, workspace& scratch, write_mode mode) {
    const index_t rows = problem.rows();
    const index_t wanted = std::max(least_blocks, (rows + block_rows_limit - 1) / block_rows_limit);
    block_rows_ = round_up((rows + wanted - 1) / wanted, row_unit<T>);
    blocks_ = (rows + block_rows_ - 1) / block_rows_;
    group_blocks_ = std::clamp<index_t>(blocks_ / least_groups, 1, most_group_blocks);
    const index_t groups = (blocks_ + group_blocks_ - 1) / group_blocks_;
    const pairing order{round_up(groups, 2)};
    if (packed_bytes(problem) <= packed_bytes_limit) pack_everything(exec, problem, scratch);
    worker_memory* workers = allocate_workers(static_cast<index_t>(exec.workers()), problem, scratch);
    state* values = scratch.template allocate<state>(groups);
    std::fill_n(values, groups, state{});
    exec.run(groups, [&](index_t group, int worker) { visit_within(problem, workers[worker], group, values[group], mode); });
    for (index_t round = 0; round < order.rounds(); ++round)
      exec.run(order.pairs(), [&](index_t which, int worker) {
        const auto [a, b] = order.pair(round, which);
        if (a < groups && b < groups) visit_across(problem, workers[worker], a, b, values[which]); // else the group rests in this round
      });
    if constexpr (Problem::with_gradient) exec.run(blocks_, [&](index_t which, int worker) { finish(problem, workers[worker], which); });
    state total{};
    for (index_t i = 0; i < groups; ++i) total.merge(values[i]);
    return total.result();
  }

private:
  index_t first_block(index_t group) const { return group * group_blocks_; }
  index_t last_block(index_t group) const { return std::min((group + 1) * group_blocks_, blocks_); }

  /// All pairs of blocks of one group. Every block meets itself first: that writes its gradient, which all other tiles add to.
  void visit_within(const Problem& problem, worker_memory& own, index_t group, state& value, write_mode mode) {
    for (index_t a = first_block(group); a < last_block(group); ++a) visit_diagonal(problem, own, a, value, mode);
    for (index_t a = first_block(group); a < last_block(group); ++a)
      for (index_t b = a + 1; b < last_block(group); ++b) visit(problem, own, a, b, value);
  }

  /// All pairs of a block of one group and a block of another, to and fro, so that consecutive tiles share a block.
  void visit_across(const Problem& problem, worker_memory& own, index_t group_a, index_t group_b, state& value) {
    const index_t first = first_block(group_b), last = last_block(group_b);
    bool forward = true;
    for (index_t a = first_block(group_a); a < last_block(group_a); ++a, forward = !forward)
      for (index_t i = 0; i < last - first; ++i) visit(problem, own, a, forward ? first + i : last - 1 - i, value);
  }

  void visit_diagonal(const Problem& problem, worker_memory& own, index_t block, state& value, write_mode mode) {
    prepare(problem, own.lanes, own.lanes_hold, block);
    own.tiles.within(problem, own.lanes, value, mode);
  }

  void visit(const Problem& problem, worker_memory& own, index_t a, index_t b, state& value) {
    if (!problem.counts(rows_of(problem, a), rows_of(problem, b))) return;
    prepare(problem, own.lanes, own.lanes_hold, a);
    prepare(problem, own.columns, own.columns_hold, b);
    own.tiles.across(problem, own.lanes, own.columns, value);
  }

  /// What is left for a block when all its pairs are done.
  void finish(const Problem& problem, const worker_memory& own, index_t which) const {
    blocks_type block;
    assign(problem, block, which);
    Problem::for_each_layer([&](auto l) { problem.template pull_to_centres<l>(block[l], {0, block[l].count}, own.tiles.row()); });
  }

  static index_t packed_bytes(const Problem& problem) {
    index_t elements = 0;
    Problem::for_each_layer([&](auto l) {
      const index_t features = problem.template features<l>();
      elements += problem.rows() * (features + stored_features<T>(features));
    });
    return elements * static_cast<index_t>(sizeof(T));
  }

  /// Packs every block once. Each has its memory to itself: a block is what the second-level cache is to hold, and chunks of a larger whole
  /// could all fall on the same of its sets.
  template <class Exec>
  void pack_everything(const Exec& exec, const Problem& problem, workspace& scratch) {
    packed_ = scratch.template allocate<blocks_type>(blocks_);
    for (index_t which = 0; which < blocks_; ++which) {
      blocks_type& block = *new (packed_ + which) blocks_type{};
      allocate_block(problem, block, scratch);
      assign(problem, block, which);
    }
    exec.run(blocks_, [&](index_t which, int) { pack(problem, packed_[which]); });
  }

  void allocate_block(const Problem& problem, blocks_type& block, workspace& scratch) const {
    problem.allocate(scratch, block, block_rows_);
  }

  joint_rows rows_of(const Problem& problem, index_t which) const {
    const index_t first = which * block_rows_;
    return {first, std::min(block_rows_, problem.rows() - first)};
  }

  void assign(const Problem& problem, blocks_type& block, index_t which) const {
    const auto [first, count] = rows_of(problem, which);
    for (std::size_t l = 0; l < layers; ++l) block[l].assign(first, count);
  }

  static void pack(const Problem& problem, const blocks_type& block) {
    for (index_t panel = 0; panel < block[0].panel_count(); ++panel) problem.pack(block, panel);
  }

  /// Makes `block` be block `which`: what is packed, or packed here and now into the worker's own memory unless that holds it already.
  void prepare(const Problem& problem, blocks_type& block, index_t& holds, index_t which) const {
    if (std::exchange(holds, which) == which) return;
    if (packed_ != nullptr) {
      block = packed_[which];
      return;
    }
    assign(problem, block, which);
    pack(problem, block);
  }

  worker_memory* allocate_workers(index_t count, const Problem& problem, workspace& scratch) const {
    worker_memory* workers = scratch.template allocate<worker_memory>(count);
    for (index_t w = 0; w < count; ++w) {
      worker_memory& own = *new (workers + w) worker_memory{};
      own.tiles.allocate(scratch, block_rows_, problem.widest());
      if (packed_ != nullptr) continue;
      allocate_block(problem, own.lanes, scratch);
      allocate_block(problem, own.columns, scratch);
    }
    return workers;
  }

  index_t block_rows_ = 0;
  index_t blocks_ = 0;
  index_t group_blocks_ = 1;
  blocks_type* packed_ = nullptr; ///< one for each block; none: workers pack what they visit
};

} // namespace dalib::engine
