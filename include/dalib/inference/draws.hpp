/// @file
/// Permutations, signs and normal numbers as functions of (seed, draw, row) alone: the same for any number of threads, draws and machines.
#pragma once

#include "dalib/core/check.hpp"
#include "dalib/core/random.hpp"
#include "dalib/inference/result.hpp"

#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

namespace dalib::inference {

/// What draws are for: tests of the same seed do not share their numbers.
enum class draw_stream : std::uint64_t { permutation = 1, second_permutation, sign, second_sign, normal, second_normal, multinomial, row };

/// Random numbers of one draw, by row.
///
/// @code{.cpp}
/// const inference::draw one(7, inference::draw_stream::sign, 3), same(7, inference::draw_stream::sign, 3);
/// assert(one.sign(5) == same.sign(5) && std::abs(one.sign(5)) == 1 && one.uniform(2) != one.uniform(3));
/// std::vector<std::int64_t> order(6);
/// one.permute(order, 6);
/// assert(std::accumulate(order.begin(), order.end(), std::int64_t{0}) == 15);
/// @endcode
class draw {
public:
  draw(std::uint64_t seed, draw_stream stream, index_t number)
      : key_(splitmix64(splitmix64(seed + splitmix64(static_cast<std::uint64_t>(stream))) + static_cast<std::uint64_t>(number) * step)) {}

  std::uint64_t bits(index_t row) const { return splitmix64(key_ + static_cast<std::uint64_t>(row) * step); }
  /// In [0, 1), with 53 bits.
  double uniform(index_t row) const { return static_cast<double>(bits(row) >> 11) * 0x1p-53; }
  double sign(index_t row) const { return (bits(row) >> 63) != 0 ? 1.0 : -1.0; }
  double normal(index_t row) const { return standard_normal(key_, static_cast<std::uint64_t>(row)); }
  std::uint64_t key() const { return key_; }

  /// A permutation of 0 .. n - 1 of which the first `count` are drawn (Fisher and Yates); the rest is in no particular order. O(n).
  template <class Index>
  void permute(std::vector<Index>& order, index_t count) const {
    std::iota(order.begin(), order.end(), Index{0});
    const auto n = static_cast<index_t>(order.size());
    for (index_t i = 0; i < std::min(count, n - 1); ++i) {
      const auto j = i + static_cast<index_t>(uniform(i) * static_cast<double>(n - i)); // the bias is n 2^-53
      std::swap(order[static_cast<std::size_t>(i)], order[static_cast<std::size_t>(j)]);
    }
  }

private:
  static constexpr std::uint64_t step = 0x9E3779B97F4A7C15U;
  std::uint64_t key_;
};

/// @internal
/// Permutations, given or drawn.
class permutations {
public:
  permutations(const char* test, const test_options& options, const given_draws& given, draw_stream stream, index_t rows)
      : given_(given.permutations), seed_(options.seed), stream_(stream), rows_(rows), count_(given_.data ? given_.rows : options.draws) {
    if (count_ < 1) fail(test, "needs at least one permutation");
    if (given_.data) require_permutations(test);
  }
  index_t count() const { return count_; }
  /// Permutation b, of which the first `needed` entries are looked at.
  void read(index_t b, std::vector<index_t>& order, index_t needed) const {
    order.resize(static_cast<std::size_t>(rows_));
    if (given_.data)
      for (index_t i = 0; i < rows_; ++i) order[static_cast<std::size_t>(i)] = static_cast<index_t>(given_(b, i));
    else
      draw(seed_, stream_, b).permute(order, needed);
  }

private:
  void require_permutations(const char* test) const {
    if (given_.cols != rows_)
      fail(test,
           "given permutations must have one entry for each of the " + std::to_string(rows_) + " rows (got " + shape_of(given_) + ")");
    std::vector<index_t> seen(static_cast<std::size_t>(rows_), -1);
    for (index_t b = 0; b < given_.rows; ++b)
      for (index_t i = 0; i < rows_; ++i) {
        const std::int64_t at = given_(b, i);
        if (at < 0 || at >= rows_ || seen[static_cast<std::size_t>(at)] == b)
          fail(test, "row " + std::to_string(b) + " of the given permutations is not a permutation");
        seen[static_cast<std::size_t>(at)] = b;
      }
  }

  matrix_view<const std::int64_t> given_;
  std::uint64_t seed_;
  draw_stream stream_;
  index_t rows_;
  index_t count_;
};

/// @internal
/// Multipliers of rows: given, or random signs, or normal numbers.
class multipliers {
public:
  multipliers(const char* test, const test_options& options, matrix_view<const double> given, draw_stream stream, index_t rows)
      : given_(given), seed_(options.seed), stream_(stream), count_(given.data ? given.rows : options.draws) {
    if (count_ < 1) fail(test, "needs at least one draw");
    if (given.data && given.cols != rows)
      fail(test, "given weights must have one column for each of " + std::to_string(rows) + " (got " + shape_of(given) + ")");
  }
  index_t count() const { return count_; }
  /// Whether all are 1 or -1.
  bool are_signs() const {
    if (!given_.data) return stream_ == draw_stream::sign || stream_ == draw_stream::second_sign;
    for (index_t b = 0; b < given_.rows; ++b)
      for (index_t i = 0; i < given_.cols; ++i)
        if (given_(b, i) != 1 && given_(b, i) != -1) return false;
    return true;
  }
  double operator()(index_t b, index_t row) const {
    if (given_.data) return given_(b, row);
    const draw one(seed_, stream_, b);
    return stream_ == draw_stream::normal || stream_ == draw_stream::second_normal ? one.normal(row) : one.sign(row);
  }

private:
  matrix_view<const double> given_;
  std::uint64_t seed_;
  draw_stream stream_;
  index_t count_;
};

} // namespace dalib::inference
