/// @file
/// @internal
/// Vectors of two values, a bit for each entry: indicators of permuted samples, and random signs.
#pragma once

#include "dalib/core/matrix_view.hpp"

#include <cstdint>
#include <vector>

namespace dalib::inference::detail {

/// `count` vectors of `length` entries, each of which is `high` or `low`. length / 8 bytes for a vector.
class label_vectors {
public:
  label_vectors(index_t count, index_t length, double high, double low)
      : count_(count), length_(length), stride_(length / 8 + 2), high_(high), low_(low),
        bytes_(static_cast<std::size_t>(count * stride_), std::uint8_t{0}) {}

  index_t count() const { return count_; }
  index_t length() const { return length_; }
  double high() const { return high_; }
  double low() const { return low_; }

  void set_high(index_t vector, index_t entry) {
    bytes_[place(vector, entry / 8)] = static_cast<std::uint8_t>(bytes_[place(vector, entry / 8)] | 1U << entry % 8);
  }
  bool is_high(index_t vector, index_t entry) const { return (bits(vector, entry, 1) & 1U) != 0; }
  /// Entries [first, first + width) as bits, 1 for a high one; width <= 8.
  unsigned bits(index_t vector, index_t first, int width) const {
    const std::size_t at = place(vector, first / 8);
    const unsigned both = bytes_[at] | static_cast<unsigned>(bytes_[at + 1]) << 8;
    return both >> (first % 8) & ((1U << width) - 1);
  }

  /// sum_i v_i x_i for every vector v, by the table of the sums of eight entries: O(32 length + count length / 8).
  std::vector<double> products(const double* x) const {
    std::vector<double> result(static_cast<std::size_t>(count_), 0.0);
    double table[256];
    for (index_t first = 0; first < length_; first += 8) {
      table[0] = 0;
      for (index_t i = 0; i < 8; ++i) {
        const double own = first + i < length_ ? x[first + i] : 0;
        for (std::size_t m = 0; m < std::size_t{1} << i; ++m) {
          table[m + (std::size_t{1} << i)] = table[m] + high_ * own;
          table[m] += low_ * own;
        }
      }
      for (index_t v = 0; v < count_; ++v) result[static_cast<std::size_t>(v)] += table[bytes_[place(v, first / 8)]];
    }
    return result;
  }

private:
  std::size_t place(index_t vector, index_t byte) const { return static_cast<std::size_t>(vector * stride_ + byte); }

  index_t count_, length_, stride_;
  double high_, low_;
  std::vector<std::uint8_t> bytes_;
};

} // namespace dalib::inference::detail
