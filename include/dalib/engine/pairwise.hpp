/// @file
/// The pairwise engine: value and gradient of a weighted sum of kernels over all pairs of rows, in one pass over tiles.
///
/// Memory beyond the inputs and outputs: O(F) for the mean, packed rows of at most packed_bytes_limit, and for each worker a tile with its
/// two blocks of rows. Never n x n.
#pragma once

#include "dalib/core/gradients.hpp"
#include "dalib/engine/coefficients.hpp"
#include "dalib/engine/combine.hpp"
#include "dalib/engine/schedule.hpp"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

namespace dalib::engine {

/// Up to this many rows one block holds the whole problem, and every stripe of its columns is a task of its own.
inline constexpr index stripe_limit = 256;
/// Rows of a block beyond that: the tile and its two blocks stay in the second-level cache at F = 256.
inline constexpr index block_rows_limit = 192;
/// At least this many blocks, so that several threads have work in each round.
inline constexpr index least_blocks = 8;

/// Rows are packed once for the whole problem up to this size, and by whoever visits a tile beyond it.
inline constexpr index packed_bytes_limit = index{32} << 20;

/// One worker's memory for all layers of a problem.
template <class T, std::size_t Layers>
struct tile_memory {
  std::array<packed_rows<T>, Layers> first;  ///< blocks of the lanes (in a tournament)
  std::array<packed_rows<T>, Layers> second; ///< blocks of the columns
  std::array<layer_tile<T>, Layers> tiles;
  T* coefficients = nullptr;
  T* gradient = nullptr;
  index stride = 0; ///< of the tiles
};

/// A weighted sum over pairs, sum_{x,y} c(x, y) prod_l k_l(x_l, y_l), over rows that every layer of the problem has.
/// @tparam Gradient     whether gradients are computed at all
/// @tparam Accumulator  how the value's terms are added
/// @tparam Coefficients `fill(first, count, row, out)`: the pairs' weights
template <bool Gradient, class Accumulator, class Exec, class Coefficients, class T, class... Profiles>
class pairwise_sum {
  static constexpr std::size_t layer_count = sizeof...(Profiles);
  using memory = tile_memory<T, layer_count>;
  using layer_indices = std::index_sequence_for<Profiles...>;
  using parts_array = std::array<tile_part<T>, layer_count>;
  using state = typename Accumulator::state;
  template <std::size_t L>
  using profile_of = typename std::tuple_element_t<L, std::tuple<layer<T, Profiles>...>>::profile_type;
  /// Whether layer L's kernel reads terms of the rows before centring.
  template <std::size_t L>
  static constexpr bool raw = reads<profile_of<L>>::shift;

public:
  pairwise_sum(const Exec& exec, const Coefficients& coefficients, const std::tuple<layer<T, Profiles>...>& layers, workspace& scratch)
      : exec_(exec), coefficients_(coefficients), layers_(layers), scratch_(scratch), rows_(std::get<0>(layers).data.rows()) {}

  /// The value; gradients are added, times `scale`, to the layers' gradient views, which `mode` may clear first.
  double run(T scale, write_mode mode) {
    scale_ = 2 * scale; // each unordered pair stands twice in the sum
    mode_ = mode;
    return rows_ <= stripe_limit ? run_stripes() : run_tournament();
  }

private:
  // ---- few rows: everything packed once, one task per stripe of columns ----
  double run_stripes() {
    const index columns = row_unit<T>;
    pack_everything();
    const index stripes = all_[0].padded / columns;
    memory* workers = allocate_workers(static_cast<index>(exec_.workers()), all_[0].padded, columns, false);
    state* values = scratch_.template allocate<state>(stripes);
    clear_gradients();
    exec_.run(stripes, [&](index stripe, int worker) {
      memory& own = workers[worker];
      parts_array parts = parts_of(all_, all_, own);
      values[stripe] = state{};
      visit_tile(own, parts, {0, all_[0].padded}, {stripe * columns, columns}, false, values[stripe]);
    });
    return merged(values, stripes);
  }

  // ---- many rows: blocks meet in a tournament ----
  double run_tournament() {
    const index wanted = std::max(least_blocks, (rows_ + block_rows_limit - 1) / block_rows_limit);
    block_rows_ = round_up((rows_ + wanted - 1) / wanted, row_unit<T>);
    const index blocks = (rows_ + block_rows_ - 1) / block_rows_;
    const tournament order{round_up(blocks, 2)};
    packed_ = packed_bytes() <= packed_bytes_limit;
    if (packed_) pack_everything();
    memory* workers = allocate_workers(static_cast<index>(exec_.workers()), block_rows_, block_rows_, !packed_);
    state* values = scratch_.template allocate<state>(blocks);
    std::fill_n(values, blocks, state{});
    clear_gradients();
    exec_.run(blocks, [&](index block, int worker) {
      memory& own = workers[worker];
      prepare_block(own.first, block);
      parts_array parts = parts_of(own.first, own.first, own);
      visit_tile(own, parts, {0, own.first[0].padded}, {0, own.first[0].padded}, false, values[block]);
    });
    for (index round = 0; round < order.rounds(); ++round)
      exec_.run(order.pairs(), [&](index which, int worker) {
        const auto [a, b] = order.pair(round, which);
        if (a >= blocks || b >= blocks) return; // an odd number of blocks: this one rests
        memory& own = workers[worker];
        prepare_block(own.first, a);
        prepare_block(own.second, b);
        parts_array parts = parts_of(own.first, own.second, own);
        visit_tile(own, parts, {0, own.first[0].padded}, {0, own.second[0].padded}, true, values[which]);
      });
    return merged(values, blocks);
  }

