/// @file
/// Samples and kernels for the tests of tests.
#pragma once

#include "dalib/inference/draws.hpp"
#include "dalib/kernel/gaussian.hpp"
#include "dalib/kernel/radial.hpp"

#include <Eigen/Core>

#include <functional>

namespace test {

/// Normal rows, a function of the seed alone, moved by `shift`.
template <class T = double>
Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic> normal_rows(std::uint64_t seed, dalib::index_t rows, dalib::index_t features,
                                                             double shift = 0) {
  Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic> result(rows, features);
  for (dalib::index_t i = 0; i < rows; ++i)
    for (dalib::index_t f = 0; f < features; ++f)
      result(i, f) = static_cast<T>(shift + dalib::standard_normal(seed, static_cast<std::uint64_t>(i * features + f)));
  return result;
}

/// Central differences of f with respect to every entry of x.
inline Eigen::MatrixXd differences(const Eigen::MatrixXd& x, const std::function<double(const Eigen::MatrixXd&)>& f) {
  Eigen::MatrixXd result(x.rows(), x.cols());
  for (dalib::index_t i = 0; i < x.rows(); ++i)
    for (dalib::index_t j = 0; j < x.cols(); ++j) {
      Eigen::MatrixXd up = x, down = x;
      up(i, j) += 1e-5;
      down(i, j) -= 1e-5;
      result(i, j) = (f(up) - f(down)) / 2e-5;
    }
  return result;
}
inline bool close(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) { return (a - b).norm() < 1e-6 * b.norm() && b.norm() > 0; }

/// A bandwidth that is given or the median, as the program runs: each test is compiled for one kernel.
struct width {
  double sigma = 0; ///< 0: the median
  template <class Data>
  double squared_scale(const Data& data) const {
    return sigma > 0 ? sigma * sigma : dalib::bandwidth::median{}.squared_scale(data);
  }
};
using gaussian_of_width = dalib::kernel::gaussian<width>;

/// A radial kernel chosen as the program runs, for the same reason.
struct radial {
  using statistic = dalib::squared_distance;
  enum class kind { gaussian, mixture, own, energy };

  kind type = kind::gaussian;
  double length = 1;

  template <class T>
  dalib::jet<T> operator()(const T& s) const {
    namespace kernel = dalib::kernel;
    if (type == kind::energy) return kernel::energy{}(s);
    if (type == kind::own) {
      using std::exp;
      const T value = exp(T(-0.2) * s);
      return {value, T(-0.2) * value};
    }
    const dalib::jet<T> narrow = kernel::gaussian_profile{0.5 / (length * length)}(s);
    if (type == kind::gaussian) return narrow;
    const dalib::jet<T> wide = kernel::rational_quadratic_profile{1.0 / 12, 1.5}(s);
    return {narrow.value + T(0.5) * wide.value, narrow.slope + T(0.5) * wide.slope};
  }
};

} // namespace test
