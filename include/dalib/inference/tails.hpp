/// @file
/// Tails and quantiles of the normal and the gamma law, accurate far out: 1 - CDF is never formed.
#pragma once

#include "dalib/core/check.hpp"

#include <unsupported/Eigen/SpecialFunctions>

#include <cmath>
#include <numbers>

namespace dalib::inference {

/// P(Z > z) of a standard normal number: erfc(z / sqrt 2) / 2.
inline double normal_upper_tail(double z) { return std::erfc(z / std::numbers::sqrt2) / 2; }

/// z with P(Z > z) = p, 0 < p < 1.
///
/// @code{.cpp}
/// assert(std::abs(inference::normal_upper_quantile(0.05) - 1.6448536269514722) < 1e-14);
/// assert(std::abs(inference::normal_upper_tail(inference::normal_upper_quantile(1e-30)) / 1e-30 - 1) < 1e-11);
/// @endcode
inline double normal_upper_quantile(double p) {
  double z = -Eigen::numext::ndtri(p);
  // One step of Newton's method on the logarithm of the tail: the approximation's last digits.
  const double tail = normal_upper_tail(z), density = std::exp(-z * z / 2) / std::sqrt(2 * std::numbers::pi);
  if (tail > 0 && density > 0) z += tail * std::log(tail / p) / density;
  return z;
}

/// Q(shape, x) = Gamma(shape, x) / Gamma(shape), the upper tail of a gamma law of scale 1; 1 for x <= 0.
///
/// @code{.cpp}
/// assert(std::abs(inference::gamma_upper_tail(1, 50) / std::exp(-50.0) - 1) < 1e-12);
/// @endcode
inline double gamma_upper_tail(double shape, double x) { return x > 0 ? Eigen::numext::igammac(shape, x) : 1; }

/// P(chi-squared with that many degrees > x).
inline double chi_squared_upper_tail(double degrees, double x) { return gamma_upper_tail(degrees / 2, x / 2); }

/// x with Q(shape, x) = p: bisection of the logarithm of x, then Newton's method. Monotone, so that it cannot fail. 0 < p < 1.
///
/// @code{.cpp}
/// assert(std::abs(inference::gamma_upper_quantile(1, 0.05) + std::log(0.05)) < 1e-12);
/// @endcode
inline double gamma_upper_quantile(double shape, double p) {
  double low = -700, high = 700; // of log x
  for (int i = 0; i < 60 && high - low > 1e-3; ++i) {
    const double middle = (low + high) / 2;
    (gamma_upper_tail(shape, std::exp(middle)) > p ? low : high) = middle;
  }
  double x = std::exp((low + high) / 2);
  for (int i = 0; i < 6; ++i) {
    const double density = std::exp((shape - 1) * std::log(x) - x - std::lgamma(shape));
    const double step = (gamma_upper_tail(shape, x) - p) / density;
    if (!std::isfinite(step)) break;
    x = std::clamp(x + step, std::exp(low), std::exp(high));
  }
  return x;
}

} // namespace dalib::inference
