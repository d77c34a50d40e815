/// @file
/// From statistics to kernels, and from slopes to what they do to both rows: the same for a register of pairs and for one pair.
#pragma once

#include "dalib/engine/pair/pair.hpp"

#include <cstddef>
#include <type_traits>

namespace dalib::engine::detail {

/// Pull coefficients of one register of pairs, over all statistics of a kernel.
template <class V>
struct pulls {
  V gram = V(0), added = V(0), self_x = V(0), self_y = V(0), shift_x = V(0), shift_y = V(0);
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
      added += slope;
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

/// What slopes of the statistics `S` do to both rows, for pairs that count `outer`. @param near  see pulls_of
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

} // namespace dalib::engine::detail
