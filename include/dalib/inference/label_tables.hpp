/// @file
/// @internal
/// u' K w of a tile of a kernel matrix for hundreds of pairs of vectors of two values, by tables of partial sums in the first-level cache.
#pragma once

#include "dalib/inference/label_vectors.hpp"
#include "dalib/simd/pack.hpp"
#include "dalib/simd/unroll.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

namespace dalib::inference::detail {

/// The labels of a block of rows, as tiles read them. Columns are taken five at a time: a group's labels are one of 32 patterns, and the
/// sum of its columns under each pattern is looked up instead of multiplied out. `passes` runs of `groups` groups cover the block, so
/// that a run's tables stay in the first-level cache.
template <class T>
class table_labels {
public:
  static constexpr int group_columns = 5;
  static constexpr int patterns = 1 << group_columns;
  static constexpr int most_groups = 8;
  static constexpr int lanes = simd_lanes<T>;

  table_labels() = default;
  table_labels(const label_vectors& vectors, index_t first, index_t rows) : rows_(rows), vectors_(vectors.count()) {
    const index_t all = (rows + group_columns - 1) / group_columns;
    passes_ = (all + most_groups - 1) / most_groups;
    groups_ = (all + passes_ - 1) / passes_;
    places_.assign(static_cast<std::size_t>(passes_ * vectors_ * groups_), 0);
    lane_bits_.assign(static_cast<std::size_t>(registers() * vectors_), 0);
    for (index_t g = 0; g < all; ++g) {
      const index_t begin = g * group_columns;
      const int width = static_cast<int>(std::min<index_t>(group_columns, rows - begin));
      std::uint16_t* to = places_.data() + g / groups_ * vectors_ * groups_ + g % groups_;
      for (index_t v = 0; v < vectors_; ++v) to[v * groups_] = static_cast<std::uint16_t>(vectors.bits(v, first + begin, width) * lanes);
    }
    for (index_t l = 0; l < rows; l += std::min(lanes, 8)) {
      const int width = static_cast<int>(std::min<index_t>(std::min(lanes, 8), rows - l));
      for (index_t v = 0; v < vectors_; ++v)
        lane_bits_[static_cast<std::size_t>(l / lanes * vectors_ + v)] |= vectors.bits(v, first + l, width) << l % lanes;
    }
  }

  index_t rows() const { return rows_; }
  index_t passes() const { return passes_; }
  index_t groups() const { return groups_; }
  index_t registers() const { return (rows_ + lanes - 1) / lanes; }
  /// Where each vector's patterns of a pass stand in their tables: groups() numbers for a vector.
  const std::uint16_t* places(index_t pass) const { return places_.data() + pass * vectors_ * groups_; }
  /// For each vector the labels of a register of rows, as bits.
  const std::uint32_t* lane_bits(index_t which) const { return lane_bits_.data() + which * vectors_; }

private:
  index_t rows_ = 0, vectors_ = 0, passes_ = 0, groups_ = 0;
  std::vector<std::uint16_t> places_;
  std::vector<std::uint32_t> lane_bits_;
};

/// One worker's memory, and the sums of a tile. Every vector takes the same steps, wherever it stands: equal vectors give equal bits, and
/// where low = -high so does a vector and its negative.
template <class T>
class label_tables {
  using vector = simd_vector<T>;
  using integers = simd_vector<simd_integer<T>>;
  using labels_type = table_labels<T>;
  static constexpr int lanes = labels_type::lanes;
  static constexpr index_t table_size = index_t{labels_type::patterns} * lanes;
  /// Vectors that are looked up together: their sums so far stay in the second-level cache.
  static constexpr index_t run_of_vectors = 512;

public:
  using labels = labels_type;

  explicit label_tables(const label_vectors& vectors)
      : count_(vectors.count()), high_(static_cast<T>(vectors.high())), low_(static_cast<T>(vectors.low())),
        tables_(static_cast<std::size_t>(table_size * labels_type::most_groups)), none_(static_cast<std::size_t>(lanes), T(0)),
        sums_(static_cast<std::size_t>(2 * run_of_vectors * lanes)) {}

