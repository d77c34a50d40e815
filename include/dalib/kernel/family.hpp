/// @file
/// A sum of kernels of one type whose number is known at run time only.
#pragma once

#include "dalib/core/check.hpp"
#include "dalib/kernel/terms.hpp"

#include <span>
#include <string>
#include <utility>

namespace dalib::kernel {

/// k(x, y) = sum_i k_i(x, y), at most `capacity` kernels of one type, such as one for each bandwidth of a collection. `for_each_term`
/// visits each of them, so that tests which aggregate kernels take all in one pass.
///
/// @code{.cpp}
/// const std::vector<kernel::gaussian<bandwidth::fixed>> members = {{bandwidth::fixed{0.5}}, {bandwidth::fixed{2}}};
/// const kernel::family k{std::span(members)};
/// const auto sum = kernel::gaussian{0.5} + kernel::gaussian{2.0};
/// const Eigen::MatrixXd zs = Eigen::MatrixXd::Random(16, 4), zt = Eigen::MatrixXd::Random(12, 4);
/// assert(std::abs(mmd(k)(zs, zt) - mmd(sum)(zs, zt)) < 1e-14 && kernel::term_count(k) == 2);
/// @endcode
template <class K>
struct family {
  static constexpr int capacity = 32;
  using statistics = statistics_of<K>;
  int count = 0;
  K terms[capacity] = {};

  family() = default;
  /// @throws std::invalid_argument for no kernel or more than `capacity`.
  template <std::size_t Extent>
  explicit family(std::span<const K, Extent> members) : count(static_cast<int>(members.size())) {
    if (members.empty() || members.size() > static_cast<std::size_t>(capacity))
      fail("kernel::family", "takes 1 to 32 kernels (got " + std::to_string(members.size()) + ")");
    for (int i = 0; i < count; ++i) terms[i] = members[static_cast<std::size_t>(i)];
  }

  template <class List, class T>
  DALIB_HD multi_jet<T, List::size> evaluate(const T (&s)[List::size]) const {
    auto result = dalib::evaluate<List>(terms[0], s);
    for (int k = 1; k < count; ++k) {
      const auto next = dalib::evaluate<List>(terms[k], s);
      result.value = result.value + next.value;
      for (std::size_t i = 0; i < List::size; ++i) result.slopes[i] = result.slopes[i] + next.slopes[i];
    }
    return result;
  }

  template <class Data>
  auto bind(const Data& data) const {
    family<bound_kernel<K, Data>> bound;
    bound.count = count;
    for (int i = 0; i < count; ++i) bound.terms[i] = dalib::bind(terms[i], data);
    return bound;
  }
  family with_unit(double unit) const requires(takes_unit<K>) {
    family result = *this;
    for (int i = 0; i < count; ++i) result.terms[i] = terms[i].with_unit(unit);
    return result;
  }
};
template <class K, std::size_t Extent>
family(std::span<const K, Extent>) -> family<K>;

template <class K>
inline constexpr bool is_family<family<K>> = true;
template <class K>
inline constexpr int most_terms<family<K>> = family<K>::capacity * most_terms<K>;

template <class K, class Visit>
void for_each_term(const family<K>& k, Visit&& visit) {
  for (int i = 0; i < k.count; ++i) for_each_term(k.terms[i], visit);
}

} // namespace dalib::kernel
