/// @file
/// Kernel matrices times a right-hand side on the host: tiles of K are made, used for both their sides, and forgotten.
#pragma once

#include "dalib/engine/host/pairwise.hpp"

#include <algorithm>
#include <array>
#include <new>
#include <span>

namespace dalib::engine {

/// Most rows of a tile's side where a tile of every term is kept: five of them stay in the second-level cache.
inline constexpr index_t term_block_rows = 96;

namespace detail {

/// Sums of a block's rows as the target of a product, in the chunks in which right-hand sides are packed.
template <class T>
struct block_of_sums {
  const packed_rows<T>& to;
  bool accumulate;

  result_tile<T> tile(index_t own, index_t chunk) const { return {to.chunk(own, chunk), chunk_features<T>, accumulate}; }
};

/// out_k = K_k Z for every matrix K_k that `Visitor` keeps. Each unordered pair of blocks is evaluated once; a block's rows receive its own
/// tile first and those of the other blocks in the tournament's order: the same bits for any number of threads.
template <class Visitor, class T, class Profile>
class product_pass {
  using problem_type = pair_problem<Visitor, unit_coefficients, T, Profile>;
  using blocks_type = typename problem_type::blocks;
  using layers_tuple = typename problem_type::layers_tuple;

  /// What a worker needs for a tile.
  struct worker_memory {
    layer_tile<T> tile;
    T* numbers = nullptr;
    T** kept = nullptr;
  };
  /// A block of rows, of the right-hand side, and of every result.
  struct row_block {
    blocks_type rows;
    packed_rows<T> right;
    packed_rows<T>* sums = nullptr;
  };

public:
  product_pass(const problem_type& problem, pair_set pairs, const matrix_view<const T>& right, std::span<const matrix_view<T>> out)
      : problem_(problem), across_(pairs == pair_set::across), right_(right), out_(out), terms_(static_cast<index_t>(out.size())) {}

  template <class Exec>
  void run(const Exec& exec, workspace& scratch) {
    const index_t rows = problem_.rows(), owns = out_[0].rows;
    const index_t most = terms_ > 1 ? term_block_rows : block_rows_limit;
    const index_t wanted = std::max(std::clamp<index_t>(rows / least_block_rows, 1, least_blocks), (rows + most - 1) / most);
    block_rows_ = round_up((rows + wanted - 1) / wanted, row_unit<T>);
    own_blocks_ = blocks_in(owns);
    blocks_ = own_blocks_ + blocks_in(rows - owns);
    allocate(exec, scratch);
    exec.run(blocks_, [&](index_t which, int) { fill(data_[which], which); });
    if (across_)
      exec.run(own_blocks_, [&](index_t own, int worker) {
        for (index_t other = own_blocks_; other < blocks_; ++other) {
          evaluate(workers_[worker], data_[own], data_[other]);
          multiply(workers_[worker], {1, block_rows_}, data_[other], data_[own], other > own_blocks_);
        }
      });
    else
      visit_all(exec);
    exec.run(own_blocks_, [&](index_t which, int) { write(data_[which], which * block_rows_); });
  }

private:
  index_t blocks_in(index_t rows) const { return (rows + block_rows_ - 1) / block_rows_; }

  template <class Exec>
  void allocate(const Exec& exec, workspace& scratch) {
    data_ = scratch.template allocate<row_block>(blocks_);
    for (index_t b = 0; b < blocks_; ++b) {
      row_block& one = *new (data_ + b) row_block{};
      problem_.allocate(scratch, one.rows, block_rows_);
      const index_t first = b < own_blocks_ ? b * block_rows_ : out_[0].rows + (b - own_blocks_) * block_rows_;
      const index_t end = b < own_blocks_ ? out_[0].rows : problem_.rows();
      one.rows[0].assign(first, std::min(block_rows_, end - first));
      if (!across_ || b >= own_blocks_) allocate_columns(scratch, one.right);
      if (b >= own_blocks_) continue;
      one.sums = scratch.template allocate<packed_rows<T>>(terms_);
      for (index_t k = 0; k < terms_; ++k) allocate_columns(scratch, *new (one.sums + k) packed_rows<T>{});
    }
    const auto count = static_cast<index_t>(exec.workers());
    workers_ = scratch.template allocate<worker_memory>(count);
    for (index_t w = 0; w < count; ++w) {
      worker_memory& own = *new (workers_ + w) worker_memory{};
      own.tile = allocate_tile<Profile, T>(scratch, block_rows_, block_rows_);
      own.numbers = scratch.template allocate<T>(block_rows_ * problem_type::lane_numbers);
      own.kept = scratch.template allocate<T*>(terms_);
      // One matrix takes the place of the statistics it is made of.
      own.kept[0] = reads<Profile>::gram ? own.tile.gram : own.tile.l1;
      for (index_t k = 0; terms_ > 1 && k < terms_; ++k) own.kept[k] = scratch.template allocate<T>(block_rows_ * block_rows_);
    }
  }

