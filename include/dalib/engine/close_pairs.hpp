/// @file
/// Pairs of rows that lie so close that norms and an inner product no longer tell their distance: they leave the tile and are done exactly.
///
/// |x|^2 + |y|^2 - 2 x . y has the rounding of the norms; where the distance is a small part of them, a kernel of the distance itself
/// (Laplacian, energy) would get a wrong slope, and pulling rows by `self * x + pull * y` would lose what x - y is. Such pairs are rare:
/// their coefficient in the tile is set to 0, and value and gradient come from differences.
#pragma once

#include "dalib/engine/combine.hpp"
#include "dalib/engine/pair.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <tuple>
#include <utility>

namespace dalib::engine {

/// Below this part of |x|^2 + |y|^2 a squared distance counts as close: above it its relative rounding is below 3e-5 (float), 3e-13
/// (double), of one pair among all of its row.
template <class T>
inline constexpr T close_ratio = static_cast<T>(sizeof(T) == 4 ? 1.0 / 256 : 1.0 / 1024);

/// Most rows of one tile's side: it and its two blocks stay in the second-level cache at F = 256.
inline constexpr index_t block_rows_limit = 192;
/// Up to this many rows the tile of all pairs is done at once.
inline constexpr index_t triangle_rows_limit = 256;

/// Lanes of one column that were taken out of the tile, with the coefficients they had.
template <class T>
struct close_lanes {
  static constexpr std::size_t capacity = static_cast<std::size_t>(std::max(block_rows_limit, triangle_rows_limit));
  index_t count = 0;
  std::array<std::pair<index_t, T>, capacity> lanes;
};

namespace detail {

/// Below 0 if two rows of these norms are close.
template <class T>
DALIB_HD T closeness(T norm, T other_norm, T gram) {
  return (norm + other_norm) * (T(1) - close_ratio<T>)-T(2) * gram;
}

/// Whether any lane of the column is close to its row.
template <class T>
bool any_close(const packed_rows<T>& block, span_of_rows lanes, T column_norm, const T* gram) {
  using vector = pack<T>;
  vector least(std::numeric_limits<T>::max());
  const vector column(column_norm), factor(T(1) - close_ratio<T>);
  for (index_t l = 0; l < lanes.count; l += vector::size)
    least = min(least, (vector::load(block.norm + lanes.first + l) + column) * factor - vector(2) * vector::load(gram + l));
  return least.smallest() < T(0);
}

} // namespace detail

/// Finds the lanes that are close to `column` in any layer whose kernel reads the distance, and sets their coefficients to 0.
/// @param own_lane  the lane that is the column's own row, or a number outside
template <class... Profiles, class T, std::size_t... L>
void take_close_lanes(std::index_sequence<L...>, std::array<tile_part<T>, sizeof...(Profiles)>& parts, span_of_rows lanes, index_t column,
                      index_t place, index_t stride, index_t own_lane, T* coefficients, close_lanes<T>& taken) {
  taken.count = 0;
  const bool has_own = own_lane >= 0 && own_lane < lanes.count;
  const auto take = [&](const tile_part<T>& part) {
    T* gram = part.buffers.gram + place * stride;
    part.buffers.has_close[place] = 0;
    const T norm = part.columns->norm[column];
    // A row's own pair is at distance 0 and pulls nothing: it is no reason to look closer.
    const T own_gram = has_own ? std::exchange(gram[own_lane], std::numeric_limits<T>::lowest()) : T(0);
    if (detail::any_close(*part.lanes, lanes, norm, gram))
      for (index_t l = 0; l < lanes.count; ++l)
        if (coefficients[l] != T(0) && detail::closeness(part.lanes->norm[lanes.first + l], norm, gram[l]) < T(0))
          taken.lanes[static_cast<std::size_t>(taken.count++)] = {l, std::exchange(coefficients[l], T(0))};
    if (has_own) gram[own_lane] = own_gram;
  };
  const auto visit = [&]<class Profile>(std::type_identity<Profile>, const tile_part<T>& part) {
    if constexpr (reads<Profile>::distance) take(part);
  };
  (visit(std::type_identity<Profiles>{}, parts[L]), ...);
}

namespace detail {

template <class T, std::size_t Count, class... S>
DALIB_HD pulls<T> close_pulls_of(type_list<S...>, T outer, const evaluated_pair<T, Count>& pair, const row_terms<T>& x,
                                 const row_terms<T>& y, T& difference) {
  pulls<T> result;
  std::size_t i = 0;
  const auto add = [&]<class One>(std::type_identity<One>) {
    const T slope = where_nonzero(outer, outer * pair.slopes[i]);
    if constexpr (std::is_same_v<One, squared_distance>)
      difference += T(2) * where_nonzero(pair.statistics[i], slope);
    else
      result.template add<One>(slope, pair.statistics[i], x, y);
    ++i;
  };
  (add(std::type_identity<S>{}), ...);
  return result;
}

/// Adds one close pair's pulls, for its weight `outer`, to the tile after the tile's own are written.
template <class T, class Profile, std::size_t Count>
void write_close_pulls(T outer, const evaluated_pair<T, Count>& pair, tile_part<T>& part, index_t lane, index_t lane_row, index_t column,
                       index_t place, index_t stride) {
  T difference = T(0);
  const pulls<T> pull =
      close_pulls_of(statistics_of<Profile>{}, outer, pair, part.lanes->terms(lane_row), part.columns->terms(column), difference);
  layer_tile<T>& out = part.buffers;
  const index_t offset = place * stride + lane;
  if constexpr (reads<Profile>::gram) {
    out.gram[offset] = pull.gram;
    out.lane_self[lane] += pull.self_x;
    out.column_self[place] += pull.self_y;
  }
  if constexpr (reads<Profile>::shift) {
    out.lane_shift[lane] += pull.shift_x;
    out.column_shift[place] += pull.shift_y;
  }
  if constexpr (reads<Profile>::l1) out.l1[offset] = pull.l1;
  if constexpr (reads<Profile>::distance) out.close[offset] = difference;
}

} // namespace detail

/// Evaluates the pairs that take_close_lanes took: returns their share of the value and, with Gradient, writes their coefficients.
template <bool Gradient, class T, class... Profiles, std::size_t... L>
double add_close_lanes(std::index_sequence<L...>, const std::tuple<layer<T, Profiles>...>& layers,
                       std::array<tile_part<T>, sizeof...(Profiles)>& parts, const close_lanes<T>& taken, span_of_rows lanes, index_t column,
                       index_t place, index_t both_from, index_t stride) {
  constexpr std::size_t count = sizeof...(Profiles);
  const auto clear = [&](layer_tile<T>& tile) {
    if (tile.has_close == nullptr) return;
    tile.has_close[place] = 1;
    std::fill_n(tile.close + place * stride, lanes.count, T(0));
  };
  if constexpr (Gradient) (clear(parts[L].buffers), ...);
  double total = 0;
  for (index_t i = 0; i < taken.count; ++i) {
    const auto& entry = taken.lanes[static_cast<std::size_t>(i)];
    const index_t lane = std::get<0>(entry), row = lanes.first + lane;
    const T coefficient = std::get<1>(entry);
    const auto pair_of = [&]<class Profile>(const layer<T, Profile>& one, const tile_part<T>& part) {
      pair_sums<T> sums = sums_of_rows<Profile>(*part.lanes, row, *part.columns, column);
      // Centring has rounded both rows: what is between them is taken from the data.
      sums.squared_distance = static_cast<T>(squared_distance_of(one.data, part.lanes->first + row, part.columns->first + column));
      return evaluate_pair(one.profile, sums, part.lanes->terms(row), part.columns->terms(column));
    };
    const std::tuple pairs{pair_of(std::get<L>(layers), parts[L])...};
    const T kernels[count] = {std::get<L>(pairs).value...};
    const T product = detail::product_over_layers(coefficient, kernels);
    total += static_cast<double>(lane < both_from ? product : T(2) * product);
    if constexpr (Gradient) {
      (detail::write_close_pulls<T, Profiles>(detail::product_over_layers(coefficient, kernels, L), std::get<L>(pairs), parts[L], lane, row,
                                              column, place, stride),
       ...);
    }
  }
  return total;
}

/// to(own) += scale * sum_other close(own, other) * (row own - row other), for the columns that hold close pairs.
/// @param to, to_strides  the caller's gradient rows, none where not wanted
template <class T>
void pull_close_rows(const joint_sample<T>& data, const layer_tile<T>& tile, tile_strides strides, const packed_rows<T>& owns,
                     span_of_rows own_rows, const packed_rows<T>& others, span_of_rows other_rows, T scale, T* const* to,
                     const index_t* to_strides) {
  const bool own_is_column = strides.other == 1;
  const index_t columns = own_is_column ? own_rows.count : other_rows.count;
  const index_t lanes = own_is_column ? other_rows.count : own_rows.count;
  for (index_t column = 0; column < columns; ++column) {
    if (!tile.has_close[column]) continue;
    for (index_t lane = 0; lane < lanes; ++lane) {
      const index_t own = own_is_column ? column : lane, other = own_is_column ? lane : column;
      const T coefficient = tile.close[own * strides.own + other * strides.other];
      if (coefficient == T(0) || to[own] == nullptr) continue;
      const index_t x = owns.first + own_rows.first + own, y = others.first + other_rows.first + other;
      const auto& view_x = data.view_of_row(x);
      const auto& view_y = data.view_of_row(y);
      for (index_t f = 0; f < owns.features; ++f)
        to[own][f * to_strides[own]] += scale * coefficient * (view_x(data.place_of_row(x), f) - view_y(data.place_of_row(y), f));
    }
  }
}

} // namespace dalib::engine
