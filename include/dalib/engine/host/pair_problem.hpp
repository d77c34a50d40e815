/// @file
/// A weighted sum over pairs as both schedules see it: tiles are evaluated, and pulled back to rows.
#pragma once

#include "dalib/core/gradients.hpp"
#include "dalib/engine/host/additive_tile.hpp"
#include "dalib/engine/host/close_pairs.hpp"
#include "dalib/engine/host/gradient_row.hpp"
#include "dalib/engine/host/visit_column.hpp"
#include "dalib/engine/pair/coefficients.hpp"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

namespace dalib::engine {

/// All pairs (x, y) of rows with their weights c(x, y) and kernels k_l(x_l, y_l), over rows that every layer has.
/// @tparam Visitor       what is done with every pair; see pair_visitor
/// @tparam Coefficients  `fill(first, count, row, out)`: the pairs' weights
template <class Visitor, class Coefficients, class T, class... Profiles>
class pair_problem {
  using layer_indices = std::index_sequence_for<Profiles...>;

public:
  using scalar = T;
  static constexpr bool with_gradient = visitor_pulls<Visitor>;
  using numbers = visited_numbers<Visitor>;
  static constexpr int number_count = numbers::size;
  static constexpr std::size_t layer_count = sizeof...(Profiles);
  using layers_tuple = std::tuple<layer<T, Profiles>...>;
  using blocks = std::array<packed_rows<T>, layer_count>;
  using parts = std::array<tile_part<T>, layer_count>;
  using centres_array = std::array<row_centres<T>, layer_count>;
  /// Numbers for each lane that `evaluate` keeps of the column at hand: a coefficient, and for each layer whether the pair is near.
  static constexpr index_t lane_numbers = 1 + static_cast<index_t>(layer_count);
  template <std::size_t L>
  using profile_of = typename std::tuple_element_t<L, layers_tuple>::profile_type;

  /// @param centres  where each layer's rows are measured from
  /// @param scale    upstream gradient
  pair_problem(const Visitor& visitor, const Coefficients& coefficients, const layers_tuple& layers, const centres_array& centres, T scale)
      : visitor_(visitor), coefficients_(coefficients), layers_(layers), centres_(centres), scale_(2 * scale) {
  } // each unordered pair stands twice in the sum

  index_t rows() const { return std::get<0>(layers_).data.rows(); }
  template <std::size_t L>
  index_t features() const {
    return std::get<L>(layers_).data.features();
  }

  /// Calls f(std::integral_constant<std::size_t, l>) for every layer l.
  template <class F>
  static void for_each_layer(F&& f) {
    [&]<std::size_t... L>(std::index_sequence<L...>) { (f(std::integral_constant<std::size_t, L>{}), ...); }
    (layer_indices{});
  }

  /// Widest padded row of all layers: the size of one row of a gradient block.
  index_t widest() const {
    index_t result = 0;
    for_each_layer([&](auto l) { result = std::max(result, padded_features<T>(features<l>())); });
    return result;
  }

  /// Memory for at most `capacity` rows of every layer.
  void allocate(workspace& scratch, blocks& all, index_t capacity) const {
    for_each_layer([&](auto l) { all[l].allocate(scratch, capacity, features<l>(), &centres_[l]); });
  }

  /// Fills panel `panel` of the blocks, one block for each layer.
  void pack(const blocks& all, index_t panel) const {
    for_each_layer([&](auto l) {
      const auto& one = std::get<l>(layers_);
      pack_panel(one.data, one.origin(), all[l], panel, reads<profile_of<l>>::shift);
    });
  }

  /// Whether any pair of these rows counts: a tile of other rows is left out.
  static constexpr bool leaves_out = knows_empty_blocks<Coefficients>;
  bool counts(joint_rows lanes, joint_rows columns) const { return counted(lanes, columns).first.count > 0; }
  /// The runs of both outside of which no pair counts.
  std::pair<joint_rows, joint_rows> counted(joint_rows lanes, joint_rows columns) const {
    if constexpr (leaves_out)
      return coefficients_.counted(lanes, columns);
    else
      return {lanes, columns};
  }

