/// @file
/// The schedule for pairs of a source's and a target's row alone: blocks of the one meet blocks of the other.
#pragma once

#include "dalib/engine/host/across_tile.hpp"

#include <algorithm>
#include <new>
#include <utility>

namespace dalib::engine {

/// In each round every block of the sample with fewer of them meets one block of the other sample, each another one: so the tasks of a
/// round write disjoint rows, and every row receives its additions in an order that no thread count changes. All rows are packed once.
/// Neither sample may be empty.
template <class Accumulator, class Problem>
class rectangle {
  using T = typename Problem::scalar;
  using numbers = typename Problem::numbers;
  using state = accumulated<Accumulator, numbers>;
  using blocks_type = typename Problem::blocks;
  static constexpr std::size_t layers = Problem::layer_count;
  static_assert(!Problem::leaves_out, "dalib: here the first tile of a block writes its gradient, and must be there");

  /// One sample in blocks.
  struct side {
    index_t block_rows = 0;
    index_t count = 0;
    blocks_type* blocks = nullptr;
    unsigned char* written = nullptr; ///< for each block: whether its gradient has been, and is added to from now on
  };

  using worker_memory = across_memory<Problem>;

public:
  /// @param sources  rows of the joint sample that are the source's
  template <class Exec>
  numbers run(const Exec& exec, const Problem& problem, workspace& scratch, write_mode mode, index_t sources) {
    // Coefficients come by columns: the lanes are the target's rows, which lie side by side in a matrix by rows.
    columns_ = packed(exec, problem, {0, sources}, scratch);
    lanes_ = packed(exec, problem, {sources, problem.rows() - sources}, scratch);
    worker_memory* workers = allocate_workers(static_cast<index_t>(exec.workers()), problem, scratch);
    const index_t rounds = std::max(lanes_.count, columns_.count), tasks = std::min(lanes_.count, columns_.count);
    state* values = scratch.template allocate<state>(tasks);
    std::fill_n(values, tasks, state{});
    for (index_t round = 0; round < rounds; ++round)
      exec.run(tasks, [&](index_t which, int worker) {
        const index_t other = (which + round) % rounds;
        const bool few_lanes = lanes_.count == tasks;
        visit(problem, workers[worker], {few_lanes ? which : other, few_lanes ? other : which}, mode, values[which]);
      });
    if constexpr (Problem::with_gradient)
      exec.run(lanes_.count + columns_.count, [&](index_t which, int worker) {
        const blocks_type& block = which < lanes_.count ? lanes_.blocks[which] : columns_.blocks[which - lanes_.count];
        Problem::for_each_layer([&](auto l) {
          problem.template pull_to_centres<l>(block[l], {0, block[l].count}, workers[worker].gradient);
        });
      });
    state total{};
    for (index_t i = 0; i < tasks; ++i) total.merge(values[i]);
    return total.result();
  }

private:
  struct meeting {
    index_t lanes, columns; ///< which blocks
  };

  void visit(const Problem& problem, worker_memory& own, meeting of, write_mode mode, state& value) const {
    across_modes modes;
    if constexpr (Problem::with_gradient) modes = {mode_of(columns_, of.columns, mode), mode_of(lanes_, of.lanes, mode)};
    visit_across(problem, lanes_.blocks[of.lanes], columns_.blocks[of.columns], own, value, modes);
  }

  static write_mode mode_of(const side& one, index_t block, write_mode first) {
    return std::exchange(one.written[block], static_cast<unsigned char>(1)) ? write_mode::accumulate : first;
  }

  template <class Exec>
  static side packed(const Exec& exec, const Problem& problem, span_of_rows rows, workspace& scratch) {
    side one;
    const index_t wanted = std::max(std::clamp<index_t>(rows.count / least_block_rows, 1, least_blocks),
                                    (rows.count + block_rows_limit - 1) / block_rows_limit);
    one.block_rows = round_up((rows.count + wanted - 1) / wanted, row_unit<T>);
    one.count = (rows.count + one.block_rows - 1) / one.block_rows;
    one.written = scratch.template allocate_zero<unsigned char>(one.count);
    one.blocks = scratch.template allocate<blocks_type>(one.count);
    for (index_t b = 0; b < one.count; ++b) {
      blocks_type& block = *new (one.blocks + b) blocks_type{};
      problem.allocate(scratch, block, one.block_rows);
      const index_t first = b * one.block_rows;
      for (std::size_t l = 0; l < layers; ++l) block[l].assign(rows.first + first, std::min(one.block_rows, rows.count - first));
    }
    exec.run(one.count, [&](index_t b, int) {
      for (index_t panel = 0; panel < one.blocks[b][0].panel_count(); ++panel) problem.pack(one.blocks[b], panel);
    });
    return one;
  }

  worker_memory* allocate_workers(index_t count, const Problem& problem, workspace& scratch) const {
    worker_memory* workers = scratch.template allocate<worker_memory>(count);
    for (index_t w = 0; w < count; ++w) {
      worker_memory& own = *new (workers + w) worker_memory{};
      Problem::for_each_layer([&](auto l) {
        own.tiles[l] = allocate_tile<typename Problem::template profile_of<l>, T>(scratch, lanes_.block_rows, columns_.block_rows);
      });
      own.stride = lanes_.block_rows;
      own.numbers = scratch.template allocate<T>(lanes_.block_rows * Problem::lane_numbers);
      if (Problem::with_gradient)
        own.gradient = scratch.template allocate<T>(std::max(lanes_.block_rows, columns_.block_rows) * problem.widest());
    }
    return workers;
  }

  side lanes_, columns_;
};

} // namespace dalib::engine
