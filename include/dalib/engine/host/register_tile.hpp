/// @file
/// The one inner loop of every matrix product in the library.
#pragma once

#include "dalib/core/matrix_view.hpp"
#include "dalib/simd/unroll.hpp"
#include "dalib/simd/vector_math.hpp"

#include <cstring>

namespace dalib::engine {

/// Register tile: `tile_columns` broadcast scalars by up to `tile_vectors` registers of lanes. With 32 registers 8 x 2 sums keep the FMA
/// units busy, and two registers of lanes by 192 to 256 rows stay in a first-level cache of 32 KiB, which three do not; with 16 registers 4
/// x 3 is what fits.
#if defined(__AVX512F__)
inline constexpr int most_tile_columns = 8;
inline constexpr int tile_vectors = 2;
#else
inline constexpr int most_tile_columns = 4;
inline constexpr int tile_vectors = 3;
#endif
template <class T>
inline constexpr int tile_columns = most_tile_columns < simd_lanes<T> ? most_tile_columns : simd_lanes<T>;

/// Strided operand of broadcast scalars: element (column, k) is data[column * column_stride + k * depth_stride].
template <class T>
struct broadcast_operand {
  const T* data;
  index_t column_stride;
  index_t depth_stride;
};

/// Operand of registers, whole ones unless said otherwise: register v at depth k starts at data[k * depth_stride + v * vector_stride].
template <class T, int Lanes = simd_lanes<T>>
struct lane_operand {
  const T* data;
  index_t depth_stride;
  index_t vector_stride;
};

/// Where a tile of sums goes: register v of column c is written at, or added to, data[c * column_stride + v * Lanes].
template <class T, int Lanes = simd_lanes<T>>
struct result_tile {
  T* data;
  index_t column_stride;
  bool accumulate = false;

  [[gnu::always_inline]] void prefetch(int column, int lane) const {
    if (accumulate) __builtin_prefetch(data + column * column_stride + lane, 1);
  }

  [[gnu::always_inline]] void put(int column, int lane, simd_vector<T, Lanes> sum) const {
    T* to = data + column * column_stride + lane;
    if (accumulate) {
      simd_vector<T, Lanes> before;
      std::memcpy(&before, to, sizeof(before));
      sum += before;
    }
    std::memcpy(to, &sum, sizeof(sum));
  }
};

/// acc + a * b, the term of an inner product.
struct multiply_add {
  template <class V, class T>
  [[gnu::always_inline]] static void apply(V& acc, const V& a, T b) {
    acc += a * b;
  }
};

/// result.put(c, v * Lanes, sum_k op(lanes(k, v), scalars(c, k))) over `depth` terms, for tile_columns<T> columns c and `Vectors` registers
/// v.
/// @tparam Result  where the sums go: a result_tile, or another type with its `put` and `prefetch`; if it has `begin(c, lane, sum)`, that
///                 says what the sums start from
/// The operands are references: copies on the stack would be read in wider pieces than they were written in, for which a processor waits
/// until all earlier stores are done.
template <int Vectors, class Op, class T, int Lanes, class Result>
inline void micro_tile(index_t depth, const lane_operand<T, Lanes>& lanes_at, const broadcast_operand<T>& scalars_at,
                       const Result& result) {
  const lane_operand<T, Lanes> lanes = lanes_at;
  const broadcast_operand<T> scalars = scalars_at;
  using vector = simd_vector<T, Lanes>;
  constexpr int columns = tile_columns<T>;
  vector sums[columns][Vectors] = {};
  if constexpr (requires { result.begin(0, 0, sums[0][0]); })
    dalib::detail::unroll<columns>(
        [&](auto c) { dalib::detail::unroll<Vectors>([&](auto v) { result.begin(c, v * Lanes, sums[c][v]); }); });
  const auto add_terms = [&](index_t first, index_t last) __attribute__((always_inline)) {
    for (index_t k = first; k < last; ++k) {
      vector a[Vectors];
      dalib::detail::unroll<Vectors>(
          [&](auto v) { std::memcpy(&a[v], lanes.data + k * lanes.depth_stride + v * lanes.vector_stride, sizeof(vector)); });
      const T* b = scalars.data + k * scalars.depth_stride;
      dalib::detail::unroll<columns>([&](auto c) {
        const T scalar = b[c * scalars.column_stride];
        dalib::detail::unroll<Vectors>([&](auto v) { Op::apply(sums[c][v], a[v], scalar); });
      });
    }
  };
  // What the result is added to arrives from the outer caches while the sums are made: line by line, since a burst would hold up the lanes.
  constexpr index_t steps = 4;
  index_t k = 0;
  for (int line = 0; line < columns * Vectors && k + steps <= depth; ++line, k += steps) {
    result.prefetch(line / Vectors, line % Vectors * Lanes);
    add_terms(k, k + steps);
  }
  add_terms(k, depth);
  dalib::detail::unroll<columns>([&](auto c) { dalib::detail::unroll<Vectors>([&](auto v) { result.put(c, v * Lanes, sums[c][v]); }); });
}

/// The same for `vectors` registers in 1..tile_vectors, chosen at run time.
template <class Op, class T, class Result>
[[gnu::always_inline]] inline void micro_tile(int vectors, index_t depth, const lane_operand<T>& lanes, const broadcast_operand<T>& scalars,
                                              const Result& result) {
  if (vectors >= tile_vectors)
    micro_tile<tile_vectors, Op>(depth, lanes, scalars, result);
  else if (vectors == 2)
    micro_tile<2, Op>(depth, lanes, scalars, result);
  else
    micro_tile<1, Op>(depth, lanes, scalars, result);
}

} // namespace dalib::engine
