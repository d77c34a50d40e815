/// @file
/// Mathematical functions of jets: the function of the value, and its derivative times the slope, in forms that lose no digit where the
/// function itself loses none. At a corner (abs at 0, max of equals) the slope is that of one side, or 0.
#pragma once

#include "dalib/kernel/jet.hpp"

#include <cmath>

namespace dalib {

// `x` is the value and `f` the function of it; T's own functions are found by argument-dependent lookup, the scalars' by `using`.
#define DALIB_JET_FUNCTION(name, derivative)                                                                                               \
  template <class T>                                                                                                                       \
  DALIB_HD jet<T> name(const jet<T>& a) {                                                                                                  \
    using std::exp, std::sqrt, std::sin, std::cos, std::sinh, std::cosh, std::abs, std::name;                                              \
    const T& x = a.value;                                                                                                                  \
    [[maybe_unused]] const T f = name(x);                                                                                                  \
    return {f, (derivative)*a.slope};                                                                                                      \
  }
DALIB_JET_FUNCTION(exp, f)
DALIB_JET_FUNCTION(exp2, T(0.69314718055994530942) * f)
DALIB_JET_FUNCTION(expm1, exp(x))
DALIB_JET_FUNCTION(log, T(1) / x)
DALIB_JET_FUNCTION(log2, T(1.44269504088896340736) / x)
DALIB_JET_FUNCTION(log10, T(0.43429448190325182765) / x)
DALIB_JET_FUNCTION(log1p, T(1) / (T(1) + x))
DALIB_JET_FUNCTION(sqrt, T(0.5) / f)
DALIB_JET_FUNCTION(cbrt, T(1) / (T(3) * f * f))
DALIB_JET_FUNCTION(sin, cos(x))
DALIB_JET_FUNCTION(cos, -sin(x))
DALIB_JET_FUNCTION(tan, T(1) + f * f)
DALIB_JET_FUNCTION(asin, T(1) / sqrt((T(1) - x) * (T(1) + x)))
DALIB_JET_FUNCTION(acos, T(-1) / sqrt((T(1) - x) * (T(1) + x)))
DALIB_JET_FUNCTION(atan, T(1) / (T(1) + x * x))
DALIB_JET_FUNCTION(sinh, cosh(x))
DALIB_JET_FUNCTION(cosh, sinh(x))
DALIB_JET_FUNCTION(erf, T(1.12837916709551257390) * exp(-x * x))
DALIB_JET_FUNCTION(erfc, T(-1.12837916709551257390) * exp(-x * x))
DALIB_JET_FUNCTION(floor, T(0))
DALIB_JET_FUNCTION(ceil, T(0))
#undef DALIB_JET_FUNCTION

/// 1 - tanh^2 cancels for large x: 4 e / (1 + e)^2 with e = e^(-2 |x|) does not.
template <class T>
DALIB_HD jet<T> tanh(const jet<T>& a) {
  using std::abs, std::exp, std::tanh;
  const T e = exp(T(-2) * abs(a.value)), sum = T(1) + e;
  return {tanh(a.value), T(4) * e / (sum * sum) * a.slope};
}

template <class T>
DALIB_HD jet<T> abs(const jet<T>& a) {
  return select(a.value < T(0), -a, select(a.value == T(0), jet<T>{a.value, T(0)}, a));
}
template <class T>
DALIB_HD jet<T> fabs(const jet<T>& a) {
  return abs(a);
}

/// The first of equals.
template <class T>
DALIB_HD jet<T> max(const jet<T>& a, const jet<T>& b) {
  return select(a.value < b.value, b, a);
}
template <class T>
DALIB_HD jet<T> min(const jet<T>& a, const jet<T>& b) {
  return select(b.value < a.value, b, a);
}

/// The same; the other where one is NaN.
template <class T>
DALIB_HD jet<T> fmax(const jet<T>& a, const jet<T>& b) {
  return select(a.value < b.value || a.value != a.value, b, a);
}
template <class T>
DALIB_HD jet<T> fmin(const jet<T>& a, const jet<T>& b) {
  return select(b.value < a.value || a.value != a.value, b, a);
}

template <class T>
DALIB_HD jet<T> atan2(const jet<T>& y, const jet<T>& x) {
  using std::atan2;
  return {atan2(y.value, x.value), (x.value * y.slope - y.value * x.slope) / (x.value * x.value + y.value * y.value)};
}

/// Slope 0 at the origin.
template <class T>
DALIB_HD jet<T> hypot(const jet<T>& a, const jet<T>& b) {
  using std::hypot;
  const T length = hypot(a.value, b.value), divisor = select(length == T(0), T(1), length);
  return {length, a.value / divisor * a.slope + b.value / divisor * b.slope};
}

/// x^p for a number p; at x = 0 too.
template <class T, number S>
DALIB_HD jet<T> pow(const jet<T>& x, S p) {
  using std::pow;
  if (p == S(0)) return {T(1), T(0)};
  const T lower = pow(x.value, T(p) - T(1)); // infinite at 0 for p < 1
  const T value = select(x.value == T(0), p > S(0) ? T(0) : lower, lower * x.value);
  return {value, T(p) * lower * x.slope};
}

/// x^y. Where y has no slope log x does not count, and where the power is 0 neither.
template <class T>
DALIB_HD jet<T> pow(const jet<T>& x, const jet<T>& y) {
  using std::log, std::pow;
  const T value = pow(x.value, y.value);
  const T by_exponent = select(value == T(0) || y.slope == T(0), T(0), value * log(x.value) * y.slope);
  const T by_base = select(x.slope == T(0) || y.value == T(0), T(0), y.value * pow(x.value, y.value - T(1)) * x.slope);
  return {value, by_base + by_exponent};
}
template <class T, number S>
DALIB_HD jet<T> pow(S x, const jet<T>& y) {
  return pow(jet<T>{T(x), T(0)}, y);
}

#define DALIB_JET_AND_NUMBER(name)                                                                                                         \
  template <class T, number S>                                                                                                             \
  DALIB_HD jet<T> name(const jet<T>& a, S b) {                                                                                             \
    return name(a, jet<T>{T(b), T(0)});                                                                                                    \
  }                                                                                                                                        \
  template <class T, number S>                                                                                                             \
  DALIB_HD jet<T> name(S a, const jet<T>& b) {                                                                                             \
    return name(jet<T>{T(a), T(0)}, b);                                                                                                    \
  }
DALIB_JET_AND_NUMBER(max)
DALIB_JET_AND_NUMBER(min)
DALIB_JET_AND_NUMBER(fmax)
DALIB_JET_AND_NUMBER(fmin)
DALIB_JET_AND_NUMBER(atan2)
DALIB_JET_AND_NUMBER(hypot)
#undef DALIB_JET_AND_NUMBER

} // namespace dalib
