/// @file
/// What comparing two packs gives.
#pragma once

#include "dalib/simd/number.hpp"
#include "dalib/simd/vector_math.hpp"

namespace dalib {

/// One truth for each lane of a pack<T>: `select(a < b, yes, no)` chooses by it. It is no bool: `if (a < b)` has no answer that serves all
/// lanes, and is refused with a sentence.
///
/// @code{.cpp}
/// const pack<float> x = pack<float>(-2), size = select(x < 0, -x, x);
/// const mask<float> positive = x > 0 && x < 10;
/// assert(size.sum() == 2 * pack<float>::size && !any(positive) && all(!positive));
/// @endcode
template <class T>
struct mask {
  using vector = decltype(simd_vector<T>{} < simd_vector<T>{});
  vector lanes;

  friend DALIB_HD mask operator&&(const mask& a, const mask& b) { return {a.lanes & b.lanes}; }
  friend DALIB_HD mask operator||(const mask& a, const mask& b) { return {a.lanes | b.lanes}; }
  friend DALIB_HD mask operator&(const mask& a, const mask& b) { return {a.lanes & b.lanes}; }
  friend DALIB_HD mask operator|(const mask& a, const mask& b) { return {a.lanes | b.lanes}; }
  friend DALIB_HD mask operator!(const mask& a) { return {~a.lanes}; }

  /// Whether it holds in some lane, or in all.
  friend DALIB_HD bool any(const mask& a) {
    bool found = false;
    for (int lane = 0; lane < simd_lanes<T>; ++lane) found = found || a.lanes[lane];
    return found;
  }
  friend DALIB_HD bool all(const mask& a) { return !any(!a); }

  template <std::same_as<bool> B>
  DALIB_HD explicit operator B() const {
    static_assert(detail::never<mask>, "dalib: a comparison of packs has an answer for each lane: write select(a < b, yes, no) and not "
                                       "a < b ? yes : no; any(a < b) and all(a < b) are single answers (include/dalib/extending.md)");
    return false;
  }
};

} // namespace dalib