  // ---- one tile ----

  /// Adds a tile's pairs to `value` and their gradients to the columns' rows and, if `both`, the pairs (column, lane) too, to the lanes'.
  void visit_tile(memory& own, parts_array& parts, span_of_rows lanes, span_of_rows columns, bool both, state& value) {
    for_each_layer([&](auto l) {
      using profile = profile_of<l>;
      tile_part<T>& part = parts[l];
      if constexpr (reads<profile>::gram)
        pair_tile<multiply_add>(*part.lanes, lanes, *part.columns, columns, part.buffers.gram, own.stride);
      if constexpr (reads<profile>::l1)
        pair_tile<add_absolute_difference>(*part.lanes, lanes, *part.columns, columns, part.buffers.l1, own.stride);
      std::fill_n(part.buffers.lane_self, lanes.count, T(0));
      std::fill_n(part.buffers.lane_shift, lanes.count, T(0));
    });
    const packed_rows<T>& lane_block = *parts[0].lanes;
    const packed_rows<T>& column_block = *parts[0].columns;
    const index valid = std::min(lanes.count, lane_block.count - lanes.first);
    std::fill(own.coefficients + valid, own.coefficients + lanes.count, T(0));
    typename dalib::detail::wide_register<T>::type sums{}; // in double, lane by lane
    for (index place = 0; place < columns.count; ++place) {
      const index column = columns.first + place;
      if (column >= column_block.count) {
        clear_column(parts, lanes.count, place, own.stride);
        continue;
      }
      coefficients_.fill(lane_block.first + lanes.first, valid, column_block.first + column, own.coefficients);
      const pack<T> sum = combine_column<Gradient>(layer_indices{}, layers_, parts, lanes, column, place, own.stride, own.coefficients);
      sums += __builtin_convertvector(sum.lanes, decltype(sums));
    }
    double total = 0;
    for (int lane = 0; lane < pack<T>::size; ++lane) total += sums[lane];
    Accumulator::add(value, both ? 2 * total : total);
    if constexpr (Gradient)
      for_each_layer([&](auto l) {
        const layer_tile<T>& tile = parts[l].buffers;
        pull(std::get<l>(layers_), own, tile, {own.stride, 1}, *parts[l].columns, columns, tile.column_self, tile.column_shift,
             *parts[l].lanes, lanes);
        if (both)
          pull(std::get<l>(layers_), own, tile, {1, own.stride}, *parts[l].lanes, lanes, tile.lane_self, tile.lane_shift, *parts[l].columns,
               columns);
      });
  }

  void clear_column(parts_array& parts, index lanes, index place, index stride) {
    for (tile_part<T>& part : parts) {
      if (part.buffers.gram) std::fill_n(part.buffers.gram + place * stride, lanes, T(0));
      if (part.buffers.l1) std::fill_n(part.buffers.l1 + place * stride, lanes, T(0));
      part.buffers.column_self[place] = part.buffers.column_shift[place] = T(0);
    }
  }

  /// Pulls a tile's coefficients back to the rows `owns` and adds the result to the caller's gradient.
  template <class Profile>
  void pull(const layer<T, Profile>& one, memory& own, const layer_tile<T>& tile, tile_strides strides, const packed_rows<T>& owns,
            span_of_rows own_rows, const T* self, const T* shift, const packed_rows<T>& others, span_of_rows other_rows) {
    const index valid = std::min(own_rows.count, owns.count - own_rows.first);
    if (!wanted(one, owns.first + own_rows.first, valid)) return;
    if constexpr (reads<Profile>::gram)
      pull_to_rows(tile.gram, strides, own_rows.count, others, other_rows, own.gradient, false);
    else
      std::fill_n(own.gradient, own_rows.count * owns.stride, T(0));
    if constexpr (reads<Profile>::l1) pull_signs_to_rows(tile.l1, strides, owns, own_rows, others, other_rows, own.gradient);
    for (index i = 0; i < valid; ++i) {
      const index row = owns.first + own_rows.first + i;
      const matrix_view<T>& view = one.data.is_source(row) ? one.source_gradient : one.target_gradient;
      if (view.data == nullptr) continue;
      add_row(view, one.data.place_of_row(row), own.gradient + i * owns.stride, reads<Profile>::gram ? self[i] : T(0),
              owns.rows + (own_rows.first + i) * owns.stride, reads<Profile>::shift ? shift[i] : T(0), one.summary->mean());
    }
  }

