/// @file
/// The SIMD value that kernels see on the CPU.
#pragma once

#include "dalib/config.hpp"

#include <Eigen/Core>

#include <concepts>
#include <type_traits>

namespace dalib {

/// Bytes of one SIMD register that this build uses: 64 (AVX-512), 32 (AVX) or 16.
#if defined(__AVX512F__)
inline constexpr int simd_bytes = 64;
#elif defined(__AVX__)
inline constexpr int simd_bytes = 32;
#else
inline constexpr int simd_bytes = 16;
#endif

/// Lanes of one register for scalar `T`.
template <class T>
inline constexpr int simd_lanes = simd_bytes / static_cast<int>(sizeof(T));

/// `Lanes` numbers on which arithmetic acts elementwise; what the CPU engines pass to a kernel's `operator()(T s)`.
///
/// Unlike an Eigen array it can be made from one scalar (`T(1)` is a pack of ones) and mixes with plain numbers of any arithmetic type.
/// exp, log, sqrt, pow, abs, tanh, max, min and select are found by argument-dependent lookup.
template <class T, int Lanes = simd_lanes<T>>
struct pack {
  using value_type = T;
  using array = Eigen::Array<T, Lanes, 1>;
  static constexpr int size = Lanes;

  array lanes;

  pack() = default;
  template <class S>
  requires std::is_arithmetic_v<S> pack(S scalar) : lanes(array::Constant(static_cast<T>(scalar))) {}
  explicit pack(const array& values) : lanes(values) {}

  static pack load(const T* from) { return pack(array(Eigen::Map<const array>(from))); }
  void store(T* to) const { Eigen::Map<array>{to} = lanes; }

  T sum() const { return lanes.sum(); }

  friend pack operator+(const pack& a, const pack& b) { return pack(array(a.lanes + b.lanes)); }
  friend pack operator-(const pack& a, const pack& b) { return pack(array(a.lanes - b.lanes)); }
  friend pack operator*(const pack& a, const pack& b) { return pack(array(a.lanes * b.lanes)); }
  friend pack operator/(const pack& a, const pack& b) { return pack(array(a.lanes / b.lanes)); }
  friend pack operator-(const pack& a) { return pack(array(-a.lanes)); }
  pack& operator+=(const pack& b) { return *this = *this + b; }
  pack& operator-=(const pack& b) { return *this = *this - b; }
  pack& operator*=(const pack& b) { return *this = *this * b; }

  friend pack exp(const pack& a) { return pack(array(a.lanes.exp())); }
  friend pack log(const pack& a) { return pack(array(a.lanes.log())); }
  friend pack sqrt(const pack& a) { return pack(array(a.lanes.sqrt())); }
  friend pack abs(const pack& a) { return pack(array(a.lanes.abs())); }
  friend pack tanh(const pack& a) { return pack(array(a.lanes.tanh())); }
  friend pack pow(const pack& a, const pack& b) { return pack(array(a.lanes.pow(b.lanes))); }
  friend pack max(const pack& a, const pack& b) { return pack(array(a.lanes.max(b.lanes))); }
  friend pack min(const pack& a, const pack& b) { return pack(array(a.lanes.min(b.lanes))); }
};

/// `value` where `gate` is not zero, 0 elsewhere, whatever `value` is there (also inf or NaN).
template <class T, int Lanes>
pack<T, Lanes> where_nonzero(const pack<T, Lanes>& gate, const pack<T, Lanes>& value) {
  using array = typename pack<T, Lanes>::array;
  return pack<T, Lanes>(array((gate.lanes != T(0)).select(value.lanes, array::Zero())));
}

/// The same for a scalar.
template <class T>
requires std::is_arithmetic_v<T> DALIB_HD T where_nonzero(T gate, T value) { return gate != T(0) ? value : T(0); }

/// Larger of two scalars; with the pack's own max, `maximum` serves both.
template <class T>
DALIB_HD T maximum(const T& a, const T& b) {
  if constexpr (std::is_arithmetic_v<T>)
    return a < b ? b : a;
  else
    return max(a, b);
}

} // namespace dalib
