/// @file
/// What happens to every pair: statistics to kernels, kernels to the value and to slopes, slopes to pull coefficients. In place, column by
/// column.
#pragma once

#include "dalib/engine/layer.hpp"

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

  template <class S>
  void add(const V& slope, const V& value, const row_terms<V>& x, const row_terms<V>& y) {
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

/// Statistics and kernel of one register of pairs in one layer.
template <class T, class Profile>
struct lane_kernel {
  using list = statistics_of<Profile>;
  pack<T> statistics[list::size];
  multi_jet<pack<T>, list::size> jet;
};

template <class S, class V>
V statistic_of_lanes(const V& gram, const V& l1, const row_terms<V>& x, const row_terms<V>& y) {
  if constexpr (S::from_gram)
    return S::value(gram, x, y);
  else
    return l1;
}

/// Reads the tile at `offset` and evaluates the kernel there.
template <class T, class Profile>
void evaluate_lanes(const Profile& profile, const layer_tile<T>& tile, index offset, const row_terms<pack<T>>& x,
                    const row_terms<pack<T>>& y, lane_kernel<T, Profile>& result) {
  using list = typename lane_kernel<T, Profile>::list;
  pack<T> gram(0), l1(0);
  if constexpr (reads<Profile>::gram) gram = pack<T>::load(tile.gram + offset);
  if constexpr (reads<Profile>::l1) l1 = pack<T>::load(tile.l1 + offset);
  [&]<class... S>(type_list<S...>) {
    std::size_t i = 0;
    ((result.statistics[i++] = statistic_of_lanes<S>(gram, l1, x, y)), ...);
  }(list{});
  result.jet = evaluate<list>(profile, result.statistics);
}

/// Turns the slopes into pull coefficients, in place, for pairs that count `outer` (the pair's weight times the other layers' kernels).
template <class T, class Profile>
void write_pulls(const pack<T>& outer, const lane_kernel<T, Profile>& kernel, layer_tile<T>& tile, index offset, index lane,
                 const row_terms<pack<T>>& x, const row_terms<pack<T>>& y, pulls<pack<T>>& column) {
  using list = typename lane_kernel<T, Profile>::list;
  pulls<pack<T>> pull;
  [&]<class... S>(type_list<S...>) {
    std::size_t i = 0;
    ((pull.template add<S>(where_nonzero(outer, outer * kernel.jet.slopes[i]), kernel.statistics[i], x, y), ++i), ...);
  }(list{});
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
template <bool Gradient, class T, class... Profiles, std::size_t... L>
[[gnu::flatten]] pack<T> combine_column(std::index_sequence<L...>, const std::tuple<layer<T, Profiles>...>& layers,
                                        std::array<tile_part<T>, sizeof...(Profiles)>& parts, span_of_rows lanes, index column, index place,
                                        index both_from, index stride, const T* coefficients) {
  using vector = pack<T>;
  constexpr std::size_t count = sizeof...(Profiles);
  // Local copies: the compiler must see that the stores below do not change the kernels' constants.
  const std::tuple<Profiles...> profiles{std::get<L>(layers).profile...};
  const row_terms<vector> columns[count] = {detail::broadcast(parts[L].columns->terms(column))...};
  detail::pulls<vector> sums[count];
  vector total(0);
  for (index l = 0; l < lanes.count; l += vector::size) {
    const index offset = place * stride + l;
    const vector coefficient = vector::load(coefficients + l);
    const row_terms<vector> rows[count] = {parts[L].lanes->lane_terms(lanes.first + l)...};
    std::tuple<detail::lane_kernel<T, Profiles>...> kernels;
    (detail::evaluate_lanes(std::get<L>(profiles), parts[L].buffers, offset, rows[L], columns[L], std::get<L>(kernels)), ...);
    const vector values[count] = {std::get<L>(kernels).jet.value...};
    vector product = coefficient;
    for (std::size_t m = 0; m < count; ++m) product *= values[m];
    const vector share = where_nonzero(coefficient, product);
    total += l < both_from ? share : share + share;
    if constexpr (Gradient) {
      const auto outer = [&](std::size_t which) {
        vector rest = coefficient;
        for (std::size_t m = 0; m < count; ++m)
          if (m != which) rest *= values[m];
        return rest;
      };
      (detail::write_pulls(outer(L), std::get<L>(kernels), parts[L].buffers, offset, l, rows[L], columns[L], sums[L]), ...);
    }
  }
  if constexpr (Gradient)
    ((parts[L].buffers.column_self[place] = sums[L].self_y.sum(), parts[L].buffers.column_shift[place] = sums[L].shift_y.sum()), ...);
  return total;
}

} // namespace dalib::engine
