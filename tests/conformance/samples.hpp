/// @file
/// Seeded random samples for the checks: the same numbers with every compiler.
#pragma once

#include <dalib/dalib.hpp>

#include <cmath>
#include <cstdint>
#include <numbers>

namespace conformance {

template <class T>
using matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Standard normal numbers from splitmix64 and the Box-Muller transform.
class normal_numbers {
public:
  explicit normal_numbers(std::uint64_t seed) : state_(seed * 0xD1342543DE82EF95U + 1) {}

  double operator()() {
    const double radius = std::sqrt(-2 * std::log(1 - uniform()));
    return radius * std::cos(2 * std::numbers::pi * uniform());
  }

  /// Uniform in [0, 1).
  double uniform() {
    state_ += 0x9E3779B97F4A7C15U;
    std::uint64_t x = state_;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
    return static_cast<double>((x ^ (x >> 31)) >> 11) * 0x1p-53;
  }

private:
  std::uint64_t state_;
};

/// rows x features numbers, scale * N(0, 1) + shift, rounded to float so that float and double tests see the same data.
template <class T>
matrix<T> normal_rows(dalib::index_t rows, dalib::index_t features, std::uint64_t seed, double scale = 1, double shift = 0) {
  normal_numbers next(seed);
  matrix<T> result(rows, features);
  for (dalib::index_t i = 0; i < rows; ++i)
    for (dalib::index_t j = 0; j < features; ++j) result(i, j) = static_cast<T>(static_cast<float>(scale * next() + shift));
  return result;
}

/// Row i of `rows` stands `weights[i]` times in the result.
template <class T, class Weights>
matrix<T> repeated_rows(const matrix<T>& rows, const Weights& weights) {
  dalib::index_t total = 0;
  for (const auto w : weights) total += static_cast<dalib::index_t>(w);
  matrix<T> result(total, rows.cols());
  dalib::index_t to = 0;
  for (dalib::index_t i = 0; i < rows.rows(); ++i)
    for (dalib::index_t copy = 0; copy < static_cast<dalib::index_t>(weights[static_cast<std::size_t>(i)]); ++copy)
      result.row(to++) = rows.row(i);
  return result;
}

/// |a - b| / |b| in the Frobenius norm; |a| where b is zero.
template <class A, class B>
double relative_difference(const A& a, const B& b) {
  const double size = static_cast<double>(b.template cast<double>().norm());
  const double difference = (a.template cast<double>() - b.template cast<double>()).norm();
  return size > 0 ? difference / size : difference;
}

} // namespace conformance
