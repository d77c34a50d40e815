/// @file
/// @internal
/// u' K w of a tile of a kernel matrix for hundreds of pairs of vectors of two values, by tables of partial sums in registers (AVX-512).
#pragma once

#include "dalib/inference/label_vectors.hpp"
#include "dalib/simd/pack.hpp"
#include "dalib/simd/unroll.hpp"

#if defined(__AVX512F__) && !defined(__CUDA_ARCH__)

#  include <immintrin.h>

#  include <algorithm>
#  include <cstring>
#  include <vector>

namespace dalib::inference::detail {

/// The labels of a block of rows: for each group of neighbouring rows, five of float and four of double, every vector's pattern. Two
/// registers hold a sum for each pattern, and one instruction looks up a register of vectors in them.
template <class T>
class shuffle_labels {
public:
  using integer = simd_integer<T>;
  static constexpr int group_rows = sizeof(T) == sizeof(float) ? 5 : 4;
  static constexpr index_t vectors_at_once = 4 * simd_lanes<T>;

  shuffle_labels() = default;
  shuffle_labels(const label_vectors& vectors, index_t first, index_t rows)
      : rows_(rows), stride_((vectors.count() + vectors_at_once - 1) / vectors_at_once * vectors_at_once),
        patterns_(static_cast<std::size_t>(groups() * stride_), integer{0}) {
    for (index_t g = 0; g < groups(); ++g) {
      const int width = static_cast<int>(std::min<index_t>(group_rows, rows - g * group_rows));
      integer* to = patterns_.data() + g * stride_;
      for (index_t v = 0; v < vectors.count(); ++v) to[v] = static_cast<integer>(vectors.bits(v, first + g * group_rows, width));
    }
  }

  index_t rows() const { return rows_; }
  index_t groups() const { return (rows_ + group_rows - 1) / group_rows; }
  index_t padded_vectors() const { return stride_; }
  /// Of each vector; those that do not exist have 0.
  const integer* patterns(index_t group) const { return patterns_.data() + group * stride_; }

private:
  index_t rows_ = 0, stride_ = 0;
  std::vector<integer> patterns_;
};

/// One worker's memory, and the sums of a tile, as label_tables has them: four rows of the tile at a time meet four registers of vectors.
/// A third faster than tables in memory: vectors are the lanes, so that sums stay in registers over all columns.
template <class T>
class label_shuffles {
  using vector = simd_vector<T>;
  using integers = simd_vector<simd_integer<T>>;
  using wide = typename dalib::detail::wide_register<T>::type;
  static constexpr int lanes = simd_lanes<T>, group_rows = shuffle_labels<T>::group_rows;
  static constexpr int rows_at_once = 4, registers = 4;
  static constexpr index_t table_size = 2 * lanes;

public:
  using labels = shuffle_labels<T>;

  explicit label_shuffles(const label_vectors& vectors)
      : count_(vectors.count()), high_(static_cast<T>(vectors.high())), low_(static_cast<T>(vectors.low())) {
    for (int k = 0; k < group_rows; ++k)
      for (int m = 0; m < table_size; ++m) values_[k][m] = (m >> k & 1) != 0 ? high_ : low_;
  }

  /// to[v] += factor * sum_{i, j} u_i tile(i, j) w_j for the labels u of the lanes and w of the columns of each vector; entry (lane,
  /// column) stands at tile[column * stride + lane], and lanes beyond the block's, up to a whole register, hold 0.
  void add(const T* tile, index_t stride, const labels& of_lanes, const labels& of_columns, double factor, double* to) {
    tables_.resize(static_cast<std::size_t>(of_columns.groups() * rows_at_once * table_size));
    sums_.assign(static_cast<std::size_t>(of_columns.padded_vectors()), 0.0);
    for (index_t row = 0; row < of_lanes.rows(); row += rows_at_once) {
      for (index_t g = 0; g < of_columns.groups(); ++g) make_tables(tile + row, stride, g, of_columns.rows());
      for (index_t v = 0; v < of_columns.padded_vectors(); v += labels::vectors_at_once) look_up(of_columns, of_lanes, row, v);
    }
    for (index_t v = 0; v < count_; ++v) to[v] += factor * sums_[static_cast<std::size_t>(v)];
  }

private:
  static vector load(const T* from) { return pack<T>::load(from).lanes; }

  /// For each of four rows the sums of a group of columns under every pattern.
  void make_tables(const T* tile, index_t stride, index_t group, index_t columns) {
    vector table[rows_at_once][2] = {};
    const index_t first = group * group_rows;
    const auto add_column = [&](auto k) {
      if (first + k >= columns) return;
      const vector low = load(values_[k]), high = load(values_[k] + lanes);
      const T* column = tile + (first + k) * stride;
      dalib::detail::unroll<rows_at_once>([&](auto r) {
        table[r][0] += column[r] * low;
        table[r][1] += column[r] * high;
      });
    };
    dalib::detail::unroll<group_rows>(add_column);
    T* to = tables_.data() + group * rows_at_once * table_size;
    dalib::detail::unroll<rows_at_once>([&](auto r) {
      std::memcpy(to + r * table_size, &table[r][0], sizeof(vector));
      std::memcpy(to + r * table_size + lanes, &table[r][1], sizeof(vector));
    });
  }

  void look_up(const labels& of_columns, const labels& of_lanes, index_t row, index_t first) {
    vector sums[rows_at_once][registers] = {};
    const T* table = tables_.data();
    for (index_t g = 0; g < of_columns.groups(); ++g) {
      const auto* patterns = of_columns.patterns(g) + first;
      __m512i places[registers];
      dalib::detail::unroll<registers>([&](auto v) { places[v] = _mm512_loadu_si512(patterns + v * lanes); });
      dalib::detail::unroll<rows_at_once>([&](auto r) {
        const vector low = load(table + r * table_size), high = load(table + r * table_size + lanes);
        dalib::detail::unroll<registers>([&](auto v) { sums[r][v] += looked_up(low, places[v], high); });
      });
      table += rows_at_once * table_size;
    }
    const vector high = pack<T>(high_).lanes, low = pack<T>(low_).lanes;
    dalib::detail::unroll<registers>([&](auto v) {
      vector total{};
      dalib::detail::unroll<rows_at_once>([&](auto r) {
        if (row + r >= of_lanes.rows()) return;
        integers own;
        std::memcpy(&own, of_lanes.patterns((row + r) / group_rows) + first + v * lanes, sizeof(own));
        own &= (simd_integer<T>{1} << (row + r) % group_rows) - integers{};
        total += (own != integers{} ? high : low) * sums[r][v];
      });
      double* to = sums_.data() + first + v * lanes;
      wide before;
      std::memcpy(&before, to, sizeof(before));
      add_widened<T>(before, total);
      std::memcpy(to, &before, sizeof(before));
    });
  }

  static __m512 looked_up(__m512 low, __m512i places, __m512 high) requires(sizeof(T) == sizeof(float)) {
    return _mm512_permutex2var_ps(low, places, high);
  }
  static __m512d looked_up(__m512d low, __m512i places, __m512d high) requires(sizeof(T) == sizeof(double)) {
    return _mm512_permutex2var_pd(low, places, high);
  }

  index_t count_;
  T high_, low_;
  T values_[group_rows][table_size]; ///< of each row of a group under every pattern
  std::vector<T> tables_;
  std::vector<double> sums_;
};

} // namespace dalib::inference::detail

#endif
