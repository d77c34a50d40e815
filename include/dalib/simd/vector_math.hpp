/// @file
/// Registers of the CPU as compiler vectors, and the exponential on them.
#pragma once

#include "dalib/config.hpp"
#if defined(__CUDA_ARCH__)
#  include "dalib/simd/simd_stand_in.hpp"
#endif
#include "dalib/core/eigen_core.hpp"
#include "dalib/core/strict.hpp"

#include <cstdint>
#include <cstring>
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

/// How many of them a loop may hold.
#if defined(__AVX512F__)
inline constexpr int simd_registers = 32;
#else
inline constexpr int simd_registers = 16;
#endif

/// Lanes of one register for scalar `T`.
template <class T>
inline constexpr int simd_lanes = simd_bytes / static_cast<int>(sizeof(T));

/// Lanes of the narrowest register: 16 bytes.
template <class T>
inline constexpr int fewest_lanes = 16 / static_cast<int>(sizeof(T));

namespace detail {
#if defined(__CUDA_ARCH__)
template <class T, int Bytes>
struct compiler_vector {
  using type = simd_stand_in<T, Bytes / static_cast<int>(sizeof(T))>;
};
#else
template <class T, int Bytes>
struct compiler_vector {
  typedef T type __attribute__((vector_size(Bytes)));
};
#endif

template <class T, int Lanes>
struct simd_register : compiler_vector<T, Lanes * static_cast<int>(sizeof(T))> {};

/// Constants of exp for one floating type. ln 2 is split so that n * high is exact for every exponent n.
template <class T>
struct exp_constants;
template <>
struct exp_constants<float> {
  using integer = std::int32_t;
  static constexpr int mantissa_bits = 23;
  static constexpr float lowest = -87.0f, highest = 88.0f;
  static constexpr float ln2_high = 0.693359375f, ln2_low = -2.12194440e-4f;
  static constexpr float round_magic = 12582912.0f; // 1.5 * 2^23: adding it leaves the rounded integer in the low bits
  static constexpr int degree = 7;
};
template <>
struct exp_constants<double> {
  using integer = std::int64_t;
  static constexpr int mantissa_bits = 52;
  static constexpr double lowest = -708.0, highest = 709.0;
  static constexpr double ln2_high = 0.693145751953125, ln2_low = 1.42860682030941723212e-6;
  static constexpr double round_magic = 6755399441055744.0; // 1.5 * 2^52
  static constexpr int degree = 13;
};

/// Twice as many numbers in double, lane by lane: where sums of a register over many columns are kept.
template <class T>
struct wide_register : compiler_vector<double, simd_bytes / static_cast<int>(sizeof(T)) * static_cast<int>(sizeof(double))> {};

template <class T>
DALIB_HD constexpr T inverse_factorial(int k) {
  double product = 1;
  for (int i = 2; i <= k; ++i) product *= i;
  return static_cast<T>(1 / product);
}
} // namespace detail

/// A register of `T`; of the widest kind unless a narrower one is asked for by its number of lanes.
template <class T, int Lanes = simd_lanes<T>>
using simd_vector = typename detail::simd_register<T, Lanes>::type;

/// Signed integers as wide as `T`: what a comparison of registers of T gives, and what it can choose as well as numbers.
template <class T>
using simd_integer = typename detail::exp_constants<T>::integer;

/// sums += a register's numbers in double. Both by reference: a vector wider than the processor's registers that is returned by value
/// depends on -march, of which g++ warns (-Wpsabi) even in a function that is always inlined.
template <class T>
[[gnu::always_inline]] inline void add_widened(typename detail::wide_register<T>::type& sums, const simd_vector<T>& v) {
#if !defined(__CUDA_ARCH__)
  sums += __builtin_convertvector(v, typename detail::wide_register<T>::type);
#endif
}

