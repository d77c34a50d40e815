#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numbers>
#include <numeric>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

namespace dalib::io {

/// The splitmix64 mixing function: a bijection of 64-bit words whose outputs at x, x + 1, x + 2, ... pass as random.
constexpr std::uint64_t splitmix64(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15U;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31);
}

/// Uniform number in [0, 1) from the upper 53 bits of a random word; exact, so equal on every machine.
constexpr double to_uniform01(std::uint64_t word) { return static_cast<double>(word >> 11) * 0x1p-53; }

/// Counter-based random generator: the i-th word is a pure function of (key, i).
///
/// The whole state is two words, there is no hidden cache, and the same seed gives the same numbers with every compiler and standard
/// library. Parallel code uses `at(i)` or `stream(i)`, so that its numbers do not depend on the number of threads.
/// Meets `std::uniform_random_bit_generator`. Not for cryptography.
class random_generator {
public:
  using result_type = std::uint64_t;

  /// Generator of the sequence number `seed`; neighbouring seeds give unrelated sequences.
  explicit random_generator(std::uint64_t seed = 0) : state_{splitmix64(seed), 0} {}

  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return std::numeric_limits<result_type>::max(); }

  /// The word at any place of the sequence; does not advance.
  std::uint64_t at(std::uint64_t position) const { return splitmix64(state_[0] + position * 0x9E3779B97F4A7C15U); }

  /// Next word.
  std::uint64_t operator()() { return at(state_[1]++); }

  /// Child generator number `index`: depends on the seed and the index only, never on how far this one has advanced.
  random_generator stream(std::uint64_t index) const { return random_generator(state_[0] ^ splitmix64(~index)); }

  /// Next number, uniform in [0, 1).
  double uniform01() { return to_uniform01((*this)()); }

  /// Next number, uniform in [low, high).
  double uniform(double low, double high) { return low + (high - low) * uniform01(); }

  /// Next integer, uniform in [0, bound), without bias. Throws std::invalid_argument for bound = 0.
  std::uint64_t uniform_int(std::uint64_t bound) {
    if (bound == 0) throw std::invalid_argument("random_generator::uniform_int: the bound must be positive");
    // Words below 2^64 mod bound would make the small remainders more frequent.
    const std::uint64_t rejected_below = (0 - bound) % bound;
    std::uint64_t word = (*this)();
    while (word < rejected_below) word = (*this)();
    return word % bound;
  }

  /// Next standard normal number (Box-Muller, cosine branch only: a cached second value would be one more thing to save).
  double normal() {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform01())); // 1 - u is in (0, 1]: the logarithm is finite
    return radius * std::cos(2.0 * std::numbers::pi * uniform01());
  }

  /// Puts the elements into a uniformly random order (Fisher-Yates).
  template <class T>
  void shuffle(std::span<T> values) {
    for (std::size_t left = values.size(); left > 1; --left) {
      using std::swap;
      swap(values[left - 1], values[static_cast<std::size_t>(uniform_int(left))]);
    }
  }

  /// Uniformly random order of 0 .. n-1.
  std::vector<std::size_t> permutation(std::size_t n) {
    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), std::size_t{0});
    shuffle(std::span(order));
    return order;
  }

  /// Shows the complete state, {key, position}, to a checkpoint visitor (see checkpoint.hpp).
  template <class Visitor>
  void visit_state(Visitor&& visitor) {
    visitor("random_state", {2}, std::span<std::uint64_t>(state_));
  }

  friend bool operator==(const random_generator&, const random_generator&) = default;

private:
  std::array<std::uint64_t, 2> state_;
};

} // namespace dalib::io
