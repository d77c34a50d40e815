/// @file
/// Kernel matrices times a right-hand side on the host: tiles of K are made, used for both their sides, and forgotten.
#pragma once

#include "dalib/engine/host/kept_tiles.hpp"
#include "dalib/engine/host/pairwise.hpp"

#include <algorithm>
#include <array>
#include <new>
#include <span>

namespace dalib::engine {

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
  using tiles_type = kept_tiles<Visitor, T, Profile>;
  using problem_type = typename tiles_type::problem_type;

  /// A block's part of the right-hand side, and of every result.
  struct block_data {
    packed_rows<T> right;
    packed_rows<T>* sums = nullptr;
  };

public:
  product_pass(const problem_type& problem, const product_request<T>& request)
      : tiles_(problem), across_(request.pairs == pair_set::across), right_(request.right), out_(request.out),
        terms_(static_cast<index_t>(request.out.size())) {}

  template <class Exec>
  void run(const Exec& exec, workspace& scratch) {
    tiles_.prepare(exec, out_[0].rows, terms_, scratch);
    allocate(scratch);
    exec.run(tiles_.count(), [&](index_t which, int) { fill(which); });
    const index_t owns = tiles_.own_blocks();
    if (across_)
      exec.run(owns, [&](index_t own, int worker) {
        for (index_t other = owns; other < tiles_.count(); ++other)
          multiply(tiles_.evaluate(worker, own, other), {1, tiles_.block_rows()}, other, own, other > owns);
      });
    else
      visit_all(exec);
    exec.run(owns, [&](index_t which, int) { write(which); });
  }

private:
  bool has_right(index_t block) const { return !across_ || block >= tiles_.own_blocks(); }

  void allocate(workspace& scratch) {
    data_ = scratch.template allocate<block_data>(tiles_.count());
    for (index_t b = 0; b < tiles_.count(); ++b) {
      block_data& one = *new (data_ + b) block_data{};
      if (has_right(b)) allocate_columns(scratch, one.right);
      if (b >= tiles_.own_blocks()) continue;
      one.sums = scratch.template allocate<packed_rows<T>>(terms_);
      for (index_t k = 0; k < terms_; ++k) allocate_columns(scratch, *new (one.sums + k) packed_rows<T>{});
    }
  }

  /// Memory for as many columns as the right-hand side has.
  void allocate_columns(workspace& scratch, packed_rows<T>& columns) const {
    columns.features = right_.cols;
    columns.stride = padded_features<T>(right_.cols);
    columns.chunk_stride = tiles_.block_rows() * chunk_features<T>;
    columns.rows = scratch.template allocate<T>(tiles_.block_rows() * stored_features<T>(right_.cols));
  }

  /// Packs a block's part of the right-hand side.
  void fill(index_t which) const {
    if (!has_right(which)) return;
    const packed_rows<T>& to = data_[which].right;
    const index_t first = tiles_.rows(which).first - (across_ ? out_[0].rows : 0);
    for (index_t c = 0; c < to.chunk_count(); ++c)
      for (index_t i = 0; i < tiles_.rows(which).count; ++i) {
        const index_t column = c * chunk_features<T>, valid = std::min(chunk_features<T>, right_.cols - column);
        T* row = to.chunk(i, c);
        for (index_t j = 0; j < valid; ++j) row[j] = right_(first + i, column + j);
        std::fill(row + valid, row + chunk_features<T>, T(0));
      }
  }

  template <class Exec>
  void visit_all(const Exec& exec) const {
    const index_t blocks = tiles_.count(), stride = tiles_.block_rows();
    exec.run(blocks, [&](index_t own, int worker) { multiply(tiles_.evaluate(worker, own, own), {1, stride}, own, own, false); });
    const pairing order{round_up(blocks, 2)};
    for (index_t round = 0; round < order.rounds(); ++round)
      exec.run(order.pairs(), [&](index_t which, int worker) {
        const auto [a, b] = order.pair(round, which);
        if (a >= blocks || b >= blocks) return; // the block rests in this round
        T* const* kept = tiles_.evaluate(worker, a, b);
        multiply(kept, {1, stride}, b, a, true);
        multiply(kept, {stride, 1}, a, b, true);
      });
  }

  /// Rows of block `owns` receive the tiles' entries times the right-hand side of `others`.
  void multiply(T* const* kept, tile_strides strides, index_t others, index_t owns, bool accumulate) const {
    for (index_t k = 0; k < terms_; ++k)
      pull_to_rows(kept[k], strides, round_up(tiles_.rows(owns).count, tile_columns<T>), data_[others].right,
                   {0, tiles_.rows(others).count}, block_of_sums<T>{data_[owns].sums[k], accumulate});
  }

  void write(index_t which) const {
    const packed_rows<T>& rows = tiles_.rows(which);
    for (index_t k = 0; k < terms_; ++k)
      for (index_t i = 0; i < rows.count; ++i)
        for (index_t j = 0; j < right_.cols; ++j)
          out_[static_cast<std::size_t>(k)](rows.first + i, j) =
              data_[which].sums[k].chunk(i, j / chunk_features<T>)[j % chunk_features<T>];
  }

  tiles_type tiles_;
  bool across_;
  const matrix_view<const T>& right_;
  std::span<const matrix_view<T>> out_;
  index_t terms_;
  block_data* data_ = nullptr;
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
  detail::product_pass<Visitor, T, Profile>(problem, request).run(exec, scratch);
}

} // namespace dalib::engine
