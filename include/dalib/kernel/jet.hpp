/// @file
/// A value with its slope: what a kernel returns, and the dual number with which a slope is found when only the value is written.
#pragma once

#include "dalib/simd/number.hpp"

#include <cmath>
#include <concepts>

namespace dalib {

/// Value k(s) and slope k'(s) of a function of one pair statistic s.
///
/// With the arithmetic below, `jet` is also a dual number: `f(jet<T>{s, T(1)})` evaluates any generic f together with its derivative.
/// `T` is a scalar, a SIMD pack or an AD scalar. Jets are compared by their values; `select(a < b, yes, no)` chooses value and slope.
/// Functions are in jet_functions.hpp.
///
/// @code{.cpp}
/// const auto f = [](auto s) { return 3 * exp(-2 * s) / (1 + s); };
/// const jet<double> at = f(jet{0.5, 1.0}); // value and slope at 0.5
/// assert(std::abs(at.value - 2 * std::exp(-1)) < 1e-15);
/// assert(std::abs(at.slope + (2 + 1 / 1.5) * at.value) < 1e-15);
/// const jet<double> clipped = select(at < 0.1, 0.1, at);
/// assert(at.value > 0.1 && clipped.slope == at.slope);
/// @endcode
template <class T>
struct jet {
  T value;
  T slope;

  template <std::same_as<double> S>
  DALIB_HD operator S() const {
    return detail::refuse_plain_number<jet>();
  }
};

template <class T>
jet(T, T) -> jet<T>;

template <class T>
DALIB_HD jet<T> operator+(const jet<T>& a, const jet<T>& b) {
  return {a.value + b.value, a.slope + b.slope};
}
template <class T>
DALIB_HD jet<T> operator-(const jet<T>& a, const jet<T>& b) {
  return {a.value - b.value, a.slope - b.slope};
}
template <class T>
DALIB_HD jet<T> operator-(const jet<T>& a) {
  return {-a.value, -a.slope};
}
template <class T>
DALIB_HD jet<T> operator*(const jet<T>& a, const jet<T>& b) {
  return {a.value * b.value, a.slope * b.value + a.value * b.slope};
}
template <class T>
DALIB_HD jet<T> operator/(const jet<T>& a, const jet<T>& b) {
  const T inverse = T(1) / b.value;
  const T quotient = a.value * inverse;
  return {quotient, (a.slope - quotient * b.slope) * inverse};
}

// A plain number has slope zero.
template <class T, number S>
DALIB_HD jet<T> operator+(const jet<T>& a, S b) {
  return {a.value + T(b), a.slope};
}
template <class T, number S>
DALIB_HD jet<T> operator+(S a, const jet<T>& b) {
  return b + a;
}
template <class T, number S>
DALIB_HD jet<T> operator-(const jet<T>& a, S b) {
  return {a.value - T(b), a.slope};
}
template <class T, number S>
DALIB_HD jet<T> operator-(S a, const jet<T>& b) {
  return {T(a) - b.value, -b.slope};
}
template <class T, number S>
DALIB_HD jet<T> operator*(const jet<T>& a, S b) {
  return {a.value * T(b), a.slope * T(b)};
}
template <class T, number S>
DALIB_HD jet<T> operator*(S a, const jet<T>& b) {
  return b * a;
}
template <class T, number S>
DALIB_HD jet<T> operator/(const jet<T>& a, S b) {
  return {a.value / T(b), a.slope / T(b)};
}
template <class T, number S>
DALIB_HD jet<T> operator/(S a, const jet<T>& b) {
  const T quotient = T(a) / b.value;
  return {quotient, -quotient * b.slope / b.value};
}

template <class T, class S>
DALIB_HD jet<T>& operator+=(jet<T>& a, const S& b) {
  return a = a + b;
}
template <class T, class S>
DALIB_HD jet<T>& operator-=(jet<T>& a, const S& b) {
  return a = a - b;
}
template <class T, class S>
DALIB_HD jet<T>& operator*=(jet<T>& a, const S& b) {
  return a = a * b;
}
template <class T, class S>
DALIB_HD jet<T>& operator/=(jet<T>& a, const S& b) {
  return a = a / b;
}
template <class T>
DALIB_HD jet<T> operator+(const jet<T>& a) {
  return a;
}

// By value: a bool, or a mask where T is a pack.
#define DALIB_JET_COMPARISON(op)                                                                                                           \
  template <class T>                                                                                                                       \
  DALIB_HD auto operator op(const jet<T>& a, const jet<T>& b) {                                                                            \
    return a.value op b.value;                                                                                                             \
  }                                                                                                                                        \
  template <class T, number S>                                                                                                             \
  DALIB_HD auto operator op(const jet<T>& a, S b) {                                                                                        \
    return a.value op T(b);                                                                                                                \
  }                                                                                                                                        \
  template <class T, number S>                                                                                                             \
  DALIB_HD auto operator op(S a, const jet<T>& b) {                                                                                        \
    return T(a) op b.value;                                                                                                                \
  }
DALIB_JET_COMPARISON(<)
DALIB_JET_COMPARISON(>)
DALIB_JET_COMPARISON(<=)
DALIB_JET_COMPARISON(>=)
DALIB_JET_COMPARISON(==)
DALIB_JET_COMPARISON(!=)
#undef DALIB_JET_COMPARISON

/// Value and slope of `yes` or of `no`. For a bool and two jets the form for any type serves.
template <class Mask, class T>
requires(!std::same_as<Mask, bool>) DALIB_HD jet<T> select(const Mask& condition, const jet<T>& yes, const jet<T>& no) {
  return {select(condition, yes.value, no.value), select(condition, yes.slope, no.slope)};
}
template <class Mask, class T, number S>
DALIB_HD jet<T> select(const Mask& condition, const jet<T>& yes, S no) {
  return select(condition, yes, jet<T>{T(no), T(0)});
}
template <class Mask, class T, number S>
DALIB_HD jet<T> select(const Mask& condition, S yes, const jet<T>& no) {
  return select(condition, jet<T>{T(yes), T(0)}, no);
}

} // namespace dalib
