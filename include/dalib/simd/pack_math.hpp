/// @file
/// What row-wise losses need of a number beyond arithmetic, for scalars and for packs of them.
#pragma once

#include "dalib/simd/pack_functions.hpp"

#include <cmath>
#include <concepts>
#include <cstddef>
#include <type_traits>

namespace dalib {

/// `yes` where a > b, else `no`; NaN is not greater than anything.
template <std::floating_point T>
DALIB_HD T where_greater(T a, T b, T yes, T no) {
  return a > b ? yes : no;
}
template <class T>
DALIB_HD pack<T> where_greater(const pack<T>& a, const pack<T>& b, const pack<T>& yes, const pack<T>& no) {
  return pack<T>(a.lanes > b.lanes ? yes.lanes : no.lanes);
}

/// `yes` where a == b, else `no`.
template <std::floating_point T>
DALIB_HD T where_equal(T a, T b, T yes, T no) {
  return a == b ? yes : no;
}
template <class T>
DALIB_HD pack<T> where_equal(const pack<T>& a, const pack<T>& b, const pack<T>& yes, const pack<T>& no) {
  return pack<T>(a.lanes == b.lanes ? yes.lanes : no.lanes);
}

/// 1 / (1 + e^-x) without overflow; no digit is lost near 0 or 1.
template <std::floating_point T>
DALIB_HD T sigmoid(T x) {
  using std::exp;
  const T e = exp(x > T(0) ? -x : x);
  return (x > T(0) ? T(1) : e) / (T(1) + e);
}
template <class T>
DALIB_HD pack<T> sigmoid(const pack<T>& x) {
  const pack<T> e = exp(-abs(x));
  return where_greater(x, pack<T>(0), pack<T>(1), e) / (pack<T>(1) + e);
}

/// Binary cross-entropy of a logit, or of a pack of them: log(1 + e^-logit) for label 1, log(1 + e^logit) for label 0, without overflow.
/// `slope` becomes the derivative by the logit; it shares the exponential, and no digit of it is lost near 0 or 1.
template <class V>
DALIB_HD V binary_cross_entropy(const V& logit, bool label, V& slope) {
  using std::abs;
  using std::exp;
  using std::log1p;
  const V x = label ? -logit : logit;
  const V e = exp(-abs(x));
  const V sigmoid_of_x = where_greater(x, V(0), V(1), e) / (V(1) + e);
  slope = label ? -sigmoid_of_x : sigmoid_of_x;
  return where_greater(x, V(0), x, V(0)) + log1p(e);
}

namespace detail {
template <class V>
struct element_of {
  using type = V;
};
template <class T>
struct element_of<pack<T>> {
  using type = T;
};
} // namespace detail

/// The scalar of a scalar or a pack.
template <class V>
using element_of = typename detail::element_of<V>::type;

/// Number of lanes of a pack, 1 for a scalar.
template <class V>
inline constexpr std::ptrdiff_t lanes_of = 1;
template <class T>
inline constexpr std::ptrdiff_t lanes_of<pack<T>> = pack<T>::size;

/// Reads V's lanes (one for a scalar) from memory, or writes them.
template <class V>
DALIB_HD V load_lanes(const element_of<V>* from) {
  if constexpr (std::is_arithmetic_v<V>)
    return *from;
  else
    return V::load(from);
}
template <class V>
DALIB_HD void store_lanes(const V& value, element_of<V>* to) {
  if constexpr (std::is_arithmetic_v<V>)
    *to = value;
  else
    value.store(to);
}

} // namespace dalib