  /// Memory for as many columns as the right-hand side has.
  void allocate_columns(workspace& scratch, packed_rows<T>& columns) const {
    columns.features = right_.cols;
    columns.stride = padded_features<T>(right_.cols);
    columns.chunk_stride = block_rows_ * chunk_features<T>;
    columns.rows = scratch.template allocate<T>(block_rows_ * stored_features<T>(right_.cols));
  }

  /// Packs a block's rows, and its part of the right-hand side.
  void fill(const row_block& one, index_t which) const {
    for (index_t panel = 0; panel < one.rows[0].panel_count(); ++panel) problem_.pack(one.rows, panel);
    if (across_ && which < own_blocks_) return;
    const index_t first = one.rows[0].first - (across_ ? out_[0].rows : 0);
    for (index_t c = 0; c < one.right.chunk_count(); ++c)
      for (index_t i = 0; i < one.rows[0].count; ++i) {
        const index_t column = c * chunk_features<T>, valid = std::min(chunk_features<T>, right_.cols - column);
        T* to = one.right.chunk(i, c);
        for (index_t j = 0; j < valid; ++j) to[j] = right_(first + i, column + j);
        std::fill(to + valid, to + chunk_features<T>, T(0));
      }
  }

  template <class Exec>
  void visit_all(const Exec& exec) const {
    exec.run(blocks_, [&](index_t own, int worker) {
      evaluate(workers_[worker], data_[own], data_[own]);
      multiply(workers_[worker], {1, block_rows_}, data_[own], data_[own], false);
    });
    const pairing order{round_up(blocks_, 2)};
    for (index_t round = 0; round < order.rounds(); ++round)
      exec.run(order.pairs(), [&](index_t which, int worker) {
        const auto [a, b] = order.pair(round, which);
        if (a >= blocks_ || b >= blocks_) return; // the block rests in this round
        evaluate(workers_[worker], data_[a], data_[b]);
        multiply(workers_[worker], {1, block_rows_}, data_[b], data_[a], true);
        multiply(workers_[worker], {block_rows_, 1}, data_[a], data_[b], true);
      });
  }

  void evaluate(const worker_memory& own, const row_block& lanes, const row_block& columns) const {
    typename problem_type::parts parts{{{&lanes.rows[0], &columns.rows[0], own.tile}}};
    problem_.evaluate(parts, {{0, lanes.rows[0].padded}, {0, columns.rows[0].padded}, 0, block_rows_, own.numbers, own.kept});
  }

  /// Rows of `owns` receive the tiles' entries times the right-hand side of `others`.
  void multiply(const worker_memory& own, tile_strides strides, const row_block& others, const row_block& owns, bool accumulate) const {
    for (index_t k = 0; k < terms_; ++k)
      pull_to_rows(own.kept[k], strides, round_up(owns.rows[0].count, tile_columns<T>), others.right, {0, others.rows[0].count},
                   block_of_sums<T>{owns.sums[k], accumulate});
  }

  void write(const row_block& one, index_t first) const {
    for (index_t k = 0; k < terms_; ++k)
      for (index_t i = 0; i < one.rows[0].count; ++i)
        for (index_t j = 0; j < right_.cols; ++j)
          out_[static_cast<std::size_t>(k)](first + i, j) = one.sums[k].chunk(i, j / chunk_features<T>)[j % chunk_features<T>];
  }

  const problem_type& problem_;
  bool across_;
  const matrix_view<const T>& right_;
  std::span<const matrix_view<T>> out_;
  index_t terms_;
  index_t block_rows_ = 0;
  index_t blocks_ = 0;
  index_t own_blocks_ = 0; ///< blocks of rows that have a result; with pair_set::across the others have the right-hand side
  row_block* data_ = nullptr;
  worker_memory* workers_ = nullptr;
};

} // namespace detail

/// out[k] = K_k Z; see engine/kernel_products.hpp. `visitor` keeps as many matrices as there are results.
template <class Exec, class Visitor, class T, class Profile>
void kernel_products(const Exec& exec, const Visitor& visitor, const layer<T, Profile>& one, const product_request<T>& request,
                     workspace& scratch) {
  using problem_type = pair_problem<Visitor, unit_coefficients, T, Profile>;
  typename problem_type::centres_array centres{};
  if constexpr (reads<Profile>::distance_only) centres[0] = centre_finder(exec, one.data, *one.summary, scratch).run(false);
  const unit_coefficients coefficients{request.pairs == pair_set::distinct};
  const typename problem_type::layers_tuple layers{one};
  const problem_type problem(visitor, coefficients, layers, centres, T(1));
  detail::product_pass<Visitor, T, Profile>(problem, request.pairs, request.right, request.out).run(exec, scratch);
}

} // namespace dalib::engine
