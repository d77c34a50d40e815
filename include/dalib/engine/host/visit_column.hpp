/// @file
/// One column of a tile: its pairs are evaluated, a register at a time, and handed to the visitor.
#pragma once

#include "dalib/engine/host/layer_tile.hpp"
#include "dalib/engine/pair/visitor.hpp"

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

/// Which pairs a tile holds, and what it is visited with.
template <class T>
struct tile_span {
  span_of_rows lanes;       ///< of the lanes' blocks
  span_of_rows columns;     ///< of the columns' blocks
  index_t both_from = 0;    ///< lanes from here on (a multiple of a register's) stand for (lane, column) and (column, lane)
  index_t stride = 0;       ///< from one column of the buffers to the next
  T* numbers = nullptr;     ///< memory: lane_numbers of the problem for each lane
  T* const* kept = nullptr; ///< tiles that the visitor keeps, with the same stride
};

/// The column of a tile that is being visited.
template <class T>
struct visited_column {
  span_of_rows lanes;
  index_t column;    ///< row of the columns' block
  index_t place;     ///< the column's place in the tile
  index_t own_lane;  ///< the lane that is the column's own row, or a number outside
  index_t both_from; ///< see tile_span
  index_t stride;
  const T* coefficients; ///< one for each lane
  T* const* kept;

  /// Where the column starts in a tile.
  index_t start() const { return place * stride; }
};

namespace detail {

/// Reads the tile at `offset` and evaluates the kernel there.
template <class T, class Profile>
void evaluate_lanes(const Profile& profile, const layer_tile<T>& tile, index_t offset, const row_terms<pack<T>>& x,
                    const row_terms<pack<T>>& y, pair_kernel<pack<T>, Profile>& result) {
  pair_sums<pack<T>> sums;
  if constexpr (reads<Profile>::gram_beside_distance) sums.gram = pack<T>::load(tile.gram + offset);
  if constexpr (reads<Profile>::distance) sums.squared_distance = pack<T>::load(tile.distance + offset);
  if constexpr (reads<Profile>::added) sums.added = pack<T>::load(tile.added + offset);
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
  if constexpr (reads<Profile>::added) pull.added.store(tile.added + offset);
}

template <class T>
row_terms<pack<T>> broadcast(const row_terms<T>& terms) {
  return {pack<T>(terms.norm), pack<T>(terms.shift), pack<T>(terms.inverse_norm)};
}

// A visitor is valid on the host and on a device; on a device it meets no packs.
#if defined(__CUDACC__)
#  define DALIB_OF_LANES _Pragma("nv_exec_check_disable")
#else
#  define DALIB_OF_LANES
#endif

/// What a visitor sees of one register of pairs; see pair_visitor.
template <bool Near, class T, class... Profiles>
struct lanes_of_pairs {
  using number = pack<T>;
  static constexpr std::size_t count = sizeof...(Profiles);
  const visited_column<T>& at;
  index_t lane;
  number coefficient;
  const number (&values)[count];
  const std::tuple<Profiles...>& profiles;
  const std::tuple<pair_kernel<number, Profiles>...>& kernels;
  const row_terms<number> (&rows)[count];
  const row_terms<number> (&columns)[count];
  std::array<tile_part<T>, count>& parts;
  pulls<number> (&column_sums)[count];

  DALIB_OF_LANES DALIB_HD number value() const {
    number product = values[0];
    for (std::size_t l = 1; l < count; ++l) product *= values[l];
    return product;
  }
  DALIB_OF_LANES template <std::size_t L>
  DALIB_HD number kernel() const {
    return values[L];
  }
  DALIB_OF_LANES template <std::size_t L>
  DALIB_HD number slope() const {
    return std::get<L>(kernels).jet.slopes[0];
  }
  DALIB_OF_LANES template <std::size_t L, class Use>
  DALIB_HD void each_term(const Use& use) const {
    visit_terms<L>(use);
  }
  DALIB_OF_LANES DALIB_HD number counted(const number& x) const {
    const number share = where_nonzero(coefficient, x);
    return lane < at.both_from ? share : share + share;
  }
  DALIB_OF_LANES DALIB_HD number share() const { return counted(product_over_layers(coefficient, values)); }
  DALIB_OF_LANES DALIB_HD void pull() const { write_all(std::make_index_sequence<count>{}); }
  DALIB_OF_LANES DALIB_HD void keep(int which, const number& x) const { x.store(at.kept[which] + at.start() + lane); }

private:
  template <std::size_t L, class Use>
  void visit_terms(const Use& use) const {
    using list = statistics_of<std::tuple_element_t<L, std::tuple<Profiles...>>>;
    dalib::kernel::each_term_value<list>(std::get<L>(profiles), std::get<L>(kernels).statistics, 0, use);
  }
  template <std::size_t... L>
  void write_all(std::index_sequence<L...>) const {
    (write_pulls<Near>(product_over_layers(coefficient, values, L), std::get<L>(kernels), parts[L].buffers, at.start() + lane, lane,
                       rows[L], columns[L], column_sums[L]),
     ...);
  }
};

#undef DALIB_OF_LANES

} // namespace detail

/// Evaluates one column of a tile over all layers and shows its pairs to the visitor: `sums` receives what the visitor adds up, lane by
/// lane; a visitor that pulls turns the statistics in the buffers into pull coefficients. A pair whose coefficient is 0 contributes
/// nothing, whatever its kernel gives. Everything is inlined here, a user's kernel too, so that a pair's numbers never leave the registers.
/// @tparam Near  whether any pair of the column pulls by differences in any layer
template <bool Near, class Visitor, class T, class... Profiles, std::size_t... L>
[[gnu::flatten]] void visit_column(std::index_sequence<L...>, const Visitor& visitor, const std::tuple<layer<T, Profiles>...>& layers,
                                   std::array<tile_part<T>, sizeof...(Profiles)>& parts, const visited_column<T>& at, pack<T>* sums) {
  using vector = pack<T>;
  constexpr std::size_t count = sizeof...(Profiles);
  constexpr int numbers = visited_numbers<Visitor>::size;
  // Local copies: the compiler must see that the stores below do not change the kernels' constants.
  const std::tuple<Profiles...> profiles{std::get<L>(layers).profile...};
  const row_terms<vector> columns[count] = {detail::broadcast(parts[L].columns->terms(at.column))...};
  detail::pulls<vector> column_sums[count];
  const int used = used_numbers(visitor);
  vector own[numbers];
  for (int i = 0; i < used; ++i) own[i] = vector(0);
  for (index_t l = 0; l < at.lanes.count; l += vector::size) {
    const row_terms<vector> rows[count] = {parts[L].lanes->lane_terms(at.lanes.first + l)...};
    std::tuple<detail::pair_kernel<vector, Profiles>...> kernels;
    (detail::evaluate_lanes(std::get<L>(profiles), parts[L].buffers, at.start() + l, rows[L], columns[L], std::get<L>(kernels)), ...);
    const vector values[count] = {std::get<L>(kernels).jet.value...};
    const detail::lanes_of_pairs<Near, T, Profiles...> pairs{
        at, l, vector::load(at.coefficients + l), values, profiles, kernels, rows, columns, parts, column_sums};
    visitor.visit(pairs, own);
  }
  for (int i = 0; i < used; ++i) sums[i] = own[i];
  if constexpr (visitor_pulls<Visitor>)
    ((parts[L].buffers.column_self[at.place] = column_sums[L].self_y.sum(),
      parts[L].buffers.column_shift[at.place] = column_sums[L].shift_y.sum()),
     ...);
}

} // namespace dalib::engine
