#pragma once

#include <Eigen/Core>
#include <io/random.hpp>

#include <cmath>
#include <cstdint>

namespace dalib::benchmarks {

template <class T>
using matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// How a benchmark's input is drawn: uniform numbers of standard deviation `spread` around `shift`.
struct input_rule {
  std::uint64_t seed;
  double spread = 1;
  double shift = 0;
};

/// The input of a rule. Element i is a pure function of (seed, i) and exact in double precision before it is rounded to T, so that
/// peers/inputs.py draws the same numbers.
template <class T>
matrix<T> draw(Eigen::Index rows, Eigen::Index columns, const input_rule& rule) {
  matrix<T> result(rows, columns);
  const double scale = rule.spread * std::sqrt(3.0);
#pragma omp parallel for
  for (Eigen::Index i = 0; i < result.size(); ++i) {
    const std::uint64_t word = io::splitmix64((rule.seed << 40) + static_cast<std::uint64_t>(i));
    result.data()[i] = static_cast<T>((2 * io::to_uniform01(word) - 1) * scale + rule.shift);
  }
  return result;
}

} // namespace dalib::benchmarks
