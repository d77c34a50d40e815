/// @file
/// Tiles of pair statistics, and the pull-back of a tile of slopes to rows: the two primitives with fast forms.
///
/// A tile is stored by columns: entry (lane, column) is at data[column * stride + lane]; lanes are rows of one block, columns rows of
/// another (or the same).
#pragma once

#include "dalib/engine/host/packed_rows.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>

namespace dalib::engine {

/// A run of rows of a block: [first, first + count), both multiples of row_unit.
struct span_of_rows {
  index_t first = 0;
  index_t count = 0;
};

/// Lanes of the narrowest register that takes less time than a whole one: half of it where registers are so wide that processors add them
/// up in two steps, or in fewer units. A user's statistic knows whole registers only.
template <class Op, class T>
inline constexpr int narrow_lanes = simd_bytes == 64 && std::is_same_v<Op, multiply_add> ? simd_lanes<T> / 2 : simd_lanes<T>;

/// What of a tile has to be summed up: rows that only fill a block up have no pairs, and the products of a block with itself are symmetric.
template <class Op, class T>
struct tile_shape {
  static constexpr index_t narrow = narrow_lanes<Op, T>;
  index_t lanes;   ///< whole narrow registers
  index_t columns; ///< whole register tiles
  bool symmetric;  ///< lanes and columns begin with the same row

  tile_shape(const packed_rows<T>& lane_block, span_of_rows lane_rows, const packed_rows<T>& column_block, span_of_rows column_rows)
      : lanes(filled(lane_block, lane_rows, narrow)), columns(filled(column_block, column_rows, tile_columns<T>)),
        symmetric(std::is_same_v<Op, multiply_add> && lane_block.panels == column_block.panels && lane_rows.first == column_rows.first) {}

  /// The first lane that is summed up for the register tile of this column.
  index_t first_lane(index_t column) const {
    return symmetric ? std::min(column / tile_columns<T> * tile_columns<T> / narrow * narrow, lanes) : 0;
  }

private:
  static index_t filled(const packed_rows<T>& block, span_of_rows rows, index_t unit) {
    return std::min(rows.count, round_up(block.count - rows.first, unit));
  }
};

/// tile(l, c) = sum over features of Op(lane row l, column row c): inner products of centred rows, or statistics
/// that add up over the features. Lanes that hold no row are 0, register tiles of columns that hold none are left as they are.
template <class Op, class T>
void pair_tile(const packed_rows<T>& lanes, span_of_rows lane_rows, const packed_rows<T>& columns, span_of_rows column_rows, T* tile,
               index_t stride) {
  constexpr index_t width = simd_lanes<T>, narrow = narrow_lanes<Op, T>, group = tile_vectors * width;
  static_assert(width % tile_columns<T> == 0);
  const tile_shape<Op, T> shape(lanes, lane_rows, columns, column_rows);
  for (index_t k = 0; k < lanes.features; k += depth_block) {
    const index_t depth = std::min(depth_block, lanes.features - k), panel_size = width * lanes.features;
    for (index_t l = 0; l < shape.lanes; l += group) {
      const index_t end = std::min(l + group, shape.lanes);
      for (index_t c = 0; c < shape.columns; c += tile_columns<T>) {
        const broadcast_operand<T> scalars{columns.panel(column_rows.first + c) + k * width, 1, width};
        index_t lane = std::max(l, shape.first_lane(c));
        const auto from = [&] { return lanes.panel(lane_rows.first + lane) + k * width; };
        const auto add_narrow = [&] {
          micro_tile<1, Op>(depth, lane_operand<T, static_cast<int>(narrow)>{from(), width, panel_size}, scalars,
                            result_tile<T, static_cast<int>(narrow)>{tile + c * stride + lane, stride, k > 0});
          lane += narrow;
        };
        if (lane < end && lane % width != 0) add_narrow();
        if (const index_t vectors = (end - lane) / width; vectors > 0) {
          micro_tile<Op>(static_cast<int>(vectors), depth, lane_operand<T>{from(), width, panel_size}, scalars,
                         result_tile<T>{tile + c * stride + lane, stride, k > 0});
          lane += vectors * width;
        }
        if (lane < end) add_narrow();
      }
    }
  }
  if (shape.lanes % width != 0)
    for (index_t c = 0; c < shape.columns; ++c) std::fill_n(tile + c * stride + shape.lanes, narrow, T(0));
  for (index_t c = 0; c < shape.columns; ++c) // above the diagonal
    for (index_t l = 0; l < shape.first_lane(c); ++l) tile[c * stride + l] = tile[l * stride + c];
}

/// Adds to inner products of rows that are measured from centres what makes distances of them; see row_centres.hpp.
template <class T>
void add_terms_of_centres(const packed_rows<T>& lanes, span_of_rows lane_rows, const packed_rows<T>& columns, span_of_rows column_rows,
                          T* tile, index_t stride) {
  constexpr index_t width = simd_lanes<T>;
  const index_t depth = 2 * lanes.centres->count;
  const auto panel = [depth](T* terms, index_t row) { return terms + row / width * width * depth + row % width; };
  for (index_t l = 0; l < lane_rows.count; l += tile_vectors * width) {
    const int vectors = static_cast<int>(std::min<index_t>(tile_vectors, (lane_rows.count - l) / width));
    for (index_t c = 0; c < column_rows.count; c += tile_columns<T>)
      micro_tile<multiply_add>(vectors, depth,
                               lane_operand<T>{panel(lanes.lane_terms_of_centres, lane_rows.first + l), width, width * depth},
                               broadcast_operand<T>{panel(columns.column_terms_of_centres, column_rows.first + c), 1, width},
                               result_tile<T>{tile + c * stride + l, stride, true});
  }
}

/// Where a tile's entries for row `own` and row `other` lie: own * own_stride + other * other_stride.
struct tile_strides {
  index_t own;
  index_t other;
};

/// A block of gradients, own rows x stride, as the target of a pull-back.
template <class T>
struct gradient_block {
  T* data;
  index_t stride;

