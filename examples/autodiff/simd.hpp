#pragma once
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "tensor.hpp"

namespace dalib::ad::simd {

#if defined(__AVX512F__)
inline constexpr int native_bytes = 64;
inline constexpr int registers = 32;
#elif defined(__AVX__)
inline constexpr int native_bytes = 32;
inline constexpr int registers = 16;
#else
inline constexpr int native_bytes = 16;
inline constexpr int registers = 16;
#endif

/// A register of `Lanes` scalars; arithmetic and comparisons act on all lanes (compiler vector extension of g++ and clang).
template <class Scalar, int Lanes>
struct vector_of {
  typedef Scalar type __attribute__((vector_size(Lanes * sizeof(Scalar))));
};
template <class Scalar, int Lanes>
using vector = typename vector_of<Scalar, Lanes>::type;

/// Signed integer as wide as the scalar, so that one comparison selects numbers and integers alike.
template <class Scalar>
using lane_index = std::conditional_t<sizeof(Scalar) == 4, std::int32_t, std::int64_t>;

/// Lanes of the machine's widest register.
template <class Scalar>
inline constexpr int native_lanes = native_bytes / static_cast<int>(sizeof(Scalar));

template <int Lanes, class Scalar>
vector<Scalar, Lanes> load(const Scalar* from) {
  vector<Scalar, Lanes> result;
  std::memcpy(&result, from, sizeof(result));
  return result;
}

template <int Lanes, class Scalar>
void store(Scalar* to, const vector<Scalar, Lanes>& value) {
  std::memcpy(to, &value, sizeof(value));
}

/// Stores the first `count` lanes.
template <int Lanes, class Scalar>
void store_first(Scalar* to, const vector<Scalar, Lanes>& value, index_t count) {
  for (index_t i = 0; i < count; ++i) to[i] = value[i];
}

} // namespace dalib::ad::simd
