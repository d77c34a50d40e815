/// @file
/// @internal
/// v' K v for hundreds of vectors of two values and every term of a kernel, in one pass over tiles of the kernel matrix.
#pragma once

#include "dalib/engine/host/kept_tiles.hpp"
#include "dalib/engine/host/tournament.hpp"
#include "dalib/inference/label_shuffles.hpp"
#include "dalib/inference/label_tables.hpp"
#include "dalib/inference/quadratic_forms.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace dalib::inference::detail {

/// What looks up the forms of a tile.
#if defined(__AVX512F__) && !defined(__CUDA_ARCH__)
template <class T>
using label_tile = label_shuffles<T>;
#else
template <class T>
using label_tile = label_tables<T>;
#endif

/// The forms of `tiles`' matrix, each unordered pair of rows once: K is made tile by tile, in O(n^2 F), and a vector's share of a tile is
/// looked up in tables of partial sums, one addition for five columns of a register of rows, in O(n^2 vectors / 10). That is 3 to 4 times
/// as fast as the product K Z at the processor's peak, of which a form needs half. O(n (F + vectors / 3)) memory.
///
/// Blocks meet in the tournament's order, so that a round's tasks add to sums of their own: the same bits for any number of threads.
/// @tparam Tiles  engine::kernel_tiles, or another type with its functions: entries (lane, column) of each term at [column * stride + lane]
template <class T, class Tiles, class Tile = label_tile<T>>
class label_form_pass {
public:
  label_form_pass(const Tiles& tiles, int terms, const label_vectors& vectors) : tiles_(tiles), terms_(terms), vectors_(vectors) {}

  template <class Exec>
  quadratic_forms run(const Exec& exec) {
    const index_t blocks = tiles_.blocks();
    const engine::pairing order{engine::round_up(blocks, 2)};
    prepare(exec, std::max(blocks, order.pairs()));
    exec.run(blocks, [&](index_t own, int worker) { visit({worker, own}, own, own); });
    for (index_t round = 0; round < order.rounds(); ++round)
      exec.run(order.pairs(), [&](index_t which, int worker) {
        const auto [a, b] = order.pair(round, which);
        if (a < blocks && b < blocks) visit({worker, which}, a, b); // else the block rests in this round
      });
    return result();
  }

private:
  struct task {
    int worker;
    index_t slot;
  };

  template <class Exec>
  void prepare(const Exec& exec, index_t slots) {
    labels_.resize(static_cast<std::size_t>(tiles_.blocks()));
    exec.run(tiles_.blocks(), [&](index_t b, int) {
      labels_[static_cast<std::size_t>(b)] = typename Tile::labels(vectors_, tiles_.rows(b).first, tiles_.rows(b).count);
    });
    workers_.assign(static_cast<std::size_t>(exec.workers()), Tile(vectors_));
    slots_.assign(static_cast<std::size_t>(slots), std::vector<double>(static_cast<std::size_t>(terms_ * vectors_.count()), 0.0));
    row_sums_.assign(static_cast<std::size_t>(terms_ * vectors_.length()), 0.0);
  }

  void visit(task at, index_t lane_block, index_t column_block) {
    T* const* kept = tiles_(at.worker, lane_block, column_block);
    const auto lanes = tiles_.rows(lane_block), columns = tiles_.rows(column_block);
    const bool twice = lane_block != column_block;
    const index_t stride = tiles_.stride(), padded = engine::round_up(lanes.count, simd_lanes<T>);
    for (int k = 0; k < terms_; ++k) {
      for (index_t c = 0; c < columns.count; ++c) std::fill(kept[k] + c * stride + lanes.count, kept[k] + c * stride + padded, T(0));
      double* rows = row_sums_.data() + k * vectors_.length();
      add_row_sums(kept[k], {lanes.count, columns.count}, rows + lanes.first, twice ? rows + columns.first : nullptr);
      workers_[static_cast<std::size_t>(at.worker)].add(kept[k], stride, labels_[static_cast<std::size_t>(lane_block)],
                                                        labels_[static_cast<std::size_t>(column_block)], twice ? 2 : 1,
                                                        slots_[static_cast<std::size_t>(at.slot)].data() + k * vectors_.count());
    }
  }

  struct tile_size {
    index_t lanes, columns;
  };
  /// Adds a tile's sums over its columns, and over its lanes if these are other rows: in T over a column's registers or a run of columns,
  /// in double beyond.
  void add_row_sums(const T* tile, tile_size size, double* of_lanes, double* of_columns) const {
    constexpr index_t width = simd_lanes<T>, run_of_columns = 8;
    std::array<typename dalib::detail::wide_register<T>::type, static_cast<std::size_t>(engine::block_rows_limit / width)> wide{};
    std::array<pack<T>, static_cast<std::size_t>(engine::block_rows_limit / width)> sums;
    const auto registers = static_cast<std::size_t>((size.lanes + width - 1) / width);
    for (index_t first = 0; first < size.columns; first += run_of_columns) {
      sums.fill(pack<T>(0));
      for (index_t c = first; c < std::min(size.columns, first + run_of_columns); ++c) {
        pack<T> column(0);
        for (std::size_t l = 0; l < registers; ++l) {
          const auto values = pack<T>::load(tile + c * tiles_.stride() + static_cast<index_t>(l) * width);
          sums[l] += values;
          column += values;
        }
        if (of_columns != nullptr) of_columns[c] += static_cast<double>(column.sum());
      }
      for (std::size_t l = 0; l < registers; ++l) add_widened<T>(wide[l], sums[l].lanes);
    }
    for (index_t l = 0; l < size.lanes; ++l) of_lanes[l] += wide[static_cast<std::size_t>(l / width)][l % width];
  }

  quadratic_forms result() const {
    quadratic_forms all{vectors_.count(), terms_, std::vector<double>(slots_.front().size(), 0.0), {}, {}};
    for (const auto& slot : slots_)
      for (std::size_t i = 0; i < slot.size(); ++i) all.form[i] += slot[i];
    for (int k = 0; k < terms_; ++k) {
      const double* rows = row_sums_.data() + k * vectors_.length();
      const std::vector<double> linear = vectors_.products(rows);
      all.linear.insert(all.linear.end(), linear.begin(), linear.end());
      all.total.push_back(sum_of(rows, vectors_.length()));
    }
    return all;
  }

  const Tiles& tiles_;
  int terms_;
  const label_vectors& vectors_;
  std::vector<typename Tile::labels> labels_;
  std::vector<Tile> workers_;
  std::vector<std::vector<double>> slots_; ///< of each task of a round: terms x vectors
  std::vector<double> row_sums_;           ///< terms x rows
};

/// The forms of a kernel's terms; rows are those of the joint sample.
template <class Tile, class Exec, class T, class Profile>
quadratic_forms forms_by(const Exec& exec, const kernel_blocks<T, Profile>& kernel, const label_vectors& vectors, own_pairs own) {
  using tiles_type = engine::kernel_tiles<T, Profile, engine::term_matrix_visitor>;
  workspace scratch;
  const tiles_type tiles(exec, kernel.layer(), scratch, kernel.terms(), own == own_pairs::without);
  return label_form_pass<T, tiles_type, Tile>(tiles, kernel.terms(), vectors).run(exec);
}
template <class Exec, class T, class Profile>
quadratic_forms forms_of(const Exec& exec, const kernel_blocks<T, Profile>& kernel, const label_vectors& vectors, own_pairs own) {
  return forms_by<label_tile<T>>(exec, kernel, vectors, own);
}

} // namespace dalib::inference::detail
