/// @file
/// One pair of rows at a time: statistics by exact differences, for the O(n F) estimators and for single kernel values.
#pragma once

#include "dalib/engine/layer.hpp"

#include <cstddef>
#include <type_traits>

namespace dalib::engine {

/// Sums of one pair of rows over their features, from which every statistic is made without cancellation.
template <class T>
struct pair_sums {
  T gram = T(0);
  T squared_distance = T(0);
  T l1 = T(0);
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
pair_sums<T> sums_of(const T* x, const T* y, index features) {
  // Independent partial sums let the compiler use whole registers without reordering additions.
  constexpr int partials = 4 * simd_lanes<T>;
  T gram[partials] = {}, distance[partials] = {}, l1[partials] = {};
  const auto add = [&](index f, int p) {
    const T d = x[f] - y[f];
    if constexpr (reads<Profile>::shift) gram[p] += x[f] * y[f];
    if constexpr (reads<Profile>::gram) distance[p] += d * d;
    if constexpr (reads<Profile>::l1) l1[p] += d < T(0) ? -d : d;
  };
  index f = 0;
  for (; f + partials <= features; f += partials)
    for (int p = 0; p < partials; ++p) add(f + p, p);
  for (int p = 0; f < features; ++f, ++p) add(f, p);
  pair_sums<T> sums;
  for (int p = 0; p < partials; ++p) {
    sums.gram += gram[p];
    sums.squared_distance += distance[p];
    sums.l1 += l1[p];
  }
  return sums;
}

/// Statistic `S` of a pair.
template <class S, class T>
T statistic_of(const pair_sums<T>& sums, const row_terms<T>& x, const row_terms<T>& y) {
  if constexpr (std::is_same_v<S, squared_distance>)
    return sums.squared_distance;
  else if constexpr (S::from_gram)
    return S::value(sums.gram, x, y);
  else
    return sums.l1;
}

/// The kernel on one pair.
template <class Profile, class T>
auto evaluate_pair(const Profile& profile, const pair_sums<T>& sums, const row_terms<T>& x, const row_terms<T>& y) {
  using list = statistics_of<Profile>;
  return [&]<class... S>(type_list<S...>) {
    evaluated_pair<T, list::size> result{T(0), {}, {statistic_of<S>(sums, x, y)...}};
    const auto jet = evaluate<list>(profile, result.statistics);
    result.value = jet.value;
    for (std::size_t i = 0; i < list::size; ++i) result.slopes[i] = jet.slopes[i];
    return result;
  }(list{});
}

} // namespace dalib::engine
