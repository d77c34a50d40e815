/// @file
/// A weighted sum over pairs as both schedules see it: tiles are evaluated, and pulled back to rows.
#pragma once

#include "dalib/core/gradients.hpp"
#include "dalib/engine/host/close_pairs.hpp"
#include "dalib/engine/host/combine.hpp"
#include "dalib/engine/pair/coefficients.hpp"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

namespace dalib::engine {

/// sum_{x,y} c(x, y) prod_l k_l(x_l, y_l), over rows that every layer has.
/// @tparam Gradient      whether gradients are computed at all
/// @tparam Coefficients  `fill(first, count, row, out)`: the pairs' weights
template <bool Gradient, class Coefficients, class T, class... Profiles>
class pair_problem {
  using layer_indices = std::index_sequence_for<Profiles...>;

public:
  using scalar = T;
  static constexpr bool with_gradient = Gradient;
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
  pair_problem(const Coefficients& coefficients, const layers_tuple& layers, const centres_array& centres, T scale)
      : coefficients_(coefficients), layers_(layers), centres_(centres), scale_(2 * scale) {} // each unordered pair stands twice in the sum

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

  /// Statistics and kernels of a tile: returns its share of the value and, with Gradient, leaves pull coefficients in the parts' buffers.
  /// @param both_from  lanes from here on stand for (lane, column) and (column, lane)
  /// @param scratch    lane_numbers for each lane
  double evaluate(parts& tile, span_of_rows lanes, span_of_rows columns, index_t both_from, index_t stride, T* scratch) const {
    for_each_layer([&](auto l) {
      tile_part<T>& part = tile[l];
      if constexpr (reads<profile_of<l>>::gram)
        pair_tile<multiply_add>(*part.lanes, lanes, *part.columns, columns, part.buffers.gram, stride);
      if (reads<profile_of<l>>::distance_only && part.lanes->centres)
        add_terms_of_centres(*part.lanes, lanes, *part.columns, columns, part.buffers.gram, stride);
      if constexpr (reads<profile_of<l>>::l1)
        pair_tile<add_absolute_difference>(*part.lanes, lanes, *part.columns, columns, part.buffers.l1, stride);
      part.buffers.near = scratch + (1 + static_cast<index_t>(l)) * lanes.count;
      std::fill_n(part.buffers.lane_self, lanes.count, T(0));
      std::fill_n(part.buffers.lane_shift, lanes.count, T(0));
    });
    const packed_rows<T>& lane_block = *tile[0].lanes;
    const packed_rows<T>& column_block = *tile[0].columns;
    const index_t valid = std::min(lanes.count, lane_block.count - lanes.first);
    std::fill(scratch + valid, scratch + lanes.count, T(0));
    typename dalib::detail::wide_register<T>::type sums{}; // in double, lane by lane
    for (index_t place = 0; place < columns.count; ++place) {
      const index_t column = columns.first + place;
      if (column >= column_block.count) {
        clear_column(tile, lanes.count, place, stride);
        continue;
      }
      coefficients_.fill(lane_block.first + lanes.first, valid, column_block.first + column, scratch);
      const index_t own_lane = lane_block.first == column_block.first ? column - lanes.first : -1;
      const bool near = complete_column(tile, lanes, column, place, stride, own_lane, scratch);
      const auto sum = near ? combine_column<Gradient, Gradient>(layer_indices{}, layers_, tile, lanes, column, place, both_from, stride, scratch)
                            : combine_column<Gradient, false>(layer_indices{}, layers_, tile, lanes, column, place, both_from, stride, scratch);
      add_widened<T>(sums, sum.lanes);
    }
    double total = 0;
    for (int lane = 0; lane < dalib::pack<T>::size; ++lane) total += sums[lane];
    return total;
  }

