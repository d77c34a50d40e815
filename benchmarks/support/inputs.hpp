#pragma once

#include <Eigen/Core>
#include <io/random.hpp>

#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <string>

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

/// Rows of a kind other than noise, made of noise. "clustered": around ten places, with a spread of 3 %, in no order, as a trained network's
/// features lie; "apart": the target 40 deviations off; "outlier": one source row 10,000 times as long as the others.
template <class T>
matrix<T> arranged(const std::string& kind, matrix<T> rows, bool target) {
  if (kind == "clustered") {
    const matrix<T> places = draw<T>(10, rows.cols(), {5});
    for (Eigen::Index i = 0; i < rows.rows(); ++i) {
      const std::uint64_t word = io::splitmix64((std::uint64_t{target ? 7U : 6U} << 40) + static_cast<std::uint64_t>(i));
      rows.row(i) = rows.row(i) * T(0.03125) + places.row(static_cast<Eigen::Index>(word % 10)); // a power of two: no rounding of its own
    }
  } else if (kind == "apart") {
    if (target) rows.array() += T(40);
  } else if (kind == "outlier") {
    if (!target) rows.row(rows.rows() / 3) *= T(10000);
  } else if (kind != "noise") {
    throw std::invalid_argument("unknown kind of data: " + kind);
  }
  return rows;
}

} // namespace dalib::benchmarks
