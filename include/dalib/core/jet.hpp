/// @file
/// A value with its slope: what a kernel returns, and the dual number with which a slope is found when only the value is written.
#pragma once

#include "dalib/config.hpp"

#include <cmath>
#include <concepts>
#include <type_traits>

namespace dalib {

/// Value k(s) and slope k'(s) of a function of one pair statistic s.
///
/// With the arithmetic below, `jet` is also a dual number: `f(jet<T>{s, T(1)})` evaluates any generic f together with its derivative.
/// `T` is a scalar, a SIMD pack or an AD scalar.
///
/// @code{.cpp}
/// const auto f = [](auto s) { return 3 * exp(-2 * s) / (1 + s); };
/// const jet<double> at = f(jet{0.5, 1.0}); // value and slope at 0.5
/// assert(std::abs(at.value - 2 * std::exp(-1)) < 1e-15);
/// assert(std::abs(at.slope + (2 + 1 / 1.5) * at.value) < 1e-15);
/// static_assert(number<int> && !number<jet<double>>);
/// @endcode
template <class T>
struct jet {
  T value;
  T slope;
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

/// A plain number has slope zero.
template <class S>
concept number = std::is_arithmetic_v<S>;

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
  return a * (T(1) / T(b));
}
template <class T, number S>
DALIB_HD jet<T> operator/(S a, const jet<T>& b) {
  const T quotient = T(a) / b.value;
  return {quotient, -quotient * b.slope / b.value};
}

template <class T>
DALIB_HD jet<T> exp(const jet<T>& a) {
  using std::exp;
  const T e = exp(a.value);
  return {e, e * a.slope};
}
template <class T>
DALIB_HD jet<T> log(const jet<T>& a) {
  using std::log;
  return {log(a.value), a.slope / a.value};
}
template <class T>
DALIB_HD jet<T> sqrt(const jet<T>& a) {
  using std::sqrt;
  const T root = sqrt(a.value);
  return {root, a.slope / (T(2) * root)};
}
template <class T, number S>
DALIB_HD jet<T> pow(const jet<T>& a, S exponent) {
  using std::pow;
  const T lower = pow(a.value, T(exponent) - T(1));
  return {lower * a.value, T(exponent) * lower * a.slope};
}
template <class T>
DALIB_HD jet<T> tanh(const jet<T>& a) {
  using std::tanh;
  const T t = tanh(a.value);
  return {t, (T(1) - t * t) * a.slope};
}

} // namespace dalib
