/// @file
/// A weighted sum over pairs as both schedules see it: tiles are evaluated, and pulled back to rows.
#pragma once

#include "dalib/core/gradients.hpp"
#include "dalib/engine/coefficients.hpp"
#include "dalib/engine/combine.hpp"

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
  template <std::size_t L>
  using profile_of = typename std::tuple_element_t<L, layers_tuple>::profile_type;

  /// @param scale  upstream gradient
  pair_problem(const Coefficients& coefficients, const layers_tuple& layers, T scale)
      : coefficients_(coefficients), layers_(layers), scale_(2 * scale) {} // each unordered pair stands twice in the sum

  index rows() const { return std::get<0>(layers_).data.rows(); }
  template <std::size_t L>
  index features() const {
    return std::get<L>(layers_).data.features();
  }

  /// Calls f(std::integral_constant<std::size_t, l>) for every layer l.
  template <class F>
  static void for_each_layer(F&& f) {
    [&]<std::size_t... L>(std::index_sequence<L...>) { (f(std::integral_constant<std::size_t, L>{}), ...); }
    (layer_indices{});
  }

  /// Widest padded row of all layers: the size of one row of a gradient block.
  index widest() const {
    index result = 0;
    for_each_layer([&](auto l) { result = std::max(result, padded_features<T>(features<l>())); });
    return result;
  }

  /// Fills panel `panel` of the blocks, one block for each layer.
  void pack(const blocks& all, index panel) const {
    for_each_layer([&](auto l) {
      const auto& one = std::get<l>(layers_);
      pack_panel(one.data, *one.summary, all[l], panel, reads<profile_of<l>>::shift);
    });
  }

  /// Statistics and kernels of a tile: returns its share of the value and, with Gradient, leaves pull coefficients in the parts' buffers.
  /// @param both_from  lanes from here on stand for (lane, column) and (column, lane)
  /// @param scratch    one coefficient for each lane
  double evaluate(parts& tile, span_of_rows lanes, span_of_rows columns, index both_from, index stride, T* scratch) const {
    for_each_layer([&](auto l) {
      tile_part<T>& part = tile[l];
      if constexpr (reads<profile_of<l>>::gram)
        pair_tile<multiply_add>(*part.lanes, lanes, *part.columns, columns, part.buffers.gram, stride);
      if constexpr (reads<profile_of<l>>::l1)
        pair_tile<add_absolute_difference>(*part.lanes, lanes, *part.columns, columns, part.buffers.l1, stride);
      std::fill_n(part.buffers.lane_self, lanes.count, T(0));
      std::fill_n(part.buffers.lane_shift, lanes.count, T(0));
    });
    const packed_rows<T>& lane_block = *tile[0].lanes;
    const packed_rows<T>& column_block = *tile[0].columns;
    const index valid = std::min(lanes.count, lane_block.count - lanes.first);
    std::fill(scratch + valid, scratch + lanes.count, T(0));
    typename dalib::detail::wide_register<T>::type sums{}; // in double, lane by lane
    for (index place = 0; place < columns.count; ++place) {
      const index column = columns.first + place;
      if (column >= column_block.count) {
        clear_column(tile, lanes.count, place, stride);
        continue;
      }
      coefficients_.fill(lane_block.first + lanes.first, valid, column_block.first + column, scratch);
      const auto sum = combine_column<Gradient>(layer_indices{}, layers_, tile, lanes, column, place, both_from, stride, scratch);
      sums += __builtin_convertvector(sum.lanes, decltype(sums));
    }
    double total = 0;
    for (int lane = 0; lane < dalib::pack<T>::size; ++lane) total += sums[lane];
    return total;
  }

  /// gradient(own) (+)= what layer L's tile pulls rows `own_rows` towards `other_rows`; `gradient` is own_rows.count x stride of the rows.
  template <std::size_t L>
  void pull(const layer_tile<T>& tile, tile_strides strides, const packed_rows<T>& owns, span_of_rows own_rows,
            const packed_rows<T>& others, span_of_rows other_rows, T* gradient, bool accumulate) const {
    using profile = profile_of<L>;
    if constexpr (reads<profile>::gram)
      pull_to_rows(tile.gram, strides, own_rows.count, others, other_rows, gradient, accumulate);
    else if (!accumulate)
      std::fill_n(gradient, own_rows.count * owns.stride, T(0));
    if constexpr (reads<profile>::l1) pull_signs_to_rows(tile.l1, strides, owns, own_rows, others, other_rows, gradient);
  }

  /// Adds pulled gradients of rows `own_rows`, with their own rows' coefficients `self` and the mean's `shift`, to the caller's memory.
  template <std::size_t L>
  void add_gradient(const packed_rows<T>& owns, span_of_rows own_rows, const T* gradient, const T* self, const T* shift) const {
    using profile = profile_of<L>;
    const auto& one = std::get<L>(layers_);
    const index valid = std::min(own_rows.count, owns.count - own_rows.first);
    for (index i = 0; i < valid; ++i) {
      const index row = owns.first + own_rows.first + i;
      const matrix_view<T>& view = one.data.is_source(row) ? one.source_gradient : one.target_gradient;
      if (view.data == nullptr) continue;
      add_row(view, one.data.place_of_row(row), gradient + i * owns.stride, reads<profile>::gram ? self[i] : T(0),
              owns.rows + (own_rows.first + i) * owns.stride, reads<profile>::shift ? shift[i] : T(0), one.summary->mean());
    }
  }

  /// Whether layer L's gradient of any of the rows is wanted.
  template <std::size_t L>
  bool wanted(const packed_rows<T>& owns, span_of_rows own_rows) const {
    const auto& one = std::get<L>(layers_);
    const index first = owns.first + own_rows.first;
    const index count = std::min(own_rows.count, owns.count - own_rows.first);
    if (count <= 0) return false;
    return (one.data.is_source(first) && one.source_gradient.data) || (!one.data.is_source(first + count - 1) && one.target_gradient.data);
  }

  void clear_gradients() const {
    for_each_layer([&](auto l) { clear_gradient(std::get<l>(layers_)); });
  }

private:
  static void clear_column(parts& tile, index lanes, index place, index stride) {
    for (tile_part<T>& part : tile) {
      if (part.buffers.gram) std::fill_n(part.buffers.gram + place * stride, lanes, T(0));
      if (part.buffers.l1) std::fill_n(part.buffers.l1 + place * stride, lanes, T(0));
      part.buffers.column_self[place] = part.buffers.column_shift[place] = T(0);
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

  const Coefficients& coefficients_;
  const layers_tuple& layers_;
  T scale_;
};

/// Packs all rows of all layers, in parallel.
template <class Exec, class Problem>
typename Problem::blocks pack_everything(const Exec& exec, const Problem& problem, workspace& scratch) {
  typename Problem::blocks all;
  Problem::for_each_layer([&](auto l) {
    all[l].allocate(scratch, problem.rows(), problem.template features<l>());
    all[l].assign(0, problem.rows());
  });
  exec.run(all[0].panel_count(), [&](index panel, int) { problem.pack(all, panel); });
  return all;
}

} // namespace dalib::engine