  /// to(row) += scale * (pulled + self * z_c + shift * mean).
  void add_row(const matrix_view<T>& to, index row, const T* pulled, T self, const T* centred, T shift, const double* mean) const {
    T* out = &to(row, 0);
    const auto add = [&](index f, index step) { out[f * step] += scale_ * (pulled[f] + self * centred[f]); };
    if (to.col_stride == 1)
      for (index f = 0; f < to.cols; ++f) add(f, 1);
    else
      for (index f = 0; f < to.cols; ++f) add(f, to.col_stride);
    if (shift != T(0))
      for (index f = 0; f < to.cols; ++f) out[f * to.col_stride] += scale_ * shift * static_cast<T>(mean[f]);
  }

  template <class Profile>
  static bool wanted(const layer<T, Profile>& one, index first, index count) {
    const bool has_source = one.data.is_source(first);
    const bool has_target = !one.data.is_source(first + count - 1);
    return count > 0 && ((has_source && one.source_gradient.data) || (has_target && one.target_gradient.data));
  }

  // ---- memory ----
  memory* allocate_workers(index count, index lanes, index columns, bool own_blocks) {
    memory* workers = scratch_.template allocate<memory>(count);
    for (index w = 0; w < count; ++w) {
      memory& own = *new (workers + w) memory{};
      own.stride = lanes;
      own.coefficients = scratch_.template allocate<T>(lanes);
      index widest = 0;
      for_each_layer([&](auto l) {
        using profile = profile_of<l>;
        const index features = std::get<l>(layers_).data.features();
        widest = std::max(widest, padded_features<T>(features));
        own.tiles[l] = allocate_tile<profile, T>(scratch_, lanes, columns);
        if (own_blocks) {
          own.first[l].allocate(scratch_, lanes, features);
          own.second[l].allocate(scratch_, columns, features);
        }
      });
      if (Gradient) own.gradient = scratch_.template allocate<T>(columns * widest);
    }
    return workers;
  }

  index packed_bytes() {
    index elements = 0;
    for_each_layer([&](auto l) {
      const index features = std::get<l>(layers_).data.features();
      elements += rows_ * (features + padded_features<T>(features));
    });
    return elements * static_cast<index>(sizeof(T));
  }

  /// Packs all rows of all layers, in parallel.
  void pack_everything() {
    for_each_layer([&](auto l) {
      all_[l].allocate(scratch_, rows_, std::get<l>(layers_).data.features());
      all_[l].assign(0, rows_);
    });
    exec_.run(all_[0].panel_count(), [&](index panel, int) {
      for_each_layer([&](auto l) { pack_panel(std::get<l>(layers_).data, *std::get<l>(layers_).summary, all_[l], panel, raw<l>); });
    });
  }

  /// Makes `blocks` hold block `which`: a part of what is packed, or packed here and now into the worker's own memory.
  void prepare_block(std::array<packed_rows<T>, layer_count>& blocks, index which) {
    const index first = which * block_rows_;
    const index count = std::min(block_rows_, rows_ - first);
    for_each_layer([&](auto l) {
      if (packed_) {
        blocks[l] = all_[l].part(first, count);
      } else {
        blocks[l].assign(first, count);
        pack_rows(std::get<l>(layers_).data, *std::get<l>(layers_).summary, blocks[l], raw<l>);
      }
    });
  }

  static parts_array parts_of(const std::array<packed_rows<T>, layer_count>& lanes, const std::array<packed_rows<T>, layer_count>& columns,
                              const memory& own) {
    parts_array parts;
    for (std::size_t l = 0; l < layer_count; ++l) parts[l] = {&lanes[l], &columns[l], own.tiles[l]};
    return parts;
  }

  void clear_gradients() {
    if (!Gradient || mode_ == write_mode::accumulate) return;
    for_each_layer([&](auto l) { clear_gradient(std::get<l>(layers_)); });
  }

  static double merged(const state* values, index count) {
    state total{};
    for (index i = 0; i < count; ++i) Accumulator::merge(total, values[i]);
    return Accumulator::result(total);
  }

  template <class F>
  void for_each_layer(F&& f) {
    [&]<std::size_t... L>(std::index_sequence<L...>) { (f(std::integral_constant<std::size_t, L>{}), ...); }
    (layer_indices{});
  }

  const Exec& exec_;
  const Coefficients& coefficients_;
  const std::tuple<layer<T, Profiles>...>& layers_;
  workspace& scratch_;
  index rows_;
  index block_rows_ = 0;
  bool packed_ = false;
  std::array<packed_rows<T>, layer_count> all_;
  T scale_ = T(0);
  write_mode mode_ = write_mode::overwrite;
};

} // namespace dalib::engine
