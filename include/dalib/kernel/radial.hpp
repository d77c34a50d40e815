/// @file
/// Further kernels of the distance. Each length scale comes from a bandwidth rule; a number in the rule's place is the length itself, in the
/// unit of the rows.
#pragma once

#include "dalib/kernel/bandwidths.hpp"
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
  laplacian_profile with_unit(double unit) const { return {detail::rate_in_unit(rate, std::sqrt(unit))}; }
};

/// k(x, y) = exp(-|x - y|_2 / sigma). Its gradient at x = y is taken as 0.
///
/// @code{.cpp}
/// const kernel::laplacian_profile bound{.rate = 0.5}; // sigma = 2
/// assert(bound(4.0).value == std::exp(-1.0) && bound(4.0).slope == -0.125 * std::exp(-1.0));
/// const Eigen::MatrixXd zs = Eigen::MatrixXd::Random(16, 4), zt = Eigen::MatrixXd::Random(12, 4);
/// assert(mmd(kernel::laplacian{2.0}, estimator::biased{})(zs, zt) > 0);
/// @endcode
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
laplacian(Bandwidth) -> laplacian<bandwidth::rule_of<Bandwidth>>;

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
  rational_quadratic_profile with_unit(double unit) const { return {detail::rate_in_unit(rate, unit), alpha}; }
};

/// k(x, y) = (1 + |x - y|^2 / (2 alpha l^2))^-alpha, l^2 by the bandwidth rule.
///
/// @code{.cpp}
/// const kernel::rational_quadratic_profile bound{.rate = 0.5, .alpha = 2};
/// assert(std::abs(bound(2.0).value - 0.25) < 1e-15 && std::abs(bound(2.0).slope + 0.125) < 1e-15);
/// const Eigen::MatrixXd zs = Eigen::MatrixXd::Random(16, 4), zt = Eigen::MatrixXd::Random(12, 4);
/// assert(mmd(kernel::rational_quadratic{2.0, bandwidth::median{}}, estimator::biased{})(zs, zt) > 0);
/// @endcode
template <class Bandwidth = bandwidth::mean>
struct rational_quadratic {
  using statistic = squared_distance;
  double alpha = 1;
  Bandwidth bandwidth{};

  template <class Data>
  rational_quadratic_profile bind(const Data& data) const {
    if (!(alpha > 0) || !is_finite(alpha)) fail("kernel::rational_quadratic", "alpha must be positive and finite");
    return {1 / (2 * alpha * bandwidth.squared_scale(data)), alpha};
  }
};
rational_quadratic()->rational_quadratic<bandwidth::mean>;
rational_quadratic(double)->rational_quadratic<bandwidth::mean>;
template <class Bandwidth>
rational_quadratic(double, Bandwidth) -> rational_quadratic<bandwidth::rule_of<Bandwidth>>;

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
  inverse_multiquadric_profile with_unit(double unit) const { return {detail::rate_in_unit(rate, unit)}; }
};

/// k(x, y) = (1 + |x - y|^2 / c^2)^-1/2, c^2 by the bandwidth rule.
///
/// @code{.cpp}
/// const kernel::inverse_multiquadric_profile bound{.rate = 1};
/// assert(bound(3.0).value == 0.5 && bound(3.0).slope == -0.0625);
/// const Eigen::MatrixXd zs = Eigen::MatrixXd::Random(16, 4), zt = Eigen::MatrixXd::Random(12, 4);
/// assert(mmd(kernel::inverse_multiquadric{}, estimator::biased{})(zs, zt) > 0);
/// @endcode
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
inverse_multiquadric(Bandwidth) -> inverse_multiquadric<bandwidth::rule_of<Bandwidth>>;

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
  matern_profile with_unit(double unit) const { return {detail::rate_in_unit(rate, std::sqrt(unit))}; }
};

/// Matern kernel with nu = 3/2 or 5/2 (nu = 1/2 is the Laplacian); l^2 by the bandwidth rule (Rasmussen and Williams 2006, eq. 4.17).
///
/// @code{.cpp}
/// const kernel::matern_profile<kernel::matern_order::three_halves> bound{.rate = 1};
/// assert(bound(0.0).value == 1);
/// assert(std::abs(bound(4.0).value - 3 * std::exp(-2)) < 1e-15); // (1 + r) e^-r at r = 2
/// const Eigen::MatrixXd zs = Eigen::MatrixXd::Random(16, 4), zt = Eigen::MatrixXd::Random(12, 4);
/// assert(mmd(kernel::matern<kernel::matern_order::five_halves>{}, estimator::biased{})(zs, zt) > 0);
/// @endcode
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
matern()->matern<matern_order::five_halves, bandwidth::mean>;
template <class Bandwidth>
matern(Bandwidth) -> matern<matern_order::five_halves, bandwidth::rule_of<Bandwidth>>;

/// k(x, y) = -|x - y|_2: with it the (squared) MMD is the energy distance 2 E|x-y| - E|x-x'| - E|y-y'| (Szekely and Rizzo 2013, eq. 5).
/// Conditionally positive definite. Its gradient at x = y is taken as 0.
///
/// @code{.cpp}
/// const Eigen::MatrixXd zs = Eigen::MatrixXd::Zero(2, 1), zt = Eigen::MatrixXd::Constant(2, 1, 3);
/// assert(std::abs(mmd(kernel::energy{}, estimator::biased{})(zs, zt) - 6) < 1e-14); // 2 E|x - y| = 6, nothing within the domains
/// @endcode
struct energy {
  using statistic = squared_distance;
  double unit = 1; ///< @internal of the distance; see takes_unit

  template <class T>
  DALIB_HD jet<T> operator()(const T& s) const {
    using std::sqrt;
    const T distance = sqrt(s);
    return {T(-unit) * distance, T(-0.5 * unit) / distance};
  }
  energy with_unit(double squared_unit) const { return {unit * std::sqrt(squared_unit)}; }
};

} // namespace dalib::kernel
