/// @file
/// The SIMD value that kernels see on the CPU.
#pragma once

#include "dalib/config.hpp"
#include "dalib/simd/mask.hpp"
#include "dalib/simd/number.hpp"
#include "dalib/simd/vector_math.hpp"

#include <cmath>
#include <concepts>
#include <cstring>
#include <type_traits>

namespace dalib {

// g++'s false alarms of what Eigen's registers hold; see eigen_core.hpp.
#if defined(__GNUC__) && !defined(__clang__)
#  pragma GCC diagnostic push
#  pragma GCC diagnostic ignored "-Wuninitialized"
#  pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

/// One register of numbers on which arithmetic acts elementwise; what the CPU engines pass to a kernel's `operator()(T s)`.
///
/// It can be made from one scalar (`T(1)` is a pack of ones) and mixes with plain numbers of any arithmetic type. Comparisons give a mask,
/// `select(mask, yes, no)` chooses by it. exp, log, sqrt, pow, abs, max and min are here, the other functions in pack_functions.hpp; all
/// are found by argument-dependent lookup (include/dalib/extending.md has a table). It holds a compiler vector and not an Eigen array: g++
/// keeps small arrays on the stack between operations, which made the kernels of a tile three times slower.
///
/// @code{.cpp}
/// const pack<float> x = 2; // the same number in all lanes
/// float lanes[pack<float>::size];
/// (0.5f * exp(x)).store(lanes);
/// assert(std::abs(lanes[0] - std::exp(2.f) / 2) < 1e-5f);
/// assert((x * x).sum() == 4 * pack<float>::size && select(x < 3, x, 0).smallest() == 2);
/// @endcode
template <class T>
struct pack {
  using value_type = T;
  using vector = simd_vector<T>;
  static constexpr int size = simd_lanes<T>;

  vector lanes;

  pack() = default;
  template <number S>
  DALIB_HD pack(S scalar) : lanes(static_cast<T>(scalar) - vector{}) {}
  DALIB_HD explicit pack(const vector& values) : lanes(values) {}

  DALIB_HD static pack load(const T* from) {
    pack result;
    std::memcpy(&result.lanes, from, sizeof(vector));
    return result;
  }
  DALIB_HD void store(T* to) const { std::memcpy(to, &lanes, sizeof(vector)); }

  /// Sum of the lanes.
  T sum() const { return array_of(*this).sum(); }

  /// For every lane, as the function of numbers in core/strict.hpp.
  friend DALIB_HD pack as_written(pack value) {
#if defined(__ASSOCIATIVE_MATH__) || defined(__FAST_MATH__)
    keep_as_written(value.lanes);
#endif
    return value;
  }

  /// Smallest of the lanes.
  T smallest() const { return array_of(*this).minCoeff(); }

  friend DALIB_HD pack operator+(const pack& a, const pack& b) { return pack(a.lanes + b.lanes); }
  friend DALIB_HD pack operator-(const pack& a, const pack& b) { return pack(a.lanes - b.lanes); }
  friend DALIB_HD pack operator*(const pack& a, const pack& b) { return pack(a.lanes * b.lanes); }
  friend DALIB_HD pack operator/(const pack& a, const pack& b) { return pack(a.lanes / b.lanes); }
  friend DALIB_HD pack operator-(const pack& a) { return pack(-a.lanes); }
  friend DALIB_HD pack operator+(const pack& a) { return a; }
  DALIB_HD pack& operator+=(const pack& b) { return *this = *this + b; }
  DALIB_HD pack& operator-=(const pack& b) { return *this = *this - b; }
  DALIB_HD pack& operator*=(const pack& b) { return *this = *this * b; }
  DALIB_HD pack& operator/=(const pack& b) { return *this = *this / b; }

  friend DALIB_HD mask<T> operator<(const pack& a, const pack& b) { return {a.lanes < b.lanes}; }
  friend DALIB_HD mask<T> operator>(const pack& a, const pack& b) { return {a.lanes > b.lanes}; }
  friend DALIB_HD mask<T> operator<=(const pack& a, const pack& b) { return {a.lanes <= b.lanes}; }
  friend DALIB_HD mask<T> operator>=(const pack& a, const pack& b) { return {a.lanes >= b.lanes}; }
  friend DALIB_HD mask<T> operator==(const pack& a, const pack& b) { return {a.lanes == b.lanes}; }
  friend DALIB_HD mask<T> operator!=(const pack& a, const pack& b) { return {a.lanes != b.lanes}; }
  friend DALIB_HD pack select(const mask<T>& condition, const pack& yes, const pack& no) {
    return pack(condition.lanes ? yes.lanes : no.lanes);
  }

