/// @file
/// The weight rule of the golden format: initial weights as a function of the parameter's name, so that they need not be stored.
#pragma once

#include "array.hpp"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace golden {

/// FNV-1a hash of 64 bits.
inline std::uint64_t fnv1a64(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return hash;
}

/// One step of the splitmix64 generator from state x.
inline std::uint64_t splitmix64(std::uint64_t x) {
  std::uint64_t z = x + 0x9E3779B97F4A7C15U;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31);
}

/// Element `index` of a parameter before scaling, in [-1, 1), exact.
inline double unit_weight(std::string_view full_name, std::uint64_t index) {
  const std::uint64_t hash = splitmix64(fnv1a64(full_name) + index);
  return static_cast<double>(hash >> 11) * 0x1p-52 - 1;
}

/// Initial value of a parameter. `full_name` includes the set's prefix; `init` is uniform, one, zero or eye.
inline array initial_weight(const std::string& full_name, std::vector<std::ptrdiff_t> shape, const std::string& init) {
  array result(shape, std::vector<double>(array::element_count(shape), init == "one" ? 1.0 : 0.0));
  if (init == "eye") {
    for (std::ptrdiff_t i = 0; i < result.rows(); ++i) result.values[static_cast<std::size_t>(i * result.cols() + i)] = 1;
  } else if (init == "uniform") {
    const double scale = shape.size() > 1 ? std::sqrt(2.0 / static_cast<double>(result.cols())) : 0.1;
    for (std::size_t i = 0; i < result.values.size(); ++i) result.values[i] = scale * unit_weight(full_name, i);
  } else if (init != "one" && init != "zero") {
    throw std::runtime_error("parameter " + full_name + " has the unknown initialisation " + init);
  }
  return result;
}

} // namespace golden
