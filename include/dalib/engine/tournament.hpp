/// @file
/// The schedule for many rows: blocks of rows meet in a round-robin tournament.
#pragma once

#include "dalib/engine/pair_problem.hpp"

#include <algorithm>
#include <limits>
#include <new>
#include <utility>

namespace dalib::engine {

/// At least this many blocks, so that several threads have work in each round.
inline constexpr index least_blocks = 8;
/// Rows are packed once for the whole problem up to this size, and by whoever visits a tile beyond it.
inline constexpr index packed_bytes_limit = index{32} << 20;

/// Who meets whom, for an even number of blocks (circle method: the last block stays, the others move round).
struct pairing {
  index blocks;

  index rounds() const { return blocks - 1; }
  index pairs() const { return blocks / 2; }
  std::pair<index, index> pair(index round, index which) const {
    const index circle = blocks - 1;
    if (which == 0) return {round % circle, circle};
    return {(round + which) % circle, (round + circle - which) % circle};
  }
};

/// In each round every block meets exactly one other, so the tiles of a round write disjoint rows, need no locks and no gradient buffers of
/// their own, and every row receives its additions in an order that no thread count changes.
template <class Accumulator, class Problem>
class tournament {
  using T = typename Problem::scalar;
  using state = typename Accumulator::state;
  using blocks_type = typename Problem::blocks;
  static constexpr std::size_t layers = Problem::layer_count;

  /// One worker's memory for a tile of all layers.
  struct worker_memory {
    blocks_type lanes;
    blocks_type columns;
    std::array<layer_tile<T>, layers> tiles;
    T* coefficients = nullptr;
    T* gradient = nullptr;
  };

public:
  template <class Exec>
  double run(const Exec& exec, const Problem& problem, workspace& scratch, write_mode mode) {
    const index rows = problem.rows();
    const index wanted = std::max(least_blocks, (rows + block_rows_limit - 1) / block_rows_limit);
    block_rows_ = round_up((rows + wanted - 1) / wanted, row_unit<T>);
    const index blocks = (rows + block_rows_ - 1) / block_rows_;
    const pairing order{round_up(blocks, 2)};
    packed_ = packed_bytes(problem) <= packed_bytes_limit;
    if (packed_) all_ = pack_everything(exec, problem, scratch);
    worker_memory* workers = allocate_workers(static_cast<index>(exec.workers()), problem, scratch);
    state* values = scratch.template allocate<state>(blocks);
    std::fill_n(values, blocks, state{});
    if (Problem::with_gradient && mode == write_mode::overwrite) problem.clear_gradients();
    exec.run(blocks, [&](index block, int worker) { visit_diagonal(problem, workers[worker], block, values[block]); });
    for (index round = 0; round < order.rounds(); ++round)
      exec.run(order.pairs(), [&](index which, int worker) {
        const auto [a, b] = order.pair(round, which);
        if (a < blocks && b < blocks) visit(problem, workers[worker], a, b, values[which]); // else the block rests in this round
      });
    state total{};
    for (index i = 0; i < blocks; ++i) Accumulator::merge(total, values[i]);
    return Accumulator::result(total);
  }

private:
  void visit_diagonal(const Problem& problem, worker_memory& own, index block, state& value) {
    prepare(problem, own.lanes, block);
    typename Problem::parts parts = parts_of(own.lanes, own.lanes, own);
    const span_of_rows all{0, own.lanes[0].padded};
    constexpr index never = std::numeric_limits<index>::max();
    Accumulator::add(value, problem.evaluate(parts, all, all, never, block_rows_, own.coefficients));
    if constexpr (Problem::with_gradient)
      Problem::for_each_layer([&](auto l) {
        const layer_tile<T>& tile = own.tiles[l];
        pull<l>(problem, own, tile, {block_rows_, 1}, own.lanes[l], own.lanes[l], tile.column_self, tile.column_shift);
      });
  }

  void visit(const Problem& problem, worker_memory& own, index a, index b, state& value) {
    prepare(problem, own.lanes, a);
    prepare(problem, own.columns, b);
    typename Problem::parts parts = parts_of(own.lanes, own.columns, own);
    Accumulator::add(value,
                     problem.evaluate(parts, {0, own.lanes[0].padded}, {0, own.columns[0].padded}, 0, block_rows_, own.coefficients));
    if constexpr (Problem::with_gradient)
      Problem::for_each_layer([&](auto l) {
        const layer_tile<T>& tile = own.tiles[l];
        pull<l>(problem, own, tile, {block_rows_, 1}, own.columns[l], own.lanes[l], tile.column_self, tile.column_shift);
        pull<l>(problem, own, tile, {1, block_rows_}, own.lanes[l], own.columns[l], tile.lane_self, tile.lane_shift);
      });
  }

  /// Pulls all rows of `owns` towards all rows of `others` and adds the result to the caller's gradient.
  template <std::size_t L>
  static void pull(const Problem& problem, worker_memory& own, const layer_tile<T>& tile, tile_strides strides, const packed_rows<T>& owns,
                   const packed_rows<T>& others, const T* self, const T* shift) {
    const span_of_rows rows{0, owns.padded};
    if (!problem.template wanted<L>(owns, rows)) return;
    problem.template pull<L>(tile, strides, owns, rows, others, {0, others.padded}, self, shift, own.gradient);
  }

  static index packed_bytes(const Problem& problem) {
    index elements = 0;
    Problem::for_each_layer([&](auto l) {
      const index features = problem.template features<l>();
      elements += problem.rows() * (features + padded_features<T>(features));
    });
    return elements * static_cast<index>(sizeof(T));
  }

  /// Makes `blocks` hold block `which`: a part of what is packed, or packed here and now into the worker's own memory.
  void prepare(const Problem& problem, blocks_type& blocks, index which) const {
    const index first = which * block_rows_;
    const index count = std::min(block_rows_, problem.rows() - first);
    for (std::size_t l = 0; l < layers; ++l)
      if (packed_)
        blocks[l] = all_[l].part(first, count);
      else
        blocks[l].assign(first, count);
    if (!packed_)
      for (index panel = 0; panel < blocks[0].panel_count(); ++panel) problem.pack(blocks, panel);
  }

  static typename Problem::parts parts_of(const blocks_type& lanes, const blocks_type& columns, const worker_memory& own) {
    typename Problem::parts parts;
    for (std::size_t l = 0; l < layers; ++l) parts[l] = {&lanes[l], &columns[l], own.tiles[l]};
    return parts;
  }

  worker_memory* allocate_workers(index count, const Problem& problem, workspace& scratch) const {
    worker_memory* workers = scratch.template allocate<worker_memory>(count);
    for (index w = 0; w < count; ++w) {
      worker_memory& own = *new (workers + w) worker_memory{};
      own.coefficients = scratch.template allocate<T>(block_rows_);
      if (Problem::with_gradient) own.gradient = scratch.template allocate<T>(block_rows_ * problem.widest());
      Problem::for_each_layer([&](auto l) {
        own.tiles[l] = allocate_tile<typename Problem::template profile_of<l>, T>(scratch, block_rows_, block_rows_);
        if (packed_) return;
        own.lanes[l].allocate(scratch, block_rows_, problem.template features<l>());
        own.columns[l].allocate(scratch, block_rows_, problem.template features<l>());
      });
    }
    return workers;
  }

  index block_rows_ = 0;
  bool packed_ = false;
  blocks_type all_;
};

} // namespace dalib::engine