  /// Statistics and kernels of a tile, shown to the visitor: returns what it adds up and, if it pulls, leaves pull coefficients in the
  /// parts' buffers.
  numbers evaluate(parts& tile, const tile_span<T>& span) const {
    fill_statistics(tile, span);
    const packed_rows<T>& lane_block = *tile[0].lanes;
    const packed_rows<T>& column_block = *tile[0].columns;
    const index_t valid = std::min(span.lanes.count, lane_block.count - span.lanes.first);
    std::fill(span.numbers + valid, span.numbers + span.lanes.count, T(0));
    typename dalib::detail::wide_register<T>::type sums[number_count] = {}; // in double, lane by lane
    const int used = used_numbers(visitor_);
    visited_column<T> at{span.lanes, span.columns.first, 0, -1, span.both_from, span.stride, span.numbers, span.kept};
    for (; at.place < span.columns.count; ++at.place, ++at.column) {
      if (at.column >= column_block.count) {
        clear_column(tile, at);
        continue;
      }
      coefficients_.fill(lane_block.first + span.lanes.first, valid, column_block.first + at.column, span.numbers);
      if (lane_block.first == column_block.first) at.own_lane = at.column - span.lanes.first;
      dalib::pack<T> own[number_count];
      if (complete_column(tile, at))
        visit_column<visitor_pulls<Visitor>>(layer_indices{}, visitor_, layers_, tile, at, own);
      else
        visit_column<false>(layer_indices{}, visitor_, layers_, tile, at, own);
      for (int i = 0; i < used; ++i) add_widened<T>(sums[i], own[i].lanes);
    }
    numbers totals{};
    for (int i = 0; i < used; ++i)
      for (int lane = 0; lane < dalib::pack<T>::size; ++lane) totals[i] += sums[i][lane];
    return totals;
  }

  /// Pulls a side's own rows towards the others by layer L's tile and writes the result, with the own rows' coefficients and the mean's,
  /// over the caller's gradient or adds it. `block` is memory for own_rows.count padded rows, used where the caller's rows are not
  /// contiguous.
  template <std::size_t L>
  void pull(const tile_side<T>& side, const own_pulls<T>& own, T* block, write_mode mode) const {
    using profile = profile_of<L>;
    const index_t count = side.own_rows.count;
    const gradient_places<T> places = places_of<L>(side);
    if (!reads<profile>::added && places.contiguous) {
      pull_to_rows(
          side.tile.gram, side.strides, count, side.others, side.other_rows,
          gradient_rows<T>{places.to.data(), own.self, side.owns, side.own_rows.first, scale<L>(), mode == write_mode::accumulate});
    } else {
      const gradient_block<T> target{block, side.owns.stride};
      if constexpr (reads<profile>::gram)
        pull_to_rows(side.tile.gram, side.strides, count, side.others, side.other_rows, target);
      else
        std::fill_n(block, count * side.owns.stride, T(0));
      if constexpr (reads<profile>::added)
        pull_terms_to_rows<typename reads<profile>::additive>(side.tile.added, side.strides, side.owns, side.own_rows, side.others,
                                                              side.other_rows, target);
      for_each_wanted<L>(places, count, [&](index_t i, const gradient_row<T>& row) {
        row.add(block + i * side.owns.stride, reads<profile>::gram ? own.self[i] : T(0), side.owns, side.own_rows.first + i, mode);
      });
    }
    if (reads<profile>::distance_only && side.owns.centres)
      add_pulls_of_centres(side.tile.gram, side.strides, count, side.others, side.other_rows,
                           centres_[L].pulls + (side.owns.first + side.own_rows.first) * centres_[L].padded);
    if constexpr (reads<profile>::shift && !reads<profile>::as_given)
      for_each_wanted<L>(places, count, [&](index_t i, const gradient_row<T>& row) {
        row.add_mean(std::get<L>(layers_).origin().mean, side.owns.features, own.shift[i]);
      });
  }

  /// Adds what the tile's near pairs do to a side's own rows to the caller's gradient, after the pull that may write over it. `block` is
  /// memory for a padded row.
  template <std::size_t L>
  void pull_near(const tile_side<T>& side, T* block) const {
    if constexpr (reads<profile_of<L>>::distance) {
      const unsigned char* flags = side.tile.has_close;
      const index_t columns = side.strides.other == 1 ? side.own_rows.count : side.other_rows.count;
      if (std::none_of(flags, flags + columns, [](unsigned char any) { return any != 0; })) return;
      pull_near_rows(std::get<L>(layers_).data, side, places_of<L>(side), scale<L>(), block);
    }
  }

  /// Adds what rows `own_rows` are pulled by towards other rows' centres, after all other pulls. `block` is memory for a padded row.
  template <std::size_t L>
  void pull_to_centres(const packed_rows<T>& owns, span_of_rows own_rows, T* block) const {
    if constexpr (reads<profile_of<L>>::distance_only) {
      const row_centres<T>& from = centres_[L];
      if (from.count == 0) return;
      for_each_wanted<L>(places_of<L>(owns, own_rows), own_rows.count,
                         [&](index_t i, const gradient_row<T>& row) { row.add_centres(from, owns.first + own_rows.first + i, block); });
    }
  }

