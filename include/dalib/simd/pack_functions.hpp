/// @file
/// Mathematical functions of packs beyond those in pack.hpp. Accurate to a few roundings, like the standard library's; `vector` ones cost a
/// few exponentials for a whole register, the others call the standard library lane by lane.
#pragma once

#include "dalib/simd/pack.hpp"

#include <cmath>

namespace dalib {

/// log(1 + x) without cancellation near 0: the rounding of 1 + x is divided out again. Vector.
template <class T>
DALIB_HD pack<T> log1p(const pack<T>& x) {
  pack<T> sum = pack<T>(1) + x;
  keep_as_written(sum.lanes);
  const pack<T> added = sum - pack<T>(1); // not 0 where it is used; x itself for large x, also if that is infinite
  return select(sum == pack<T>(1), x, log(sum) * select(added == x, pack<T>(1), x / added));
}

/// Vector: from e^(-2 |x|) - 1, so that no digit is lost near 0.
template <class T>
DALIB_HD pack<T> tanh(const pack<T>& x) {
  const pack<T> e = expm1(pack<T>(-2) * abs(x));
  const pack<T> size = -e / (pack<T>(2) + e);
  return select(x < pack<T>(0), -size, size);
}

/// Vector.
template <class T>
DALIB_HD pack<T> fabs(const pack<T>& x) {
  return abs(x);
}

/// Vector; the other number where one is NaN.
template <class T>
DALIB_HD pack<T> fmax(const pack<T>& a, const pack<T>& b) {
  return select(a < b || a != a, b, a);
}
template <class T>
DALIB_HD pack<T> fmin(const pack<T>& a, const pack<T>& b) {
  return select(b < a || a != a, b, a);
}

#define DALIB_BY_LANES(name)                                                                                                               \
  template <class T>                                                                                                                       \
  DALIB_HD pack<T> name(const pack<T>& x) {                                                                                                \
    pack<T> result = x;                                                                                                                    \
    for (int lane = 0; lane < pack<T>::size; ++lane) result.lanes[lane] = std::name(x.lanes[lane]);                                        \
    return result;                                                                                                                         \
  }
DALIB_BY_LANES(tan)
DALIB_BY_LANES(asin)
DALIB_BY_LANES(acos)
DALIB_BY_LANES(atan)
DALIB_BY_LANES(sinh)
DALIB_BY_LANES(cosh)
DALIB_BY_LANES(erf)
DALIB_BY_LANES(erfc)
DALIB_BY_LANES(cbrt)
DALIB_BY_LANES(exp2)
DALIB_BY_LANES(log2)
DALIB_BY_LANES(log10)
DALIB_BY_LANES(floor)
DALIB_BY_LANES(ceil)
#undef DALIB_BY_LANES

#define DALIB_BY_PAIRS_OF_LANES(name)                                                                                                      \
  template <class T>                                                                                                                       \
  DALIB_HD pack<T> name(const pack<T>& a, const pack<T>& b) {                                                                              \
    pack<T> result = a;                                                                                                                    \
    for (int lane = 0; lane < pack<T>::size; ++lane) result.lanes[lane] = std::name(a.lanes[lane], b.lanes[lane]);                         \
    return result;                                                                                                                         \
  }
DALIB_BY_PAIRS_OF_LANES(atan2)
DALIB_BY_PAIRS_OF_LANES(hypot)
#undef DALIB_BY_PAIRS_OF_LANES

DALIB_PACK_AND_NUMBER(atan2)
DALIB_PACK_AND_NUMBER(hypot)
DALIB_PACK_AND_NUMBER(fmax)
DALIB_PACK_AND_NUMBER(fmin)
#undef DALIB_PACK_AND_NUMBER

} // namespace dalib
