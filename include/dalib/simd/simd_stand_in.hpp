/// @file
/// What stands for a register of the CPU while nvcc reads the code for the GPU.
#pragma once

#include "dalib/config.hpp"

namespace dalib::detail {

/// nvcc compiles every file twice. Its pass for the GPU refuses compiler vectors in functions that are valid on both sides, although with a
/// register of the CPU they only ever run on the host, which the other pass compiles. This type has the vector's size and its operators,
/// and does nothing.
template <class T, int Lanes>
struct alignas(Lanes * sizeof(T)) simd_stand_in {
  T values[Lanes];

  /// Of a comparison: selects as a scalar would.
  struct mask {
    DALIB_HD explicit operator bool() const { return false; }
    DALIB_HD bool operator[](int) const { return false; }
    DALIB_HD mask operator&(const mask&) const { return {}; }
    DALIB_HD mask operator|(const mask&) const { return {}; }
    DALIB_HD mask operator~() const { return {}; }
  };
  DALIB_HD T& operator[](int lane) { return values[lane]; }
  DALIB_HD const T& operator[](int lane) const { return values[lane]; }

#define DALIB_STAND_IN(op)                                                                                                                 \
  friend DALIB_HD simd_stand_in operator op(const simd_stand_in& a, const simd_stand_in&) { return a; }                                    \
  template <class S>                                                                                                                       \
  friend DALIB_HD simd_stand_in operator op(const simd_stand_in& a, S) {                                                                   \
    return a;                                                                                                                              \
  }                                                                                                                                        \
  template <class S>                                                                                                                       \
  friend DALIB_HD simd_stand_in operator op(S, const simd_stand_in& b) {                                                                   \
    return b;                                                                                                                              \
  }
  DALIB_STAND_IN(+)
  DALIB_STAND_IN(-)
  DALIB_STAND_IN(*)
  DALIB_STAND_IN(/)
#undef DALIB_STAND_IN
  friend DALIB_HD simd_stand_in operator-(const simd_stand_in& a) { return a; }
  friend DALIB_HD simd_stand_in operator<<(const simd_stand_in& a, int) { return a; }
  template <class S>
  DALIB_HD simd_stand_in& operator+=(const S&) {
    return *this;
  }
  friend DALIB_HD mask operator<(const simd_stand_in&, const simd_stand_in&) { return {}; }
  friend DALIB_HD mask operator>(const simd_stand_in&, const simd_stand_in&) { return {}; }
  friend DALIB_HD mask operator<=(const simd_stand_in&, const simd_stand_in&) { return {}; }
  friend DALIB_HD mask operator>=(const simd_stand_in&, const simd_stand_in&) { return {}; }
  friend DALIB_HD mask operator==(const simd_stand_in&, const simd_stand_in&) { return {}; }
  friend DALIB_HD mask operator!=(const simd_stand_in&, const simd_stand_in&) { return {}; }
};

} // namespace dalib::detail
