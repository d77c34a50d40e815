/// @file
/// The order that sorts numbers: by counting digits, since comparing is most of what a projection's distance costs.
#pragma once

#include "dalib/core/matrix_view.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
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

} // namespace dalib::detail
