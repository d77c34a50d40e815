/// @file
/// Tiles of kernel matrices, one after another: what products, matrices and row states are made from.
#pragma once

#include "dalib/engine/host/pair_problem.hpp"
#include "dalib/engine/host/row_centres.hpp"

#include <algorithm>
#include <new>

namespace dalib::engine {

/// Most rows of a tile's side where a tile of every term is kept: five of them stay in the second-level cache.
inline constexpr index_t term_block_rows = 96;

namespace detail {

/// The packed blocks of a layer's rows, and each worker's tile of the matrices that `Visitor` keeps.
template <class Visitor, class T, class Profile>
class kept_tiles {
public:
  using problem_type = pair_problem<Visitor, unit_coefficients, T, Profile>;

  explicit kept_tiles(const problem_type& problem) : problem_(problem) {}

  /// Packs rows [0, owns) in blocks, and the rows behind them, if any, in blocks of their own.
  template <class Exec>
  void prepare(const Exec& exec, index_t owns, index_t matrices, workspace& scratch) {
    const index_t rows = problem_.rows(), longest = std::max(owns, rows - owns);
    const index_t most = matrices > 1 ? term_block_rows : block_rows_limit;
    const index_t wanted = std::max(std::clamp<index_t>(longest / least_block_rows, 1, least_blocks), (longest + most - 1) / most);
    block_rows_ = round_up((longest + wanted - 1) / wanted, row_unit<T>);
    own_blocks_ = (owns + block_rows_ - 1) / block_rows_;
    count_ = own_blocks_ + (rows - owns + block_rows_ - 1) / block_rows_;
    blocks_ = scratch.template allocate<blocks_type>(count_);
    for (index_t b = 0; b < count_; ++b) {
      blocks_type& block = *new (blocks_ + b) blocks_type{};
      problem_.allocate(scratch, block, block_rows_);
      const bool own = b < own_blocks_;
      const index_t first = own ? b * block_rows_ : owns + (b - own_blocks_) * block_rows_;
      block[0].assign(first, std::min(block_rows_, (own ? owns : rows) - first));
    }
    exec.run(count_, [&](index_t b, int) {
      for (index_t panel = 0; panel < blocks_[b][0].panel_count(); ++panel) problem_.pack(blocks_[b], panel);
    });
    allocate_workers(static_cast<index_t>(exec.workers()), matrices, scratch);
  }

  index_t block_rows() const { return block_rows_; }
  index_t own_blocks() const { return own_blocks_; }
  index_t count() const { return count_; }
  const packed_rows<T>& rows(index_t block) const { return blocks_[block][0]; }

  /// The tiles of two blocks, stored by columns block_rows() apart, in this worker's memory until its next call.
  T* const* evaluate(int worker, index_t lane_block, index_t column_block) const {
    evaluate_to(workers_[worker].kept, worker, lane_block, column_block);
    return workers_[worker].kept;
  }
  /// The same into given memory.
  void evaluate_to(T* const* to, int worker, index_t lane_block, index_t column_block) const {
    const packed_rows<T>&lanes = rows(lane_block), &columns = rows(column_block);
    const worker_memory& own = workers_[worker];
    typename problem_type::parts parts{{{&lanes, &columns, own.tile}}};
    problem_.evaluate(parts, {{0, lanes.padded}, {0, columns.padded}, 0, block_rows_, own.numbers, to});
  }

  /// The rows' inner products in place of a tile, for who knows what to make of them: no pair is looked at, nor whether it is close. Lanes
  /// that hold no row are 0, columns that hold none anything.
  const T* products(int worker, index_t lane_block, index_t column_block) const {
    products_to(workers_[worker].kept[0], lane_block, column_block);
    return workers_[worker].kept[0];
  }
  void products_to(T* to, index_t lane_block, index_t column_block) const {
    const packed_rows<T>&lanes = rows(lane_block), &columns = rows(column_block);
    pair_tile<multiply_add>(lanes, {0, lanes.padded}, columns, {0, columns.padded}, to, block_rows_);
  }

private:
  using blocks_type = typename problem_type::blocks;

  struct worker_memory {
    layer_tile<T> tile;
    T* numbers = nullptr;
    T** kept = nullptr;
  };

  void allocate_workers(index_t count, index_t matrices, workspace& scratch) {
    workers_ = scratch.template allocate<worker_memory>(count);
    for (index_t w = 0; w < count; ++w) {
      worker_memory& own = *new (workers_ + w) worker_memory{};
      own.tile = allocate_tile<Profile, T>(scratch, block_rows_, block_rows_);
      own.numbers = scratch.template allocate<T>(block_rows_ * problem_type::lane_numbers);
      own.kept = scratch.template allocate<T*>(matrices);
      // One matrix takes the place of the statistics it is made of.
      own.kept[0] = reads<Profile>::gram ? own.tile.gram : own.tile.added;
      for (index_t k = 0; matrices > 1 && k < matrices; ++k) own.kept[k] = scratch.template allocate<T>(block_rows_ * block_rows_);
    }
  }

  const problem_type& problem_;
  index_t block_rows_ = 0;
  index_t own_blocks_ = 0;
  index_t count_ = 0;
  blocks_type* blocks_ = nullptr;
  worker_memory* workers_ = nullptr;
};

} // namespace detail

/// A layer's kernel matrix, one tile after another, for who makes something of its entries on the host: in blocks of the source's rows and,
/// behind these, of the target's. Every pair of blocks may be asked for, in any order, by as many workers at once as `exec` has.
/// @tparam Visitor  what a tile holds: a matrix_visitor the kernel, a term_matrix_visitor a tile of each term
template <class T, class Profile, class Visitor = matrix_visitor>
class kernel_tiles {
  using tiles_type = detail::kept_tiles<Visitor, T, Profile>;
  using problem_type = typename tiles_type::problem_type;

public:
  /// @param matrices  how many tiles the visitor keeps
  /// @param distinct  whether the pair of a row with itself is 0
  template <class Exec>
  kernel_tiles(const Exec& exec, const layer<T, Profile>& one, workspace& scratch, index_t matrices = 1, bool distinct = false)
      : coefficients_{distinct}, layers_{one}, problem_(visitor_, coefficients_, layers_, centres_, T(1)), tiles_(problem_) {
    if constexpr (reads<Profile>::distance_only) centres_[0] = centre_finder(exec, one.data, *one.summary, scratch).run(false);
    tiles_.prepare(exec, one.data.source_rows(), matrices, scratch);
  }
  kernel_tiles(const kernel_tiles&) = delete;
  kernel_tiles& operator=(const kernel_tiles&) = delete;

  index_t stride() const { return tiles_.block_rows(); } ///< from one column of a tile to the next, and most rows of a block
  index_t source_blocks() const { return tiles_.own_blocks(); }
  index_t blocks() const { return tiles_.count(); }

  /// Rows of the joint sample.
  struct run_of_rows {
    index_t first, count;
  };
  run_of_rows rows(index_t block) const { return {tiles_.rows(block).first, tiles_.rows(block).count}; }

  /// The tiles of two blocks: entry (lane, column) at [column * stride() + lane], in this worker's memory until its next call.
  T* const* operator()(int worker, index_t lanes, index_t columns) const { return tiles_.evaluate(worker, lanes, columns); }

private:
  Visitor visitor_;
  unit_coefficients coefficients_;
  typename problem_type::layers_tuple layers_;
  typename problem_type::centres_array centres_{};
  problem_type problem_;
  tiles_type tiles_;
};

} // namespace dalib::engine
