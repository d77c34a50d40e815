/// @file
/// What happens to every pair: statistics to kernels, kernels to the value and to slopes, slopes to pull coefficients. In place, column by
/// column.
#pragma once

#include "dalib/engine/pair/layer.hpp"
#include "dalib/engine/pair/pair.hpp"

#include <array>
#include <cstddef>
#include <tuple>
#include <utility>

namespace dalib::engine {

/// One layer's share of a tile: the blocks its rows come from, and its buffers.
template <class T>
struct tile_part {
  const packed_rows<T>* lanes;
  const packed_rows<T>* columns;
  layer_tile<T> buffers;
};

namespace detail {

/// Pull coefficients of one register of pairs, over all statistics of a kernel.
template <class V>
struct pulls {
  V gram = V(0), l1 = V(0), self_x = V(0), self_y = V(0), shift_x = V(0), shift_y = V(0);
  V difference = V(0); ///< of the difference of the rows themselves, where they are near each other

  /// @param near  not 0 where the distance pulls by differences
  template <class S>
  DALIB_HD void add(const V& slope, const V& value, const row_terms<V>& x, const row_terms<V>& y, const V& near) {
    if constexpr (std::is_same_v<S, squared_distance>) {
      const pair_pull<V> one = S::pull(slope, value, x, y);
      const V apart = where_nonzero(near, one.self_x);
      difference += apart;
      gram += one.pull + apart;
      self_x += one.self_x - apart;
      self_y += one.self_y - apart;
    } else {
      add<S>(slope, value, x, y);
    }
  }
  template <class S>
  DALIB_HD void add(const V& slope, const V& value, const row_terms<V>& x, const row_terms<V>& y) {
    if constexpr (S::from_gram) {
      const pair_pull<V> one = S::pull(slope, value, x, y);
      gram += one.pull;
      self_x += one.self_x;
      self_y += one.self_y;
      if constexpr (!S::translation_invariant) {
        // Rows are held centred: a pull towards z is a pull towards z_c and the mean.
        shift_x += one.pull + one.self_x;
        shift_y += one.pull + one.self_y;
      }
    } else {
      l1 += slope;
    }
  }
};

/// Statistics and kernel of one register of pairs (V a pack) or of one pair (V a scalar) in one layer.
template <class V, class Profile>
struct pair_kernel {
  using list = statistics_of<Profile>;
  V statistics[list::size];
  multi_jet<V, list::size> jet;
};

template <class V, class Profile, class... S>
DALIB_HD void evaluate_statistics(type_list<S...>, const pair_sums<V>& sums, const row_terms<V>& x, const row_terms<V>& y,
                                  pair_kernel<V, Profile>& result) {
  std::size_t i = 0;
  ((result.statistics[i++] = statistic_of<S>(sums, x, y)), ...);
}

/// Evaluates statistics and kernel from an entry of the tiles.
template <class V, class Profile>
DALIB_HD void evaluate_sums(const Profile& profile, const pair_sums<V>& sums, const row_terms<V>& x, const row_terms<V>& y,
                            pair_kernel<V, Profile>& result) {
  using list = statistics_of<Profile>;
  evaluate_statistics(list{}, sums, x, y, result);
  result.jet = evaluate<list>(profile, result.statistics);
}

template <class V, class... S, std::size_t Count, class... Near>
DALIB_HD pulls<V> pulls_of_slopes(type_list<S...>, const V& outer, const V (&slopes)[Count], const V (&statistics)[Count],
                                  const row_terms<V>& x, const row_terms<V>& y, const Near&... near) {
  pulls<V> result;
  std::size_t i = 0;
  ((result.template add<S>(where_nonzero(outer, outer * slopes[i]), statistics[i], x, y, near...), ++i), ...);
  return result;
}

/// What the kernel's slopes do to both rows, for pairs that count `outer` (the pair's weight times the other layers' kernels).
/// @param near  if given: where the distance pulls by differences
template <class V, class Profile, class... Near>
DALIB_HD pulls<V> pulls_of(const V& outer, const pair_kernel<V, Profile>& kernel, const row_terms<V>& x, const row_terms<V>& y,
                           const Near&... near) {
  return pulls_of_slopes(statistics_of<Profile>{}, outer, kernel.jet.slopes, kernel.statistics, x, y, near...);
}

/// coefficient * prod_l values[l] over all layers, or over all but `without`.
template <class V, std::size_t Count>
DALIB_HD V product_over_layers(const V& coefficient, const V (&values)[Count], std::size_t without = Count) {
  V product = coefficient;
  for (std::size_t l = 0; l < Count; ++l)
    if (l != without) product *= values[l];
  return product;
}

/// Reads the tile at `offset` and evaluates the kernel there.
template <class T, class Profile>
void evaluate_lanes(const Profile& profile, const layer_tile<T>& tile, index_t offset, const row_terms<pack<T>>& x,
                    const row_terms<pack<T>>& y, pair_kernel<pack<T>, Profile>& result) {
  pair_sums<pack<T>> sums;
  if constexpr (reads<Profile>::gram_beside_distance) sums.gram = pack<T>::load(tile.gram + offset);
  if constexpr (reads<Profile>::distance) sums.squared_distance = pack<T>::load(tile.distance + offset);
  if constexpr (reads<Profile>::l1) sums.l1 = pack<T>::load(tile.l1 + offset);
  evaluate_sums(profile, sums, x, y, result);
}

/// Turns the slopes into pull coefficients, in place; see pulls_of.
template <bool Near, class T, class Profile>
void write_pulls(const pack<T>& outer, const pair_kernel<pack<T>, Profile>& kernel, layer_tile<T>& tile, index_t offset, index_t lane,
                 const row_terms<pack<T>>& x, const row_terms<pack<T>>& y, pulls<pack<T>>& column) {
  pulls<pack<T>> pull;
  if constexpr (Near && reads<Profile>::distance) {
    pull = pulls_of(outer, kernel, x, y, pack<T>::load(tile.near + lane));
    pull.difference.store(tile.close + offset);
  } else {
    pull = pulls_of(outer, kernel, x, y);
  }
  if constexpr (reads<Profile>::gram) {
    pull.gram.store(tile.gram + offset);
    (pack<T>::load(tile.lane_self + lane) + pull.self_x).store(tile.lane_self + lane);
    column.self_y += pull.self_y;
  }
  if constexpr (reads<Profile>::shift) {
    (pack<T>::load(tile.lane_shift + lane) + pull.shift_x).store(tile.lane_shift + lane);
    column.shift_y += pull.shift_y;
  }
  if constexpr (reads<Profile>::l1) pull.l1.store(tile.l1 + offset);
}

template <class T>
row_terms<pack<T>> broadcast(const row_terms<T>& terms) {
  return {pack<T>(terms.norm), pack<T>(terms.shift), pack<T>(terms.inverse_norm)};
}

} // namespace detail

/// Combines one column of a tile over all layers: returns sum_l coefficient(l) * prod_layers k(l, column), lane by lane, and with
/// `Gradient` turns the statistics in the buffers into pull coefficients. A pair whose coefficient is 0 contributes nothing, whatever its
/// kernel gives. Everything is inlined here, a user's kernel too, so that a pair's numbers never leave the registers.
/// @param lanes   which rows of the lanes' block; `coefficients` has one entry for each
/// @param column  row of the columns' block; `place` is its place in the tile
/// @param both_from  lanes from here on (a multiple of the register's lanes) count twice in the value
/// @tparam Near  whether any pair of the column pulls by differences in any layer
template <bool Gradient, bool Near, class T, class... Profiles, std::size_t... L>
[[gnu::flatten]] pack<T> combine_column(std::index_sequence<L...>, const std::tuple<layer<T, Profiles>...>& layers,
                                        std::array<tile_part<T>, sizeof...(Profiles)>& parts, span_of_rows lanes, index_t column, index_t place,
                                        index_t both_from, index_t stride, const T* coefficients) {
  using vector = pack<T>;
  constexpr std::size_t count = sizeof...(Profiles);
  // Local copies: the compiler must see that the stores below do not change the kernels' constants.
  const std::tuple<Profiles...> profiles{std::get<L>(layers).profile...};
  const row_terms<vector> columns[count] = {detail::broadcast(parts[L].columns->terms(column))...};
  detail::pulls<vector> sums[count];
  vector total(0);
  for (index_t l = 0; l < lanes.count; l += vector::size) {
    const index_t offset = place * stride + l;
    const vector coefficient = vector::load(coefficients + l);
    const row_terms<vector> rows[count] = {parts[L].lanes->lane_terms(lanes.first + l)...};
    std::tuple<detail::pair_kernel<vector, Profiles>...> kernels;
    (detail::evaluate_lanes(std::get<L>(profiles), parts[L].buffers, offset, rows[L], columns[L], std::get<L>(kernels)), ...);
    const vector values[count] = {std::get<L>(kernels).jet.value...};
    const vector share = where_nonzero(coefficient, detail::product_over_layers(coefficient, values));
    total += l < both_from ? share : share + share;
    if constexpr (Gradient) {
      (detail::write_pulls<Near>(detail::product_over_layers(coefficient, values, L), std::get<L>(kernels), parts[L].buffers, offset, l,
                                 rows[L], columns[L], sums[L]),
       ...);
    }
  }
  if constexpr (Gradient)
    ((parts[L].buffers.column_self[place] = sums[L].self_y.sum(), parts[L].buffers.column_shift[place] = sums[L].shift_y.sum()), ...);
  return total;
}

} // namespace dalib::engine
