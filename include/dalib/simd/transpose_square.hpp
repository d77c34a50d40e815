/// @file
/// Squares of one register's lanes transposed through registers.
#pragma once

#include "dalib/core/matrix_view.hpp"
#include "dalib/simd/unroll.hpp"
#include "dalib/simd/vector_math.hpp"

namespace dalib {

// Eigen's packets carry an alignment attribute that template arguments drop, which does no harm here.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"

/// @internal
/// to(j, i) = from(i, j) for a square of simd_lanes<T> rows, through registers.
///
/// @param from_stride, to_stride  elements between two rows; the memory may not overlap
template <class T>
[[gnu::always_inline]] inline void transpose_square(const T* from, index_t from_stride, T* to, index_t to_stride) {
  constexpr int width = simd_lanes<T>;
  using packet = typename Eigen::internal::packet_traits<T>::type;
  if constexpr (Eigen::internal::unpacket_traits<packet>::size == width) {
    Eigen::internal::PacketBlock<packet, width> square;
    detail::unroll<width>([&](auto i) { square.packet[i] = Eigen::internal::ploadu<packet>(from + i * from_stride); });
    Eigen::internal::ptranspose(square);
    detail::unroll<width>([&](auto j) { Eigen::internal::pstoreu(to + j * to_stride, square.packet[j]); });
  } else {
    for (index_t i = 0; i < width; ++i)
      for (index_t j = 0; j < width; ++j) to[j * to_stride + i] = from[i * from_stride + j];
  }
}

#pragma GCC diagnostic pop

} // namespace dalib