  result_tile<T> tile(index_t own, index_t chunk) const { return {data + own * stride + chunk * chunk_features<T>, stride}; }
};

/// The caller's gradient rows as the target of a pull-back: to(own) = or += scale * (pulled + self * centred row), straight from the
/// registers. The rows are contiguous and a whole number of registers long.
template <class T>
struct gradient_rows {
  T* const* to;  ///< one pointer for each own row; none: not wanted
  const T* self; ///< coefficient of the own row
  const packed_rows<T>& owns;
  index_t first; ///< own row 0 in `owns`
  T scale;
  bool accumulate;

  struct tile_of_rows {
    T* const* to;
    const T* self;
    const T* centred;
    index_t feature;
    T scale;
    bool accumulate;

    [[gnu::always_inline]] void prefetch(int column, int lane) const {
      if (to[column] != nullptr) __builtin_prefetch(to[column] + feature + lane, 1);
    }

    [[gnu::always_inline]] void put(int column, int lane, const simd_vector<T>& pulled) const {
      T* out = to[column];
      if (out == nullptr) return;
      out += feature + lane;
      simd_vector<T> own;
      std::memcpy(&own, centred + column * chunk_features<T> + lane, sizeof(own));
      simd_vector<T> sum = scale * (pulled + self[column] * own);
      if (accumulate) {
        simd_vector<T> before;
        std::memcpy(&before, out, sizeof(before));
        sum += before;
      }
      std::memcpy(out, &sum, sizeof(sum));
    }
  };
  tile_of_rows tile(index_t own, index_t chunk) const {
    return {to + own, self + own, owns.chunk(first + own, chunk), chunk * chunk_features<T>, scale, accumulate};
  }
};

/// target(own) receives sum_other tile(own, other) * rows(other), for `own_count` rows; see gradient_block and gradient_rows.
template <class T, class Target>
void pull_to_rows(const T* tile, tile_strides strides, index_t own_count, const packed_rows<T>& others, span_of_rows other_rows,
                  const Target& target) {
  for (index_t chunk = 0; chunk < others.chunk_count(); ++chunk) {
    const int vectors = static_cast<int>(others.chunk_width(chunk) / simd_lanes<T>);
    const lane_operand<T> lanes{others.chunk(other_rows.first, chunk), chunk_features<T>, simd_lanes<T>};
    for (index_t own = 0; own < own_count; own += tile_columns<T>)
      micro_tile<multiply_add>(vectors, other_rows.count, lanes, broadcast_operand<T>{tile + own * strides.own, strides.own, strides.other},
                               target.tile(own, chunk));
  }
}

/// sums(own, k) += sum of tile(own, other) over the others of centre k.
template <class T>
void add_pulls_of_centres(const T* tile, tile_strides strides, index_t own_count, const packed_rows<T>& others, span_of_rows other_rows,
                          T* sums) {
  const index_t padded = others.centres->padded;
  for (index_t k = 0; k < padded; k += simd_lanes<T>)
    for (index_t own = 0; own < own_count; own += tile_columns<T>)
      micro_tile<1, multiply_add>(other_rows.count, lane_operand<T>{others.members + other_rows.first * padded + k, padded, simd_lanes<T>},
                                  broadcast_operand<T>{tile + own * strides.own, strides.own, strides.other},
                                  result_tile<T>{sums + own * padded + k, padded, true});
}

} // namespace dalib::engine