  /// Pulls rows `own_rows` towards `other_rows` by layer L's tile and writes the result, with the own rows' coefficients `self` and the
  /// mean's `shift`, over the caller's gradient or adds it. `block` is memory for own_rows.count padded rows, used where the caller's rows
  /// are not contiguous. The own rows are a whole number of register tiles, the other rows any number.
  template <std::size_t L>
  void pull(const layer_tile<T>& tile, tile_strides strides, const packed_rows<T>& owns, span_of_rows own_rows,
            const packed_rows<T>& others, span_of_rows other_rows, const T* self, const T* shift, T* block, write_mode mode) const {
    using profile = profile_of<L>;
    std::array<T*, block_rows_limit> to{};
    std::array<index_t, block_rows_limit> column_strides{};
    const bool contiguous = gradient_pointers<L>(owns, own_rows, to.data(), column_strides.data());
    if (!reads<profile>::l1 && contiguous) {
      pull_to_rows(tile.gram, strides, own_rows.count, others, other_rows,
                   gradient_rows<T>{to.data(), self, owns, own_rows.first, scale<L>(), mode == write_mode::accumulate});
    } else {
      const gradient_block<T> target{block, owns.stride};
      if constexpr (reads<profile>::gram)
        pull_to_rows(tile.gram, strides, own_rows.count, others, other_rows, target);
      else
        std::fill_n(block, own_rows.count * owns.stride, T(0));
      if constexpr (reads<profile>::l1) pull_signs_to_rows(tile.l1, strides, owns, own_rows, others, other_rows, target);
      for (index_t i = 0; i < own_rows.count; ++i)
        if (to[static_cast<std::size_t>(i)])
          add_row<L>(to[static_cast<std::size_t>(i)], column_strides[static_cast<std::size_t>(i)], block + i * owns.stride,
                     reads<profile>::gram ? self[i] : T(0), owns, own_rows.first + i, mode);
    }
    if (reads<profile>::distance_only && owns.centres)
      add_pulls_of_centres(tile.gram, strides, own_rows.count, others, other_rows,
                           centres_[L].pulls + (owns.first + own_rows.first) * centres_[L].padded);
    if constexpr (reads<profile>::shift && !reads<profile>::as_given)
      for (index_t i = 0; i < own_rows.count; ++i)
        if (to[static_cast<std::size_t>(i)])
          add_mean<L>(to[static_cast<std::size_t>(i)], column_strides[static_cast<std::size_t>(i)], owns.features, shift[i]);
  }

  /// Adds what the tile's near pairs do to rows `own_rows` to the caller's gradient, after the pull that may write over it. `block` is
  /// memory for a padded row.
  template <std::size_t L>
  void pull_near(const layer_tile<T>& tile, tile_strides strides, const packed_rows<T>& owns, span_of_rows own_rows,
                 const packed_rows<T>& others, span_of_rows other_rows, T* block) const {
    if constexpr (reads<profile_of<L>>::distance) {
      const index_t columns = strides.other == 1 ? own_rows.count : other_rows.count;
      if (std::none_of(tile.has_close, tile.has_close + columns, [](unsigned char any) { return any != 0; })) return;
      std::array<T*, block_rows_limit> to{};
      std::array<index_t, block_rows_limit> column_strides{};
      gradient_pointers<L>(owns, own_rows, to.data(), column_strides.data());
      pull_near_rows(std::get<L>(layers_).data, tile, strides, owns, own_rows, others, other_rows, scale<L>(), to.data(), column_strides.data(),
                     block);
    }
  }

