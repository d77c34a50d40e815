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

/// Values of the statistics in a list for one register of pairs.
template <class V, class... S>
struct statistic_values {
  V values[sizeof...(S)];
  statistic_values(const V& gram, const V& l1, const row_terms<V>& x, const row_terms<V>& y) : values{of<S>(gram, l1, x, y)...} {}

  template <class One>
  static V of(const V& gram, const V& l1, const row_terms<V>& x, const row_terms<V>& y) {
    if constexpr (One::from_gram)
      return One::value(gram, x, y);
    else
      return l1;
  }
};

/// Pull coefficients of one register of pairs, over all statistics of a list.
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

template <class V, class... S>
statistic_values<V, S...> values_of(type_list<S...>, const V& gram, const V& l1, const row_terms<V>& x, const row_terms<V>& y) {
  return {gram, l1, x, y};
}

template <class V, class... S, std::size_t... I>
pulls<V> pulls_of(type_list<S...>, std::index_sequence<I...>, const V* slopes, const V* values, const row_terms<V>& x,
                  const row_terms<V>& y) {
  pulls<V> result;
  (result.template add<S>(slopes[I], values[I], x, y), ...);
  return result;
}

template <class T>
row_terms<pack<T>> broadcast(const row_terms<T>& terms) {
  return {pack<T>(terms.norm), pack<T>(terms.shift), pack<T>(terms.inverse_norm)};
}

} // namespace detail

/// One register of pairs in one layer, before and after the product over layers is known.
template <class T, class Profile>
class pair_lanes {
public:
  using vector = pack<T>;
  using list = statistics_of<Profile>;

  pair_lanes(const Profile& profile, const tile_part<T>& part, index lane, index offset, const row_terms<vector>& column)
      : lane_terms_(part.lanes->lane_terms(lane)), column_terms_(column), offset_(offset),
        values_(detail::values_of(list{}, reads<Profile>::gram ? vector::load(part.buffers.gram + offset) : vector(0),
                                  reads<Profile>::l1 ? vector::load(part.buffers.l1 + offset) : vector(0), lane_terms_, column_terms_)),
        jet_(evaluate<list>(profile, values_.values)) {}

  const vector& value() const { return jet_.value; }

  /// Writes pull coefficients for the pair's weight `coefficient` times the other layers' kernels.
  void write(const vector& coefficient, tile_part<T>& part, index lane_place, detail::pulls<vector>& column_sums) const {
    vector slopes[list::size];
    for (std::size_t s = 0; s < list::size; ++s) slopes[s] = where_nonzero(coefficient, coefficient * jet_.slopes[s]);
    const auto pull = detail::pulls_of(list{}, std::make_index_sequence<list::size>{}, slopes, values_.values, lane_terms_, column_terms_);
    layer_tile<T>& out = part.buffers;
    if constexpr (reads<Profile>::gram) {
      pull.gram.store(out.gram + offset_);
      (vector::load(out.lane_self + lane_place) + pull.self_x).store(out.lane_self + lane_place);
      column_sums.self_y += pull.self_y;
    }
    if constexpr (reads<Profile>::shift) {
      (vector::load(out.lane_shift + lane_place) + pull.shift_x).store(out.lane_shift + lane_place);
      column_sums.shift_y += pull.shift_y;
    }
    if constexpr (reads<Profile>::l1) pull.l1.store(out.l1 + offset_);
  }

private:
  row_terms<vector> lane_terms_;
  row_terms<vector> column_terms_;
  index offset_;
  decltype(detail::values_of(list{}, vector(0), vector(0), row_terms<vector>{}, row_terms<vector>{})) values_;
  multi_jet<vector, list::size> jet_;
};

/// Combines one column of a tile over all layers: returns sum_l coefficient(l) * prod_layers k(l, column), and with `Gradient` turns the
/// statistics in the buffers into pull coefficients. A pair whose coefficient is 0 contributes nothing, whatever its kernel gives.
/// @param lanes   which rows of the lanes' block; `coefficients` has one entry for each
/// @param column  row of the columns' block; `place` is its place in the tile
template <bool Gradient, class T, class... Profiles, std::size_t... L>
double combine_column(std::index_sequence<L...>, const std::tuple<layer<T, Profiles>...>& layers,
                      std::array<tile_part<T>, sizeof...(Profiles)>& parts, span_of_rows lanes, index column, index place, index stride,
                      const T* coefficients) {
  using vector = pack<T>;
  constexpr std::size_t count = sizeof...(Profiles);
  const row_terms<vector> columns[count] = {detail::broadcast(parts[L].columns->terms(column))...};
  detail::pulls<vector> sums[count];
  vector total(0);
  for (index l = 0; l < lanes.count; l += vector::size) {
    const vector coefficient = vector::load(coefficients + l);
    const std::tuple<pair_lanes<T, Profiles>...> pairs{
        pair_lanes<T, Profiles>(std::get<L>(layers).profile, parts[L], lanes.first + l, place * stride + l, columns[L])...};
    const vector kernels[count] = {std::get<L>(pairs).value()...};
    vector product = coefficient;
    for (std::size_t m = 0; m < count; ++m) product *= kernels[m];
    total += where_nonzero(coefficient, product);
    if constexpr (Gradient) {
      const auto others = [&](std::size_t which) {
        vector rest = coefficient;
        for (std::size_t m = 0; m < count; ++m)
          if (m != which) rest *= kernels[m];
        return rest;
      };
      (std::get<L>(pairs).write(others(L), parts[L], l, sums[L]), ...);
    }
  }
  if constexpr (Gradient) {
    ((parts[L].buffers.column_self[place] = sums[L].self_y.sum(), parts[L].buffers.column_shift[place] = sums[L].shift_y.sum()), ...);
  }
  return static_cast<double>(total.sum());
}

} // namespace dalib::engine