  /// to[v] += factor * sum_{i, j} u_i tile(i, j) w_j for the labels u of the lanes and w of the columns of each vector; entry (lane,
  /// column) stands at tile[column * stride + lane], and lanes beyond the block's, up to a whole register, hold 0.
  void add(const T* tile, index_t stride, const labels_type& lane_labels, const labels_type& column_labels, double factor, double* to) {
    for (index_t first = 0; first < count_; first += run_of_vectors) {
      const index_t now = std::min(run_of_vectors, count_ - first);
      for (index_t l = 0; l < lane_labels.registers(); ++l)
        for (index_t pass = 0; pass < column_labels.passes(); ++pass) {
          make_tables(tile + l * lanes, stride, column_labels, pass);
          const lookup one{column_labels.places(pass) + first * column_labels.groups(),
                           lane_labels.lane_bits(l) + first,
                           now,
                           pass == 0,
                           pass + 1 == column_labels.passes(),
                           l == 0};
          look_up(one, static_cast<int>(column_labels.groups()));
        }
      for (index_t v = 0; v < now; ++v) to[first + v] += factor * lane_sum(totals() + v * lanes);
    }
  }

private:
  struct lookup {
    const std::uint16_t* places;
    const std::uint32_t* lane_bits;
    index_t vectors;
    bool first_pass, last_pass, first_register;
  };

  T* row_sums() { return sums_.data(); }
  T* totals() { return sums_.data() + run_of_vectors * lanes; }

  /// For every group of a pass, the sums of its columns under every pattern: half of them with the last column low, half with it high.
  void make_tables(const T* tile, index_t stride, const labels_type& columns, index_t pass) {
    for (index_t g = 0; g < columns.groups(); ++g) {
      const index_t begin = (pass * columns.groups() + g) * labels_type::group_columns;
      vector table[labels_type::patterns];
      const auto column = [&](index_t k) {
        vector values;
        std::memcpy(&values, begin + k < columns.rows() ? tile + (begin + k) * stride : none_.data(), sizeof(values));
        return pack<T>(values);
      };
      table[0] = (low_ * column(0)).lanes;
      table[1] = (high_ * column(0)).lanes;
      dalib::detail::unroll<labels_type::group_columns - 1>([&](auto i) {
        constexpr int k = i + 1, size = 1 << k;
        const vector low = (low_ * column(k)).lanes, high = (high_ * column(k)).lanes;
        dalib::detail::unroll<size>([&](auto m) {
          table[size + m] = table[m] + high;
          table[m] = table[m] + low;
        });
      });
      std::memcpy(tables_.data() + g * table_size, table, sizeof(table));
    }
  }

  void look_up(const lookup& one, int groups) {
    switch (groups) {
    case 1:
      return look_up<1>(one);
    case 2:
      return look_up<2>(one);
    case 3:
      return look_up<3>(one);
    case 4:
      return look_up<4>(one);
    case 5:
      return look_up<5>(one);
    case 6:
      return look_up<6>(one);
    case 7:
      return look_up<7>(one);
    default:
      return look_up<8>(one);
    }
  }

  template <int Groups>
  void look_up(const lookup& one) {
#if !defined(__CUDA_ARCH__) // nvcc reads this once more for the GPU, where it never runs
    integers bit_of_lane{};
    for (int l = 0; l < lanes; ++l) bit_of_lane[l] = simd_integer<T>{1} << l;
    const vector high = pack<T>(high_).lanes, low = pack<T>(low_).lanes;
    const T* const tables = tables_.data();
    T *const sums = row_sums(), *const sums_of_rows = totals();
    for (index_t v = 0; v < one.vectors; ++v) {
      const std::uint16_t* places = one.places + v * Groups;
      pack<T> sum = pack<T>::load(tables + places[0]);
      dalib::detail::unroll<Groups - 1>([&](auto i) { sum += pack<T>::load(tables + (i + 1) * table_size + places[i + 1]); });
      if (!one.first_pass) sum += pack<T>::load(sums + v * lanes);
      if (!one.last_pass) {
        sum.store(sums + v * lanes);
        continue;
      }
      const integers own = (static_cast<simd_integer<T>>(one.lane_bits[v]) - integers{}) & bit_of_lane;
      sum *= pack<T>(own != integers{} ? high : low);
      if (!one.first_register) sum += pack<T>::load(sums_of_rows + v * lanes);
      sum.store(sums_of_rows + v * lanes);
    }
#endif
  }

  /// Of a register, in double, in one order.
  static double lane_sum(const T* from) {
    double halves[lanes];
    for (int l = 0; l < lanes; ++l) halves[l] = static_cast<double>(from[l]);
    for (int half = lanes / 2; half > 0; half /= 2)
      for (int l = 0; l < half; ++l) halves[l] += halves[l + half];
    return halves[0];
  }

  index_t count_;
  T high_, low_;
  std::vector<T> tables_, none_, sums_;
};

} // namespace dalib::inference::detail
