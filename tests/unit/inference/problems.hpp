/// @file
/// Three published problems of two samples that need no data: shifted normal laws, blobs, perturbed uniform laws.
#pragma once

#include "samples.hpp"

#include <cmath>
#include <numbers>

namespace test {

/// Normal rows around the points of a 3 x 3 grid, 10 apart; the target's are stretched along a diagonal.
inline Eigen::MatrixXd blobs(std::uint64_t seed, dalib::index_t n, double stretch) {
  Eigen::MatrixXd z = normal_rows(seed, n, 2);
  const dalib::inference::draw places(seed, dalib::inference::draw_stream::row, 0);
  for (dalib::index_t i = 0; i < n; ++i) {
    const double along = (z(i, 0) + z(i, 1)) / std::numbers::sqrt2, across = (z(i, 0) - z(i, 1)) / std::numbers::sqrt2;
    const auto place = static_cast<int>(9 * places.uniform(i));
    z(i, 0) = (std::sqrt(stretch) * along + across) / std::numbers::sqrt2 + 10 * (place % 3);
    z(i, 1) = (std::sqrt(stretch) * along - across) / std::numbers::sqrt2 + 10 * (place / 3);
  }
  return z;
}

/// Density 1 + amplitude * sin(2 pi k x) on [0, 1], by rejection.
inline Eigen::MatrixXd waves(std::uint64_t seed, dalib::index_t n, int k, double amplitude) {
  Eigen::MatrixXd z(n, 1);
  for (dalib::index_t i = 0; i < n; ++i) {
    const dalib::inference::draw one(seed, dalib::inference::draw_stream::row, i);
    for (dalib::index_t t = 0;; t += 2) {
      z(i, 0) = one.uniform(t);
      if ((1 + amplitude) * one.uniform(t + 1) <= 1 + amplitude * std::sin(2 * std::numbers::pi * k * z(i, 0))) break;
    }
  }
  return z;
}

/// Perturbed uniform rows on [0, 1] (as Schrab et al. 2023 test on): density 1 + e / count sum_k sign_k g(count x - k), g a bump up on
/// (-1, -1/2) and one down on (-1/2, 0), so that it is full of waves no deeper than 1 / count; the signs are a function of `signs`.
inline Eigen::MatrixXd perturbed_uniforms(std::uint64_t seed, dalib::index_t n, int count, std::uint64_t signs) {
  const auto bump = [](double t) { // exp(-1 / (1 - (4 t + 3)^2)) - exp(-1 / (1 - (4 t + 1)^2)), each where it is defined
    const auto half = [](double u) { return u > -1 && u < 1 ? std::exp(-1 / (1 - u * u)) : 0; };
    return half(4 * t + 3) - half(4 * t + 1);
  };
  const dalib::inference::draw of_signs(signs, dalib::inference::draw_stream::sign, 0);
  Eigen::MatrixXd z(n, 1);
  for (dalib::index_t i = 0; i < n; ++i) {
    const dalib::inference::draw one(seed, dalib::inference::draw_stream::row, i);
    for (dalib::index_t t = 0;; t += 2) {
      const double x = one.uniform(t), place = count * x - 1;
      double density = 1;
      for (int k = 0; count > 0 && k < count; ++k) density += std::numbers::e / count * of_signs.sign(k) * bump(place - k);
      z(i, 0) = x;
      if (2 * one.uniform(t + 1) <= density) break;
    }
  }
  return z;
}

} // namespace test
