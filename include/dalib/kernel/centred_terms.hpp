/// @file
/// Linear kernels under a shift of the data.
#pragma once

#include "dalib/kernel/composite.hpp"
#include "dalib/kernel/linear.hpp"

#include <type_traits>

namespace dalib::kernel {

/// @internal
/// k(x, y) = (x - m) . (y - m), m the mean of all rows.
struct centred_linear {
  using statistic = centred_inner_product;

  template <class T>
  DALIB_HD jet<T> operator()(const T& s) const {
    return {s, T(1)};
  }
};

/// @internal
/// A bound kernel that gives the same sum over pairs wherever every row's coefficients add up to 0, as those of a two-sample estimator do:
/// sum_y c(x, y) (x . y) does not change if m is taken from both rows, and has no rounding of m then. Linear kernels that stand as terms of
/// a sum become centred ones; all others stay what they are.
template <class K>
struct centred_terms {
  using type = K;
  static type of(const K& k) { return k; }
};
template <>
struct centred_terms<linear> {
  using type = centred_linear;
  static type of(const linear&) { return {}; }
};
template <class A, class B>
struct centred_terms<sum_of<A, B>> {
  using type = sum_of<typename centred_terms<A>::type, typename centred_terms<B>::type>;
  static type of(const sum_of<A, B>& k) { return {centred_terms<A>::of(k.a), centred_terms<B>::of(k.b)}; }
};
template <class A>
struct centred_terms<scaled<A>> {
  using type = scaled<typename centred_terms<A>::type>;
  static type of(const scaled<A>& k) { return {centred_terms<A>::of(k.a), k.factor}; }
};

/// Whether a kernel has a linear term.
template <class K>
inline constexpr bool has_centred_terms = !std::is_same_v<K, typename centred_terms<K>::type>;

/// @internal
/// A bound kernel that is a multiple of the inner product and nothing else, and that multiple.
template <class K>
struct linear_multiple {
  static constexpr bool exists = false;
};
template <>
struct linear_multiple<linear> {
  static constexpr bool exists = true;
  static double of(const linear&) { return 1; }
};
template <class A>
requires(linear_multiple<A>::exists) struct linear_multiple<scaled<A>> {
  static constexpr bool exists = true;
  static double of(const scaled<A>& k) { return k.factor * linear_multiple<A>::of(k.a); }
};
template <class A, class B>
requires(linear_multiple<A>::exists&& linear_multiple<B>::exists) struct linear_multiple<sum_of<A, B>> {
  static constexpr bool exists = true;
  static double of(const sum_of<A, B>& k) { return linear_multiple<A>::of(k.a) + linear_multiple<B>::of(k.b); }
};

} // namespace dalib::kernel