namespace detail {
/// x = n ln 2 + r with |r| <= ln 2 / 2: r, and 2^n as what is added to a number's bits.
template <class T>
struct exp_reduction {
  simd_vector<T> r;
  simd_vector<typename exp_constants<T>::integer> exponent;
};

/// For x in [lowest, highest].
template <class T>
[[gnu::always_inline]] DALIB_HD inline void reduce_exponent(const simd_vector<T>& x, exp_reduction<T>& result) {
  using constants = exp_constants<T>;
  simd_vector<T> shifted = x * static_cast<T>(1.4426950408889634074) + constants::round_magic;
  keep_as_written(shifted);
  const simd_vector<T> n = shifted - constants::round_magic;
  simd_vector<T> high = x - n * constants::ln2_high;
  keep_as_written(high);
  result.r = high - n * constants::ln2_low;
  std::memcpy(&result.exponent, &shifted, sizeof(shifted));
  result.exponent = result.exponent << constants::mantissa_bits;
}

/// sum_k r^k / (k + first)! up to the degree of exp: e^r for first = 0, (e^r - 1) / r for first = 1.
template <class T>
[[gnu::always_inline]] DALIB_HD inline simd_vector<T> exp_polynomial(const simd_vector<T>& r, int first) {
  constexpr int degree = exp_constants<T>::degree;
  simd_vector<T> p = simd_vector<T>{} + inverse_factorial<T>(degree);
#if !defined(__CUDACC__) // whose front end does not know it
#  pragma GCC unroll 16
#endif
  for (int k = degree - 1; k >= first; --k) p = p * r + inverse_factorial<T>(k);
  return p;
}

/// p 2^n, n as reduce_exponent leaves it.
template <class T>
[[gnu::always_inline]] DALIB_HD inline simd_vector<T> times_power(const simd_vector<T>& p, const exp_reduction<T>& reduction) {
  simd_vector<typename exp_constants<T>::integer> value;
  std::memcpy(&value, &p, sizeof(p));
  value += reduction.exponent;
  simd_vector<T> result;
  std::memcpy(&result, &value, sizeof(result));
  return result;
}
} // namespace detail

/// e^x in every lane, relative error below 2 roundings on [-87, 88] (float) or [-708, 709] (double). Below that range the result is 0 (what
/// would be subnormal is flushed), above it is e^highest; NaN stays NaN. Reduction to |r| <= ln 2 / 2 and the Taylor polynomial.
template <class T>
[[gnu::always_inline]] DALIB_HD inline simd_vector<T> vector_exp(simd_vector<T> x) {
  using constants = detail::exp_constants<T>;
  using vector = simd_vector<T>;
  const vector zero{};
  const vector lowest = zero + constants::lowest, highest = zero + constants::highest;
  const vector clamped = x > highest ? highest : (x < lowest ? lowest : x);
  detail::exp_reduction<T> reduction;
  detail::reduce_exponent<T>(clamped, reduction);
  const vector result = detail::times_power<T>(detail::exp_polynomial<T>(reduction.r, 0), reduction);
  // Below the range clamped is lowest, hence 0; for NaN, whose payload the shift may destroy, the difference is NaN.
  return x >= lowest ? result : lowest - clamped;
}

/// e^x - 1 in every lane without cancellation near 0, error and range as of vector_exp (below the range -1): 2^n (e^r - 1) + (2^n - 1).
template <class T>
[[gnu::always_inline]] DALIB_HD inline simd_vector<T> vector_expm1(simd_vector<T> x) {
  using constants = detail::exp_constants<T>;
  using vector = simd_vector<T>;
  const vector zero{}, one = zero + T(1);
  const vector lowest = zero + constants::lowest, highest = zero + constants::highest;
  const vector clamped = x > highest ? highest : (x < lowest ? lowest : x);
  detail::exp_reduction<T> reduction;
  detail::reduce_exponent<T>(clamped, reduction);
  const vector power = detail::times_power<T>(one, reduction);
  vector small = detail::exp_polynomial<T>(reduction.r, 1) * reduction.r, whole = power - one;
  keep_as_written(small);
  keep_as_written(whole);
  const vector result = power * small + whole;
  return x >= lowest ? result : (lowest - clamped) - one;
}

} // namespace dalib