  /// Inlined in any case: a call in a loop over classes spills every register of it.
  [[gnu::always_inline]] friend inline DALIB_HD pack exp(const pack& a) { return pack(vector_exp<T>(a.lanes)); }
  friend DALIB_HD pack expm1(const pack& a) { return pack(vector_expm1<T>(a.lanes)); }
  friend DALIB_HD pack abs(const pack& a) { return pack(a.lanes < vector{} ? -a.lanes : a.lanes); }
  friend DALIB_HD pack max(const pack& a, const pack& b) { return pack(a.lanes < b.lanes ? b.lanes : a.lanes); }
  friend DALIB_HD pack min(const pack& a, const pack& b) { return pack(b.lanes < a.lanes ? b.lanes : a.lanes); }
  friend DALIB_HD pack sqrt(const pack& a) { return a.by_array(array_sqrt{}); }
  friend DALIB_HD pack log(const pack& a) { return a.by_array(array_log{}); }
  friend DALIB_HD pack sin(const pack& a) { return a.by_array(array_sin{}); }
  friend DALIB_HD pack cos(const pack& a) { return a.by_array(array_cos{}); }
  friend DALIB_HD pack pow(const pack& a, const pack& b) { return a.by_array(array_power{b}); }

  template <std::same_as<double> S>
  DALIB_HD operator S() const {
    return detail::refuse_plain_number<pack>();
  }

private:
  using array = Eigen::Array<T, size, 1>;

  static array array_of(const pack& a) {
    array values;
    std::memcpy(values.data(), &a.lanes, sizeof(vector));
    return values;
  }
  // Functions that Eigen has and the compiler's vectors lack. They are types and no lambdas, which in a function that nvcc holds valid on
  // the GPU would be so too.
  struct array_sqrt {
    array operator()(const array& x) const { return x.sqrt(); }
  };
  struct array_log {
    array operator()(const array& x) const { return x.log(); }
  };
  struct array_sin {
    array operator()(const array& x) const { return x.sin(); }
  };
  struct array_cos {
    array operator()(const array& x) const { return x.cos(); }
  };
  struct array_power {
    const pack& exponent;
    array operator()(const array& x) const { return x.pow(array_of(exponent)); }
  };

#if defined(__CUDACC__)
#  pragma nv_exec_check_disable // with a pack this runs on the host alone
#endif
  template <class F>
  DALIB_HD pack by_array(const F& f) const {
#if defined(__CUDA_ARCH__)
    return *this;
#else
    const array values = f(array_of(*this));
    return load(values.data());
#endif
  }
};

#if defined(__GNUC__) && !defined(__clang__)
#  pragma GCC diagnostic pop
#endif

// Exact fits for a plain number on one side: a conversion to a pack would be as good as the pretended one of the pack to double.
#define DALIB_PACK_AND_NUMBER(name)                                                                                                        \
  template <class T, number S>                                                                                                             \
  DALIB_HD auto name(const pack<T>& a, S b) {                                                                                              \
    return name(a, pack<T>(b));                                                                                                            \
  }                                                                                                                                        \
  template <class T, number S>                                                                                                             \
  DALIB_HD auto name(S a, const pack<T>& b) {                                                                                              \
    return name(pack<T>(a), b);                                                                                                            \
  }
DALIB_PACK_AND_NUMBER(operator+)
DALIB_PACK_AND_NUMBER(operator-)
DALIB_PACK_AND_NUMBER(operator*)
DALIB_PACK_AND_NUMBER(operator/)
DALIB_PACK_AND_NUMBER(operator<)
DALIB_PACK_AND_NUMBER(operator>)
DALIB_PACK_AND_NUMBER(operator<=)
DALIB_PACK_AND_NUMBER(operator>=)
DALIB_PACK_AND_NUMBER(operator==)
DALIB_PACK_AND_NUMBER(operator!=)
DALIB_PACK_AND_NUMBER(max)
DALIB_PACK_AND_NUMBER(min)
DALIB_PACK_AND_NUMBER(pow)

/// A choice between two plain numbers, lane by lane.
template <class T, number A, number B>
DALIB_HD pack<T> select(const mask<T>& condition, A yes, B no) {
  return select(condition, pack<T>(yes), pack<T>(no));
}

/// `value` where `gate` is not zero, 0 elsewhere, whatever `value` is there (also inf or NaN).
template <class T>
DALIB_HD pack<T> where_nonzero(const pack<T>& gate, const pack<T>& value) {
  const simd_vector<T> zero{};
  simd_vector<T> chosen = value.lanes; // gate != 0 ? gate * slope : 0 is gate * slope to -ffinite-math-only
  keep_as_written(chosen);
  return pack<T>(gate.lanes != zero ? chosen : zero);
}

/// The same for a scalar.
template <class T>
requires std::is_arithmetic_v<T> DALIB_HD T where_nonzero(T gate, T value) {
  keep_as_written(value);
  return gate != T(0) ? value : T(0);
}

/// Larger of two scalars; with the pack's own max, `maximum` serves both.
template <class T>
DALIB_HD T maximum(const T& a, const T& b) {
  if constexpr (std::is_arithmetic_v<T>)
    return a < b ? b : a;
  else
    return max(a, b);
}

} // namespace dalib
