/// @file
/// Registers of any number of lanes, read from memory and written to it.
#pragma once

#include "dalib/core/matrix_view.hpp"
#include "dalib/simd/vector_math.hpp"

#include <cstring>

namespace dalib {

/// The register at any address; all its lanes are read.
///
/// @code{.cpp}
/// const float from[4] = {1, 2, 3, 4};
/// float to[4] = {};
/// const simd_vector<float, 4> twice = 2.f * load_vector<4>(from);
/// store_first<4>(twice, 3, to);
/// assert(to[0] == 2 && to[2] == 6 && to[3] == 0);
/// store_vector<4>(twice, to);
/// assert(to[3] == 8);
/// @endcode
template <int Lanes, class T>
[[gnu::always_inline]] inline simd_vector<T, Lanes> load_vector(const T* from) {
  simd_vector<T, Lanes> result;
  std::memcpy(&result, from, sizeof(result));
  return result;
}

template <int Lanes, class T>
[[gnu::always_inline]] inline void store_vector(const simd_vector<T, Lanes>& value, T* to) {
  std::memcpy(to, &value, sizeof(value));
}

/// Writes the first `count` lanes alone.
template <int Lanes, class T>
[[gnu::always_inline]] inline void store_first(const simd_vector<T, Lanes>& value, index_t count, T* to) {
  for (index_t i = 0; i < count; ++i) to[i] = value[i];
}

} // namespace dalib
