/// @file
/// Random numbers that are pure functions of a seed and a counter: the same with every compiler, standard library and thread count.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

namespace dalib {

/// The splitmix64 mixing function: a bijection of 64-bit words whose outputs at seed + i * 0x9E37... pass as random.
constexpr std::uint64_t splitmix64(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15U;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31);
}

/// Standard normal number `counter` of the sequence `seed` (Box-Muller, cosine branch).
inline double standard_normal(std::uint64_t seed, std::uint64_t counter) {
  const std::uint64_t key = splitmix64(seed);
  const auto uniform = [&](std::uint64_t i) { return static_cast<double>(splitmix64(key + i * 0x9E3779B97F4A7C15U) >> 11) * 0x1p-53; };
  const double radius = std::sqrt(-2 * std::log(1 - uniform(2 * counter))); // 1 - u is in (0, 1]: the logarithm is finite
  return radius * std::cos(2 * std::numbers::pi * uniform(2 * counter + 1));
}

} // namespace dalib
