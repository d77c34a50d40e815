#pragma once
// Sums over the ranks that go on while the rank computes.

#include "ranks.hpp"

#include <array>
#include <vector>

namespace dalib::distributed {

/// Sums over the ranks, in place and added in the ranks' order: the bits of ranks::sum, of numbers that are cut anyhow. Every rank owns a
/// piece of each sum: it is dealt the others' numbers for it, adds, and all gather what came out. All ranks start the same sums in the same
/// order.
template <class T>
class running_sums {
public:
  explicit running_sums(const ranks& all) : ranks_(all) {}

  /// Nothing may touch the numbers before finish().
  void start(std::span<T> values) {
    for (std::size_t begin = 0; begin < values.size(); begin += at_once)
      start_one(values.subspan(begin, std::min(at_once, values.size() - begin)));
  }

  /// Does what can be done without waiting.
  void advance() {
    while (added_ < sums_.size() && (!sums_[added_].under_way || sums_[added_].under_way->arrived())) add_next();
  }

  /// Waits for all sums.
  void finish() {
    while (added_ < sums_.size()) {
      if (sums_[added_].under_way) sums_[added_].under_way->wait();
      add_next();
    }
    for (sum& s : sums_)
      if (s.under_way) s.under_way->wait();
    sums_.clear();
    added_ = 0;
  }

  bool empty() const { return sums_.empty(); }

private:
  static constexpr std::size_t at_once = std::size_t{1} << 22; // messages stay small enough for any MPI

  struct sum {
    std::span<T> values;
    std::vector<std::size_t> bytes; // of each rank's piece
    std::unique_ptr<T[]> pieces;    // all ranks' numbers for this one's
    std::unique_ptr<transfer> under_way;
  };

  part own_piece(const sum& s) const { return ranks_.own_part(static_cast<std::ptrdiff_t>(s.values.size())); }

  void start_one(std::span<T> values) {
    sum s{values, {}, nullptr, nullptr};
    for (int r = 0; r < ranks_.size(); ++r)
      s.bytes.push_back(static_cast<std::size_t>(part_of(static_cast<std::ptrdiff_t>(values.size()), r, ranks_.size()).count) * sizeof(T));
    s.pieces = std::make_unique_for_overwrite<T[]>(static_cast<std::size_t>(own_piece(s).count * ranks_.size()));
    s.under_way = ranks_.start_deal(values.data(), s.bytes, s.pieces.get());
    sums_.push_back(std::move(s));
  }

  void add_next() {
    sum& s = sums_[added_++];
    const auto [first, count] = own_piece(s);
    std::array<T, 512> block; // stays in the cache
    for (std::ptrdiff_t begin = 0; begin < count; begin += std::ssize(block)) {
      const std::ptrdiff_t n = std::min(std::ssize(block), count - begin);
      T* const own = s.values.data() + first + begin;
      for (int r = 0; r < ranks_.size(); ++r) {
        const T* const from = r == ranks_.rank() ? own : s.pieces.get() + r * count + begin;
        if (r == 0)
          std::copy(from, from + n, block.begin());
        else
          for (std::ptrdiff_t i = 0; i < n; ++i) block[static_cast<std::size_t>(i)] += from[i];
      }
      std::copy(block.begin(), block.begin() + n, own);
    }
    s.pieces = nullptr;
    s.under_way = ranks_.start_gather(s.values.data(), s.bytes);
  }

  const ranks& ranks_;
  std::vector<sum> sums_;
  std::size_t added_ = 0; // so many are gathered, the others dealt
};

} // namespace dalib::distributed
