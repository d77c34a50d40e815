/// @file
/// Squared distances of a tile, and the pairs that lie so close that norms and an inner product no longer tell their distance.
///
/// |x|^2 + |y|^2 - 2 x . y has the rounding of the norms; where the distance is a small part of them, a kernel of the distance itself
/// (Laplacian, energy) would get a wrong slope: there the distance is found from differences. Where it is a very small part, pulling rows
/// by `self * x + pull * y` would lose what x - y is too: these pairs pull by differences. Real features have many such pairs (clusters,
/// domains far apart, outliers), so both are done by registers and not pair by pair.
#pragma once

#include "dalib/engine/host/row_distance.hpp"
#include "dalib/engine/host/visit_column.hpp"
#include "dalib/engine/pair/close_ratio.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <utility>

#if !defined(__CUDA_ARCH__) && (defined(__AVX512F__) || defined(__AVX__))
#  include <immintrin.h>
#endif

namespace dalib::engine {

/// Up to this many rows the tile of all pairs is done at once.
inline constexpr index_t triangle_rows_limit = 256;
/// Most rows of a tile's side in either schedule.
inline constexpr index_t tile_rows_limit = std::max(block_rows_limit, triangle_rows_limit);

namespace detail {

/// Bit l is set where lane l is negative.
template <class T>
unsigned negative_lanes(const pack<T>& values) {
#if !defined(__CUDA_ARCH__) && defined(__AVX512F__)
  if constexpr (sizeof(T) == 4)
    return _mm512_cmp_ps_mask(reinterpret_cast<const __m512&>(values.lanes), _mm512_setzero_ps(), _CMP_LT_OQ);
  else
    return _mm512_cmp_pd_mask(reinterpret_cast<const __m512d&>(values.lanes), _mm512_setzero_pd(), _CMP_LT_OQ);
#elif !defined(__CUDA_ARCH__) && defined(__AVX__)
  if constexpr (sizeof(T) == 4)
    return static_cast<unsigned>(_mm256_movemask_ps(reinterpret_cast<const __m256&>(values.lanes)));
  else
    return static_cast<unsigned>(_mm256_movemask_pd(reinterpret_cast<const __m256d&>(values.lanes)));
#else
  T lanes[pack<T>::size];
  values.store(lanes);
  unsigned mask = 0;
  for (int l = 0; l < pack<T>::size; ++l) mask |= static_cast<unsigned>(lanes[l] < T(0)) << l;
  return mask;
#endif
}

/// Lanes of a column that are close to its row, in order.
struct close_lanes {
  index_t count = 0;
  std::array<index_t, static_cast<std::size_t>(tile_rows_limit)> lanes;
};

/// 0, 1, 2, ... lane by lane.
template <class T>
inline constexpr auto lane_numbers = [] {
  std::array<T, static_cast<std::size_t>(pack<T>::size)> numbers{};
  for (int lane = 0; lane < pack<T>::size; ++lane) numbers[static_cast<std::size_t>(lane)] = static_cast<T>(lane);
  return numbers;
}();

/// Turns one column's inner products into squared distances, in place or into a tile of their own; returns whether any pair is close. A
/// row's own pair is at distance 0 and pulls nothing: it is no reason to look closer. It is told by a comparison in registers: the
/// processor would wait for a lane that is written alone before it reads the register.
template <class T>
bool find_distances(const tile_part<T>& part, const visited_column<T>& at, const T* gram, T* distance) {
  using vector = pack<T>;
  const vector column(part.columns->norm[at.column]), factor(T(1) - close_ratio<T>), zero(0), two(2);
  const vector lanes = vector::load(lane_numbers<T>.data());
  constexpr T most = std::numeric_limits<T>::max();
  vector least(most);
  for (index_t l = 0; l < at.lanes.count; l += vector::size) {
    const vector norms = vector::load(part.lanes->norm + at.lanes.first + l) + column;
    const vector twice = two * vector::load(gram + l);
    const auto own = lanes == vector(static_cast<T>(at.own_lane - l));
    least = min(least, select(own, vector(most), norms * factor - twice));
    select(own, zero, max(norms - twice, zero)).store(distance + l);
  }
  return least.smallest() < T(0);
}

/// Lists the lanes that are close to the column, of those that count.
template <class T>
void list_close_lanes(const tile_part<T>& part, const visited_column<T>& at, const T* distance, close_lanes& close) {
  using vector = pack<T>;
  const vector column(part.columns->norm[at.column]), ratio(close_ratio<T>);
  close.count = 0;
  for (index_t l = 0; l < at.lanes.count; l += vector::size) {
    const vector norms = vector::load(part.lanes->norm + at.lanes.first + l) + column;
    for (unsigned mask = negative_lanes(vector::load(distance + l) - ratio * norms); mask != 0; mask &= mask - 1) {
      const index_t lane = l + __builtin_ctz(mask);
      close.lanes[static_cast<std::size_t>(close.count)] = lane;
      close.count += lane != at.own_lane && at.coefficients[lane] != T(0);
    }
  }
}

/// distance[lane] = |lane row - column row|^2 by differences of the centred rows, for the lanes listed. O(count F).
template <class T>
void exact_distances(const tile_part<T>& part, const visited_column<T>& at, const close_lanes& close, T* distance) {
  using vector = pack<T>;
  constexpr int at_once = 4; // rows that share the loads of the column's, and hide each other's chain of additions
  for (index_t i = 0; i < close.count; i += at_once) {
    index_t rows[at_once];
    for (int r = 0; r < at_once; ++r) rows[r] = at.lanes.first + close.lanes[static_cast<std::size_t>(std::min(i + r, close.count - 1))];
    vector sums[at_once] = {T(0), T(0), T(0), T(0)};
    for (index_t c = 0; c < part.lanes->chunk_count(); ++c) {
      const T* y = part.columns->chunk(at.column, c);
      const T* x = part.lanes->chunk(0, c);
      for (index_t f = 0; f < part.lanes->chunk_width(c); f += vector::size) {
        const vector own = vector::load(y + f);
        dalib::detail::unroll<at_once>([&](auto r) {
          const vector difference = vector::load(x + rows[r] * chunk_features<T> + f) - own;
          sums[r].lanes += difference.lanes * difference.lanes;
        });
      }
    }
    for (int r = 0; r < at_once; ++r) distance[rows[r] - at.lanes.first] = sums[r].sum();
  }
}

/// Takes the distances of the nearest of the listed lanes from the data, since centring has rounded both rows; sets near[lane] = 1 there
/// and 0 elsewhere if there are any, and returns whether.
template <class T>
bool find_near_lanes(const joint_sample<T>& data, const tile_part<T>& part, const visited_column<T>& at, const close_lanes& close,
                     T* distance) {
  bool any = false;
  T* near = part.buffers.near;
  const T own = part.columns->norm[at.column];
  const row_centres<T>* centres = part.lanes->centres;
  const index_t y = part.columns->first + at.column;
  for (index_t i = 0; i < close.count; ++i) {
    const index_t lane = close.lanes[static_cast<std::size_t>(i)], row = at.lanes.first + lane;
    const index_t x = part.lanes->first + row;
    const bool of_two_centres = centres && centres->of_row[x] != centres->of_row[y];
    const bool is_near = distance[lane] < near_ratio<T> * (part.lanes->norm[row] + own);
    if (!is_near && !of_two_centres) continue;
    distance[lane] = squared_distance_of(given_row<T>::of(data, x), given_row<T>::of(data, y), data.features());
    if (!(distance[lane] < near_ratio<T> * (part.lanes->norm[row] + own))) continue;
    if (!std::exchange(any, true)) std::fill_n(near, at.lanes.count, T(0));
    near[lane] = T(1);
  }
  return any;
}

} // namespace detail

/// Fills in the squared distances of one column of a layer's tile, close pairs by differences. Returns whether some are so near that they
/// pull by differences; the buffers' `near` says which.
template <class T>
bool complete_distances(const joint_sample<T>& data, const tile_part<T>& part, const visited_column<T>& at) {
  const T* gram = part.buffers.gram + at.start();
  T* distance = part.buffers.distance + at.start();
  if (!detail::find_distances(part, at, gram, distance)) return false;
  detail::close_lanes close;
  detail::list_close_lanes(part, at, distance, close);
  detail::exact_distances(part, at, close, distance);
  return detail::find_near_lanes(data, part, at, close, distance);
}

/// to(own) += scale * sum_other close(own, other) * (row own - row other), for the columns that hold near pairs: their sum is made first
/// and added once. @param sum  memory for one row
template <class T>
void pull_near_rows(const joint_sample<T>& data, const tile_side<T>& side, const gradient_places<T>& gradient, T scale, T* sum) {
  const layer_tile<T>& tile = side.tile;
  const tile_strides strides = side.strides;
  const span_of_rows own_rows = side.own_rows, other_rows = side.other_rows;
  const bool own_is_column = strides.other == 1;
  std::array<index_t, static_cast<std::size_t>(tile_rows_limit)> flagged;
  index_t flagged_count = 0;
  if (!own_is_column)
    for (index_t other = 0; other < other_rows.count; ++other)
      if (tile.has_close[other]) flagged[static_cast<std::size_t>(flagged_count++)] = other;
  std::array<pulling_row<T>, static_cast<std::size_t>(tile_rows_limit)> near;
  for (index_t own = 0; own < own_rows.count; ++own) {
    T* const to = gradient.to[static_cast<std::size_t>(own)];
    if (to == nullptr || (own_is_column && !tile.has_close[own])) continue;
    index_t count = 0;
    const auto look_at = [&](index_t other) {
      const T coefficient = tile.close[own * strides.own + other * strides.other];
      if (coefficient == T(0)) return;
      const index_t y = side.others.first + other_rows.first + other;
      near[static_cast<std::size_t>(count++)] = {given_row<T>::of(data, y), coefficient};
    };
    if (own_is_column)
      for (index_t other = 0; other < other_rows.count; ++other) look_at(other);
    else
      for (index_t i = 0; i < flagged_count; ++i) look_at(flagged[static_cast<std::size_t>(i)]);
    if (count == 0) continue;
    sum_differences(given_row<T>::of(data, side.owns.first + own_rows.first + own), side.owns.features, near.data(), count, sum);
    const index_t step = gradient.steps[static_cast<std::size_t>(own)];
    for (index_t f = 0; f < side.owns.features; ++f) to[f * step] += scale * sum[f];
  }
}

} // namespace dalib::engine
