/// @file
/// Squares of one register's lanes transposed through registers.
#pragma once

#include "dalib/core/matrix_view.hpp"
#include "dalib/simd/unroll.hpp"
#include "dalib/simd/vector_math.hpp"
#include "dalib/simd/vector_memory.hpp"

#include <cstring>
#include <type_traits>

#if defined(__AVX512F__) && !defined(__CUDA_ARCH__)
#  include <immintrin.h>
#endif

namespace dalib {

// Eigen's packets carry an alignment attribute that template arguments drop, which does no harm here.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"

namespace detail {

#if defined(__AVX512F__) && !defined(__CUDA_ARCH__)
/// 16 x 16 in 64 shuffles of whole registers; Eigen's takes registers apart and puts them together again.
[[gnu::always_inline]] inline void transpose_square_of_floats(simd_vector<float> (&rows)[16]) {
  __m512 pairs[16], quads[16];
  unroll<8>([&](auto i) {
    const __m512 even = rows[2 * i], odd = rows[2 * i + 1];
    pairs[2 * i] = _mm512_unpacklo_ps(even, odd);
    pairs[2 * i + 1] = _mm512_unpackhi_ps(even, odd);
  });
  // quads[4 i + j]: column 4 q + j of rows 4 i .. 4 i + 3 is its quarter q
  unroll<4>([&](auto i) {
    const auto pair = [&](int which) { return _mm512_castps_pd(pairs[4 * i + which]); };
    quads[4 * i] = _mm512_castpd_ps(_mm512_unpacklo_pd(pair(0), pair(2)));
    quads[4 * i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(pair(0), pair(2)));
    quads[4 * i + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(pair(1), pair(3)));
    quads[4 * i + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(pair(1), pair(3)));
  });
  unroll<4>([&](auto j) {
    const __m512 low = _mm512_shuffle_f32x4(quads[j], quads[4 + j], 0x88), high = _mm512_shuffle_f32x4(quads[j], quads[4 + j], 0xdd);
    const __m512 low_below = _mm512_shuffle_f32x4(quads[8 + j], quads[12 + j], 0x88);
    const __m512 high_below = _mm512_shuffle_f32x4(quads[8 + j], quads[12 + j], 0xdd);
    rows[j] = _mm512_shuffle_f32x4(low, low_below, 0x88);
    rows[4 + j] = _mm512_shuffle_f32x4(high, high_below, 0x88);
    rows[8 + j] = _mm512_shuffle_f32x4(low, low_below, 0xdd);
    rows[12 + j] = _mm512_shuffle_f32x4(high, high_below, 0xdd);
  });
}
#endif

} // namespace detail

/// @internal
/// Transposes a square that lies in registers, one for each of its simd_lanes<T> rows.
template <class T>
[[gnu::always_inline]] inline void transpose_registers(simd_vector<T> (&rows)[simd_lanes<T>]) {
  constexpr int width = simd_lanes<T>;
  using packet = typename Eigen::internal::packet_traits<T>::type;
#if defined(__AVX512F__) && !defined(__CUDA_ARCH__)
  if constexpr (std::is_same_v<T, float>) return detail::transpose_square_of_floats(rows);
#endif
  if constexpr (Eigen::internal::unpacket_traits<packet>::size == width) {
    Eigen::internal::PacketBlock<packet, width> square;
    detail::unroll<width>([&](auto i) { std::memcpy(&square.packet[i], &rows[i], sizeof(rows[i])); });
    Eigen::internal::ptranspose(square);
    detail::unroll<width>([&](auto j) { std::memcpy(&rows[j], &square.packet[j], sizeof(rows[j])); });
  } else {
    simd_vector<T> columns[width];
    for (int i = 0; i < width; ++i)
      for (int j = 0; j < width; ++j) columns[j][i] = rows[i][j];
    std::memcpy(rows, columns, sizeof(columns));
  }
}

/// @internal
/// to(j, i) = from(i, j) for a square of simd_lanes<T> rows, through registers.
///
/// @param from_stride, to_stride  elements between two rows; the memory may not overlap
template <class T>
[[gnu::always_inline]] inline void transpose_square(const T* from, index_t from_stride, T* to, index_t to_stride) {
  constexpr int width = simd_lanes<T>;
  simd_vector<T> square[width];
  detail::unroll<width>([&](auto i) { square[i] = load_vector<width>(from + i * from_stride); });
  transpose_registers<T>(square);
  detail::unroll<width>([&](auto j) { store_vector<width>(square[j], to + j * to_stride); });
}

#pragma GCC diagnostic pop

} // namespace dalib
