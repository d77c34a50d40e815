/// @file
/// How engines evaluate any kernel, composite or not: the value, and one slope for each pair statistic the kernel reads.
#pragma once

#include "dalib/kernel/jet_functions.hpp"
#include "dalib/kernel/statistics.hpp"
#include "dalib/kernel/type_list.hpp"
#include "dalib/simd/pack_functions.hpp"

#include <concepts>
#include <cstddef>
#include <type_traits>

namespace dalib {

/// @internal
/// A kernel's value and its slopes with respect to `Count` pair statistics.
template <class T, std::size_t Count>
struct multi_jet {
  T value;
  T slopes[Count];
};

namespace detail {

template <class K>
concept has_statistic = requires {
  typename K::statistic;
};

template <class K>
concept has_parts = requires {
  typename K::statistics;
};

template <class K, bool Composite>
struct statistics_of;
template <class K>
struct statistics_of<K, false> {
  static_assert(has_statistic<K>, "dalib: a kernel needs `using statistic = dalib::squared_distance;` (or another pair statistic); see "
                                  "include/dalib/extending.md");
  using type = type_list<typename K::statistic>;
};
template <class K>
struct statistics_of<K, true> {
  using type = typename K::statistics;
};

} // namespace detail

/// The pair statistics that kernel `K` reads, each once.
template <class K>
using statistics_of = typename detail::statistics_of<K, detail::has_parts<K>>::type;

/// Evaluates kernel `k` on the values of the statistics in `List`. O(number of terms).
template <class List, class K, class T>
DALIB_HD multi_jet<T, List::size> evaluate(const K& k, const T (&statistics)[List::size]) {
  if constexpr (detail::has_parts<K>) {
    return k.template evaluate<List>(statistics);
  } else {
    constexpr std::size_t place = position_of<List, typename K::statistic>;
    static_assert(
        requires {
          { k(statistics[place]) } -> std::same_as<jet<T>>;
        },
        "dalib: a kernel needs operator()(T s) -> dalib::jet<T>, for T = float, double and dalib::pack of them (value only: see "
        "dalib::kernel::from_value); include/dalib/extending.md has a complete example");
    const jet<T> own = k(statistics[place]);
    multi_jet<T, List::size> result{own.value, {}};
    for (std::size_t i = 0; i < List::size; ++i) result.slopes[i] = i == place ? own.slope : T(0);
    return result;
  }
}

} // namespace dalib
