/// @file
/// The order that sorts numbers: by counting digits, or in registers, since comparing is most of what a projection's distance costs.
#pragma once

#include "dalib/core/matrix_view.hpp"
#include "dalib/simd/vector_math.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <utility>

namespace dalib::detail {

/// A number as an unsigned one of the same order, with its place.
template <class T>
struct sort_entry;
template <>
struct sort_entry<float> {
  static constexpr int digits = 4;
  static constexpr index_t least = 96; ///< fewer are sorted by comparing
  std::uint64_t bits;                  ///< the number above, the place below: compared at once

  static sort_entry of(float x, index_t place) {
    const auto raw = std::bit_cast<std::uint32_t>(x + 0.f); // -0 is 0
    const std::uint32_t key = raw ^ ((raw >> 31) != 0 ? 0xffffffffU : 0x80000000U);
    return {(static_cast<std::uint64_t>(key) << 32) | static_cast<std::uint32_t>(place)};
  }
  std::size_t digit(int k) const { return (bits >> (32 + 8 * k)) & 255U; }
  index_t place() const { return static_cast<index_t>(bits & 0xffffffffU); }
  bool operator<(const sort_entry& other) const { return bits < other.bits; }
};
template <>
struct sort_entry<double> {
  static constexpr int digits = 8;
  static constexpr index_t least = 192;
  std::uint64_t key, at;

  static sort_entry of(double x, index_t place) {
    const auto raw = std::bit_cast<std::uint64_t>(x + 0.0);
    return {raw ^ ((raw >> 63) != 0 ? ~std::uint64_t{0} : std::uint64_t{1} << 63), static_cast<std::uint64_t>(place)};
  }
  std::size_t digit(int k) const { return (key >> (8 * k)) & 255U; }
  index_t place() const { return static_cast<index_t>(at); }
  bool operator<(const sort_entry& other) const { return key < other.key || (key == other.key && at < other.at); }
};

/// order[0], order[1], ... are the places of the numbers, ascending; equal ones stay in their order. `entries` has room for 2 count. Up to
/// 2^32 floats.
template <class T>
void sort_order(const T* numbers, index_t count, index_t* order, sort_entry<T>* entries) {
  using entry = sort_entry<T>;
  entry *from = entries, *to = entries + count;
  for (index_t i = 0; i < count; ++i) from[i] = entry::of(numbers[i], i);
  if (count < entry::least) {
    std::sort(from, from + count);
  } else {
    for (int k = 0; k < entry::digits; ++k) {
      index_t first[256] = {};
      for (index_t i = 0; i < count; ++i) ++first[from[i].digit(k)];
      if (first[from[0].digit(k)] == count) continue; // all have this digit
      index_t sum = 0;
      for (index_t& bucket : first) sum += std::exchange(bucket, sum);
      for (index_t i = 0; i < count; ++i) to[first[from[i].digit(k)]++] = from[i];
      std::swap(from, to);
    }
  }
  for (index_t i = 0; i < count; ++i) order[i] = from[i].place();
}

/// A register of floats, each with its place below it: signed, since not all processors compare unsigned ones. One column in each lane.
template <class T = float> // so that a compiler for devices looks at none of it
struct sort_lanes {
  static constexpr index_t size = simd_bytes / 8;
  /// More rows are sorted faster by counting digits: a network's comparisons grow by log^2. Two columns of so many stay in the first-level
  /// cache.
  static constexpr index_t most_rows = simd_bytes >= 32 ? 256 : 0;
  using keys = typename compiler_vector<std::int64_t, simd_bytes>::type;
  using halves = typename compiler_vector<std::int32_t, simd_bytes / 2>::type;
  using floats = typename compiler_vector<T, simd_bytes / 2>::type;
  keys lanes;

  static sort_lanes of(const T* numbers, index_t place) {
    floats x;
    std::memcpy(&x, numbers, sizeof(x));
    x += 0.f; // -0 is 0
    halves raw;
    std::memcpy(&raw, &x, sizeof(x));
    return {(__builtin_convertvector(ordered(raw), keys) << 32) | static_cast<std::int64_t>(place)};
  }
  floats numbers() const {
    const halves raw = ordered(__builtin_convertvector(lanes >> 32, halves));
    floats x;
    std::memcpy(&x, &raw, sizeof(x));
    return x;
  }
  index_t place(index_t lane) const { return static_cast<index_t>(lanes[lane] & 0xffffffff); }

private:
  /// Negative numbers the other way round; its own inverse.
  static halves ordered(const halves& raw) { return raw ^ ((raw >> 31) & 0x7fffffff); }
};

/// Sorts every lane by itself, equal numbers by their places: Batcher's merge exchange (Knuth, algorithm 5.2.2 M), whose comparisons are
/// the same for all data. O(count log^2 count).
template <class T>
void sort_each_lane(sort_lanes<T>* rows, index_t count) {
  const auto half = static_cast<index_t>(std::bit_ceil(static_cast<std::uint64_t>(std::max<index_t>(count, 2))) / 2);
  for (index_t p = half; p > 0; p /= 2) {
    index_t first = 0, apart = p;
    for (index_t q = half;; q /= 2) {
      for (index_t run = first; run + apart < count; run += 2 * p) // of those whose bit p is that of `first`
        for (index_t i = run; i < std::min(run + p, count - apart); ++i) {
          const auto a = rows[i].lanes, b = rows[i + apart].lanes;
          rows[i].lanes = a < b ? a : b;
          rows[i + apart].lanes = a < b ? b : a;
        }
      if (q == p) break;
      apart = q - p;
      first = p;
    }
  }
}

} // namespace dalib::detail
