/// @file
/// What the tests of the losses share: random tensors, central differences, layouts, and the message of an error.
#pragma once

#include <dalib/dalib.hpp>

#include <Eigen/Core>

#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace checks {

using matrix = Eigen::MatrixXd;
template <class T>
using row_major = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <class T>
using col_major = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
using extended = Eigen::Matrix<long double, Eigen::Dynamic, Eigen::Dynamic>;

/// Numbers spread evenly over [-width, width], the same for every run.
inline matrix random_matrix(Eigen::Index rows, Eigen::Index cols, std::uint64_t seed, double width = 2) {
  dalib::index_t counter = 0;
  return matrix::NullaryExpr(rows, cols, [&](Eigen::Index, Eigen::Index) {
    const std::uint64_t word = dalib::splitmix64(dalib::splitmix64(seed) + static_cast<std::uint64_t>(counter++));
    return width * (static_cast<double>(word >> 11) * 0x1p-52 - 1);
  });
}

/// The same in T, row-major.
template <class T>
row_major<T> random_rows(Eigen::Index rows, Eigen::Index cols, std::uint64_t seed, double width = 2) {
  return random_matrix(rows, cols, seed, width).cast<T>();
}

/// Central differences of f at x.
template <class F>
matrix differences(const F& f, matrix x, double step = 1e-5) {
  matrix result(x.rows(), x.cols());
  for (Eigen::Index i = 0; i < x.rows(); ++i)
    for (Eigen::Index j = 0; j < x.cols(); ++j) {
      const double middle = x(i, j);
      x(i, j) = middle + step;
      const double above = f(x);
      x(i, j) = middle - step;
      result(i, j) = (above - f(x)) / (2 * step);
      x(i, j) = middle;
    }
  return result;
}

/// Largest |a - b| over the largest |b|; absolute if b is 0.
template <class A, class B>
double relative_error(const A& a, const B& b) {
  const extended x = a.template cast<long double>(), y = b.template cast<long double>();
  const long double error = (x - y).cwiseAbs().maxCoeff(), scale = y.cwiseAbs().maxCoeff();
  return static_cast<double>(scale > 0 ? error / scale : error);
}

/// Rounding that a result in T may carry.
template <class T>
double tolerance() {
  return std::is_same_v<T, float> ? 2e-6 : 1e-13;
}

/// The message of the std::invalid_argument that f throws; empty if it throws none.
template <class F>
std::string message_of(const F& f) {
  try {
    f();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return {};
}

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// Softmax of every row in extended precision, where e^-10^4 is still a number.
template <class M>
extended softmax(const M& logits) {
  extended p = logits.template cast<long double>();
  for (Eigen::Index i = 0; i < p.rows(); ++i) {
    p.row(i).array() -= p.row(i).maxCoeff();
    p.row(i) = p.row(i).array().exp().matrix();
    p.row(i) /= p.row(i).sum();
  }
  return p;
}

} // namespace checks