  /// Adds what rows `own_rows` are pulled by towards other rows' centres, after all other pulls. `block` is memory for a padded row.
  template <std::size_t L>
  void pull_to_centres(const packed_rows<T>& owns, span_of_rows own_rows, T* block) const {
    if constexpr (reads<profile_of<L>>::distance_only) {
      const row_centres<T>& from = centres_[L];
      if (from.count == 0) return;
      std::array<T*, block_rows_limit> to{};
      std::array<index_t, block_rows_limit> column_strides{};
      gradient_pointers<L>(owns, own_rows, to.data(), column_strides.data());
      for (index_t i = 0; i < own_rows.count; ++i)
        if (to[static_cast<std::size_t>(i)])
          pull_row_to_centres<L>(from, owns.first + own_rows.first + i, to[static_cast<std::size_t>(i)],
                              column_strides[static_cast<std::size_t>(i)], block);
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

  /// Squared distances of one column of all layers. Returns whether any pair pulls by differences; then every layer's has_close and near
  /// are set.
  bool complete_column(parts& tile, span_of_rows lanes, index_t column, index_t place, index_t stride, index_t own_lane,
                       const T* coefficients) const {
    bool any = false;
    bool near[layer_count] = {};
    for_each_layer([&](auto l) {
      if constexpr (reads<profile_of<l>>::distance) {
        near[l] = complete_distances(std::get<l>(layers_).data, tile[l], lanes, column, place, stride, own_lane, coefficients);
        tile[l].buffers.has_close[place] = near[l];
        any = any || near[l];
      }
    });
    for (std::size_t l = 0; any && l < layer_count; ++l)
      if (!near[l]) std::fill_n(tile[l].buffers.near, lanes.count, T(0));
    return any;
  }

  static void clear_column(parts& tile, index_t lanes, index_t place, index_t stride) {
    for (tile_part<T>& part : tile) {
      if (part.buffers.gram) std::fill_n(part.buffers.gram + place * stride, lanes, T(0));
      if (part.buffers.l1) std::fill_n(part.buffers.l1 + place * stride, lanes, T(0));
      if (part.buffers.has_close) part.buffers.has_close[place] = 0;
      part.buffers.column_self[place] = part.buffers.column_shift[place] = T(0);
    }
  }

  template <std::size_t L>
  const matrix_view<T>& gradient_of(index_t row) const {
    const auto& one = std::get<L>(layers_);
    return one.data.is_source(row) ? one.source_gradient : one.target_gradient;
  }

  /// Where each own row's gradient starts (none if it is not wanted) and its stride; returns whether all are contiguous and whole registers
  /// long.
  template <std::size_t L>
  bool gradient_pointers(const packed_rows<T>& owns, span_of_rows own_rows, T** to, index_t* column_strides) const {
    bool contiguous = owns.features == owns.stride;
    const index_t valid = std::min(own_rows.count, owns.count - own_rows.first);
    for (index_t i = 0; i < valid; ++i) {
      const index_t row = owns.first + own_rows.first + i;
      const matrix_view<T>& view = gradient_of<L>(row);
      if (view.data == nullptr) continue;
      to[i] = &view(std::get<L>(layers_).data.place_of_row(row), 0);
      column_strides[i] = view.col_stride;
      contiguous = contiguous && view.col_stride == 1;
    }
    return contiguous;
  }

  /// to = or += scale * (pulled + self * own row).
  template <std::size_t L>
  void add_row(T* to, index_t to_stride, const T* pulled, T self, const packed_rows<T>& owns, index_t row, write_mode mode) const {
    const T factor = scale<L>();
    const T before = mode == write_mode::accumulate ? T(1) : T(0);
    for (index_t c = 0; c < owns.chunk_count(); ++c) {
      const index_t first = c * chunk_features<T>, count = std::min(chunk_features<T>, owns.features - first);
      const T* own = owns.chunk(row, c);
      const T* from = pulled + first;
      T* out = to + first * to_stride;
      const auto add = [&](index_t f, index_t step) {
        out[f * step] = where_nonzero(before, out[f * step]) + factor * (from[f] + self * own[f]);
      };
      // The constant stride lets the compiler vectorise the common case.
      if (to_stride == 1)
        for (index_t f = 0; f < count; ++f) add(f, 1);
      else
        for (index_t f = 0; f < count; ++f) add(f, to_stride);
    }
  }

  /// to += scale * sum_k pulls(row, k) * (centre k - the row's own centre).
  template <std::size_t L>
  void pull_row_to_centres(const row_centres<T>& from, index_t row, T* to, index_t to_stride, T* block) const {
    std::array<pulling_row<T>, row_centres<T>::most> pulls;
    index_t count = 0;
    const index_t own = from.of_row[row];
    for (index_t k = 0; k < from.count; ++k)
      if (k != own) pulls[static_cast<std::size_t>(count++)] = {{from.centre(k), 1}, -from.pulls[row * from.padded + k]};
    sum_differences(given_row<T>{from.centre(own), 1}, from.features, pulls.data(), count, block);
    for (index_t f = 0; f < from.features; ++f) to[f * to_stride] += scale<L>() * block[f];
  }

  /// to += scale * shift * mean.
  template <std::size_t L>
  void add_mean(T* to, index_t to_stride, index_t count, T shift) const {
    const double* mean = std::get<L>(layers_).origin().mean;
    for (index_t f = 0; f < count; ++f) to[f * to_stride] += scale<L>() * shift * static_cast<T>(mean[f]);
  }

  const Coefficients& coefficients_;
  const layers_tuple& layers_;
  const centres_array& centres_;
  T scale_;
};

} // namespace dalib::engine
