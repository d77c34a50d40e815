/// @file
/// Further kernels of the distance. Each length scale comes from a bandwidth rule.
#pragma once

#include "dalib/bandwidth/bandwidths.hpp"
#include "dalib/kernel/bind.hpp"

#include <cmath>

namespace dalib::kernel {

/// Bound Laplacian: k(s) = exp(-rate sqrt(s)).
struct laplacian_profile {
  using statistic = squared_distance;
  double rate = 1;

  template <class T>
  DALIB_HD jet<T> operator()(const T& s) const {
    using std::exp;
    using std::sqrt;
    const T distance = sqrt(s);
    const T value = exp(T(-rate) * distance);
    return {value, T(-0.5 * rate) * value / distance};
  }
};

/// k(x, y) = exp(-|x - y|_2 / sigma). Its gradient at x = y is taken as 0.
template <class Bandwidth = bandwidth::mean>
struct laplacian {
  using statistic = squared_distance;
  Bandwidth bandwidth{};

  template <class Data>
  laplacian_profile bind(const Data& data) const {
    return {1 / std::sqrt(bandwidth.squared_scale(data))};
  }
};
laplacian()->laplacian<bandwidth::mean>;
template <class Bandwidth>
laplacian(Bandwidth) -> laplacian<Bandwidth>;

/// Bound rational quadratic: k(s) = (1 + rate s)^-alpha.
struct rational_quadratic_profile {
  using statistic = squared_distance;
  double rate = 1;
  double alpha = 1;

  template <class T>
  DALIB_HD jet<T> operator()(const T& s) const {
    using std::pow;
    const T base = T(1) + T(rate) * s;
    const T value = pow(base, T(-alpha));
    return {value, T(-alpha * rate) * value / base};
  }
};

/// k(x, y) = (1 + |x - y|^2 / (2 alpha l^2))^-alpha, l^2 by the bandwidth rule.
template <class Bandwidth = bandwidth::mean>
struct rational_quadratic {
  using statistic = squared_distance;
  double alpha = 1;
  Bandwidth bandwidth{};

  template <class Data>
  rational_quadratic_profile bind(const Data& data) const {
    if (!(alpha > 0) || !std::isfinite(alpha)) fail("kernel::rational_quadratic", "alpha must be positive and finite");
    return {1 / (2 * alpha * bandwidth.squared_scale(data)), alpha};
  }
};
rational_quadratic()->rational_quadratic<bandwidth::mean>;
rational_quadratic(double)->rational_quadratic<bandwidth::mean>;
template <class Bandwidth>
rational_quadratic(double, Bandwidth) -> rational_quadratic<Bandwidth>;

/// Bound inverse multiquadric: k(s) = (1 + rate s)^-1/2.
struct inverse_multiquadric_profile {
  using statistic = squared_distance;
  double rate = 1;

  template <class T>
  DALIB_HD jet<T> operator()(const T& s) const {
    using std::sqrt;
    const T base = T(1) + T(rate) * s;
    const T value = T(1) / sqrt(base);
    return {value, T(-0.5 * rate) * value / base};
  }
};

/// k(x, y) = (1 + |x - y|^2 / c^2)^-1/2, c^2 by the bandwidth rule.
template <class Bandwidth = bandwidth::mean>
struct inverse_multiquadric {
  using statistic = squared_distance;
  Bandwidth bandwidth{};

  template <class Data>
  inverse_multiquadric_profile bind(const Data& data) const {
    return {1 / bandwidth.squared_scale(data)};
  }
};
inverse_multiquadric()->inverse_multiquadric<bandwidth::mean>;
template <class Bandwidth>
inverse_multiquadric(Bandwidth) -> inverse_multiquadric<Bandwidth>;

/// Smoothness of a Matern kernel.
enum class matern_order { three_halves, five_halves };

/// Bound Matern kernel of r = rate |x - y|: (1 + r) e^-r, or (1 + r + r^2 / 3) e^-r.
template <matern_order Order>
struct matern_profile {
  using statistic = squared_distance;
  double rate = 1; ///< sqrt(2 nu) / l

  template <class T>
  DALIB_HD jet<T> operator()(const T& s) const {
    using std::exp;
    using std::sqrt;
    const T r = T(rate) * sqrt(s);
    const T decay = exp(-r);
    const double square = rate * rate;
    if constexpr (Order == matern_order::three_halves)
      return {(T(1) + r) * decay, T(-0.5 * square) * decay};
    else
      return {(T(1) + r + r * r * T(1.0 / 3)) * decay, T(-square / 6) * (T(1) + r) * decay};
  }
};

/// Matern kernel with nu = 3/2 or 5/2 (nu = 1/2 is the Laplacian); l^2 by the bandwidth rule (Rasmussen and Williams 2006, eq. 4.17).
template <matern_order Order = matern_order::five_halves, class Bandwidth = bandwidth::mean>
struct matern {
  using statistic = squared_distance;
  Bandwidth bandwidth{};

  template <class Data>
  matern_profile<Order> bind(const Data& data) const {
    constexpr double twice_nu = Order == matern_order::three_halves ? 3 : 5;
    return {std::sqrt(twice_nu / bandwidth.squared_scale(data))};
  }
};

/// k(x, y) = -|x - y|_2: with it the (squared) MMD is the energy distance 2 E|x-y| - E|x-x'| - E|y-y'| (Szekely and Rizzo 2013, eq. 5).
/// Conditionally positive definite. Its gradient at x = y is taken as 0.
struct energy {
  using statistic = squared_distance;

  template <class T>
  DALIB_HD jet<T> operator()(const T& s) const {
    using std::sqrt;
    const T distance = sqrt(s);
    return {-distance, T(-0.5) / distance};
  }
};

} // namespace dalib::kernel
