/// @file
/// Kernels of the inner product, of the cosine and of the l1 distance.
#pragma once

#include "dalib/kernel/bandwidths.hpp"
#include "dalib/kernel/bind.hpp"

#include <cmath>

namespace dalib::kernel {

/// k(x, y) = x . y: the MMD is then the squared distance of the means.
///
/// @code{.cpp}
/// const Eigen::MatrixXd zs = Eigen::MatrixXd::Random(16, 4), zt = Eigen::MatrixXd::Random(12, 4);
/// const double means = (zs.colwise().mean() - zt.colwise().mean()).squaredNorm();
/// assert(std::abs(mmd(kernel::linear{}, estimator::biased{})(zs, zt) - means) < 1e-14);
/// @endcode
struct linear {
  using statistic = inner_product;

  template <class T>
  DALIB_HD jet<T> operator()(const T& s) const {
    return {s, T(1)};
  }
};

/// k(x, y) = (gamma x . y + coef0)^degree.
/// @throws std::invalid_argument unless degree >= 1 and gamma and coef0 are finite.
///
/// @code{.cpp}
/// const kernel::polynomial square{.gamma = 2, .coef0 = 1, .degree = 2};
/// assert(square(3.0).value == 49 && square(3.0).slope == 28); // (2 s + 1)^2, 4 (2 s + 1)
/// @endcode
struct polynomial {
  using statistic = inner_product;
  double gamma = 1;
  double coef0 = 1;
  int degree = 2;

  template <class T>
  DALIB_HD jet<T> operator()(const T& s) const {
    const T base = T(gamma) * s + T(coef0);
    T lower = T(1);
    for (int i = 1; i < degree; ++i) lower = lower * base;
    return {lower * base, T(gamma * degree) * lower};
  }

  template <class Data>
  polynomial bind(const Data&) const {
    if (degree < 1) fail("kernel::polynomial", "degree must be at least 1 (got " + std::to_string(degree) + ")");
    if (!is_finite(gamma) || !is_finite(coef0)) fail("kernel::polynomial", "gamma and coef0 must be finite");
    return *this;
  }
};

/// k(x, y) = x . y / (|x| |y|), 0 if either row is zero.
///
/// @code{.cpp}
/// const Eigen::MatrixXd zs = Eigen::MatrixXd::Random(16, 4), zt = Eigen::MatrixXd::Random(12, 4);
/// const mmd loss{kernel::cosine{}, estimator::biased{}};
/// assert(std::abs(loss((7 * zs).eval(), zt) - loss(zs, zt)) < 1e-14); // lengths do not count
/// @endcode
struct cosine {
  using statistic = cosine_similarity;

  template <class T>
  DALIB_HD jet<T> operator()(const T& s) const {
    return {s, T(1)};
  }
  cosine with_unit(double) const { return *this; }
};

/// k(x, y) = exp(-|x - y|_1 / scale).
/// @throws std::invalid_argument unless scale is positive and finite.
///
/// @code{.cpp}
/// const kernel::laplacian_l1 k{.scale = 2};
/// assert(k(2.0).value == std::exp(-1.0) && k(2.0).slope == -0.5 * std::exp(-1.0));
/// @endcode
struct laplacian_l1 {
  using statistic = l1_distance;
  double scale = 1;

  template <class T>
  DALIB_HD jet<T> operator()(const T& s) const {
    using std::exp;
    const double rate = 1 / scale;
    const T value = exp(T(-rate) * s);
    return {value, T(-rate) * value};
  }
  laplacian_l1 with_unit(double unit) const { return {1 / detail::rate_in_unit(1 / scale, std::sqrt(unit))}; }

  template <class Data>
  laplacian_l1 bind(const Data&) const {
    if (!(scale > 0) || !is_finite(scale))
      fail("kernel::laplacian_l1", "scale must be positive and finite (got " + std::to_string(scale) + ")");
    return *this;
  }
};

} // namespace dalib::kernel
