#pragma once
// Made data of the numbered examples: two half moons, and the same turned about the origin. The classic picture of a shift between domains.

#include "autodiff/autodiff.hpp"
#include "io/random.hpp"

#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

namespace dalib::made {

using node = ad::variable<float>; ///< rows of numbers on the tape

/// Samples with their classes; those of the target are for measuring only.
struct domain {
  node x; ///< n x 2
  std::vector<std::int64_t> labels;
};

/// n points of two interleaving half moons with some noise, turned by an angle in degrees.
inline domain moons(index_t n, double degrees, io::random_generator& random) {
  const double turn = degrees * std::numbers::pi / 180;
  ad::matrix<float> x(n, 2);
  std::vector<std::int64_t> labels;
  for (index_t i = 0; i < n; ++i) {
    labels.push_back(i % 2);
    const double angle = std::numbers::pi * random.uniform01(), side = labels.back() == 0 ? 1 : -1;
    const double u = side * (std::cos(angle) - 0.5) + 0.1 * random.normal(), v = side * (std::sin(angle) - 0.25) + 0.1 * random.normal();
    x(i, 0) = static_cast<float>(std::cos(turn) * u - std::sin(turn) * v);
    x(i, 1) = static_cast<float>(std::sin(turn) * u + std::cos(turn) * v);
  }
  return {ad::constant(x), labels};
}

/// Right predictions in percent.
inline double accuracy(const node& logits, const std::vector<std::int64_t>& labels) {
  double correct = 0;
  for (index_t row = 0; row < logits.rows(); ++row) {
    index_t predicted = 0;
    logits.value().row(row).maxCoeff(&predicted);
    correct += predicted == labels[static_cast<std::size_t>(row)] ? 1 : 0;
  }
  return 100 * correct / static_cast<double>(logits.rows());
}

} // namespace dalib::made