  /// Whether layer L's gradient of any of the rows is wanted.
  template <std::size_t L>
  bool wanted(const packed_rows<T>& owns, span_of_rows own_rows) const {
    const auto& one = std::get<L>(layers_);
    const index_t first = owns.first + own_rows.first;
    const index_t count = std::min(own_rows.count, owns.count - own_rows.first);
    if (count <= 0) return false;
    return (one.data.is_source(first) && one.source_gradient.data) || (!one.data.is_source(first + count - 1) && one.target_gradient.data);
  }

private:
  /// What layer L's gradients are multiplied by.
  template <std::size_t L>
  T scale() const {
    return scale_ * std::get<L>(layers_).gradient_factor;
  }

  /// Inner products and sums over the features of a tile's pairs.
  void fill_statistics(parts& tile, const tile_span<T>& span) const {
    for_each_layer([&](auto l) {
      tile_part<T>& part = tile[l];
      if constexpr (reads<profile_of<l>>::gram)
        pair_tile<multiply_add>(*part.lanes, span.lanes, *part.columns, span.columns, part.buffers.gram, span.stride);
      if (reads<profile_of<l>>::distance_only && part.lanes->centres)
        add_terms_of_centres(*part.lanes, span.lanes, *part.columns, span.columns, part.buffers.gram, span.stride);
      if constexpr (reads<profile_of<l>>::added)
        pair_tile<add_term<typename reads<profile_of<l>>::additive>>(*part.lanes, span.lanes, *part.columns, span.columns,
                                                                     part.buffers.added, span.stride);
      part.buffers.near = span.numbers + (1 + static_cast<index_t>(l)) * span.lanes.count;
      std::fill_n(part.buffers.lane_self, span.lanes.count, T(0));
      std::fill_n(part.buffers.lane_shift, span.lanes.count, T(0));
    });
  }

  /// Squared distances of one column of all layers. Returns whether any pair pulls by differences; then every layer's has_close and near
  /// are set.
  bool complete_column(parts& tile, const visited_column<T>& at) const {
    bool any = false;
    bool near[layer_count] = {};
    for_each_layer([&](auto l) {
      if constexpr (reads<profile_of<l>>::distance) {
        near[l] = complete_distances(std::get<l>(layers_).data, tile[l], at);
        tile[l].buffers.has_close[at.place] = near[l];
        any = any || near[l];
      }
    });
    for (std::size_t l = 0; any && l < layer_count; ++l)
      if (!near[l]) std::fill_n(tile[l].buffers.near, at.lanes.count, T(0));
    return any;
  }

  static void clear_column(parts& tile, const visited_column<T>& at) {
    for (tile_part<T>& part : tile) {
      if (part.buffers.gram) std::fill_n(part.buffers.gram + at.start(), at.lanes.count, T(0));
      if (part.buffers.added) std::fill_n(part.buffers.added + at.start(), at.lanes.count, T(0));
      if (part.buffers.has_close) part.buffers.has_close[at.place] = 0;
      part.buffers.column_self[at.place] = part.buffers.column_shift[at.place] = T(0);
    }
  }

  template <std::size_t L>
  const matrix_view<T>& gradient_of(index_t row) const {
    const auto& one = std::get<L>(layers_);
    return one.data.is_source(row) ? one.source_gradient : one.target_gradient;
  }

  template <std::size_t L>
  gradient_places<T> places_of(const packed_rows<T>& owns, span_of_rows own_rows) const {
    gradient_places<T> places;
    places.contiguous = owns.features == owns.stride;
    const index_t valid = std::min(own_rows.count, owns.count - own_rows.first);
    for (index_t i = 0; i < valid; ++i) {
      const index_t row = owns.first + own_rows.first + i;
      const matrix_view<T>& view = gradient_of<L>(row);
      if (view.data == nullptr) continue;
      places.to[static_cast<std::size_t>(i)] = &view(std::get<L>(layers_).data.place_of_row(row), 0);
      places.steps[static_cast<std::size_t>(i)] = view.col_stride;
      places.contiguous = places.contiguous && view.col_stride == 1;
    }
    return places;
  }
  template <std::size_t L>
  gradient_places<T> places_of(const tile_side<T>& side) const {
    return places_of<L>(side.owns, side.own_rows);
  }

  /// Calls use(i, gradient_row) for every row whose gradient is wanted.
  template <std::size_t L, class Use>
  void for_each_wanted(const gradient_places<T>& places, index_t count, const Use& use) const {
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i)
      if (places.to[i]) use(static_cast<index_t>(i), gradient_row<T>{places.to[i], places.steps[i], scale<L>()});
  }

  const Visitor& visitor_;
  const Coefficients& coefficients_;
  const layers_tuple& layers_;
  const centres_array& centres_;
  T scale_;
};

} // namespace dalib::engine
