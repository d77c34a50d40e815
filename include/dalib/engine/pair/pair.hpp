/// @file
/// One pair of rows at a time: statistics by exact differences, for the O(n F) estimators and for single kernel values.
#pragma once

#include "dalib/engine/pair/layer.hpp"
#include "dalib/simd/partial_sums.hpp"

#include <cstddef>
#include <type_traits>

namespace dalib::engine {

/// Sums of one pair of rows over their features, from which every statistic is made without cancellation.
template <class T>
struct pair_sums {
  T gram = T(0);
  T squared_distance = T(0);
  T added = T(0); ///< of the statistic that adds up over the features

  pair_sums& operator+=(const pair_sums& other) {
    gram += other.gram;
    squared_distance += other.squared_distance;
    added += other.added;
    return *this;
  }
};

/// A kernel on one pair: value, slopes and the statistics themselves.
template <class T, std::size_t Count>
struct evaluated_pair {
  T value;
  T slopes[Count];
  T statistics[Count];
};

/// The sums that `Profile` reads, of centred rows x and y.
template <class Profile, class T>
DALIB_HD pair_sums<T> sums_of(const T* x, const T* y, index_t features) {
  constexpr int partials = sum_partials<T>;
  T gram[partials] = {}, distance[partials] = {}, added[partials] = {};
  for_each_partial<T>(features, [&](index_t f, int p) {
    const T d = x[f] - y[f];
    if constexpr (reads<Profile>::gram_beside_distance) gram[p] += x[f] * y[f];
    if constexpr (reads<Profile>::gram) distance[p] += d * d;
    if constexpr (reads<Profile>::added) added[p] += reads<Profile>::additive::term(x[f], y[f]);
  });
  return {sum_by_halves(gram), sum_by_halves(distance), sum_by_halves(added)};
}

/// Statistic `S` of a pair.
template <class S, class T>
DALIB_HD T statistic_of(const pair_sums<T>& sums, const row_terms<T>& x, const row_terms<T>& y) {
  if constexpr (std::is_same_v<S, squared_distance>)
    return sums.squared_distance;
  else if constexpr (S::from_gram)
    return S::value(sums.gram, x, y);
  else
    return sums.added;
}

namespace detail {
template <class T, class... S>
DALIB_HD evaluated_pair<T, sizeof...(S)> pair_of_sums(type_list<S...>, const pair_sums<T>& sums, const row_terms<T>& x,
                                                      const row_terms<T>& y) {
  return {T(0), {}, {statistic_of<S>(sums, x, y)...}};
}
} // namespace detail

/// The kernel on one pair.
template <class Profile, class T>
DALIB_HD auto evaluate_pair(const Profile& profile, const pair_sums<T>& sums, const row_terms<T>& x, const row_terms<T>& y) {
  using list = statistics_of<Profile>;
  evaluated_pair<T, list::size> result = detail::pair_of_sums(list{}, sums, x, y);
  const auto jet = evaluate<list>(profile, result.statistics);
  result.value = jet.value;
  for (std::size_t i = 0; i < list::size; ++i) result.slopes[i] = jet.slopes[i];
  return result;
}

} // namespace dalib::engine
