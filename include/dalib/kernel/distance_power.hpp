/// @file
/// The kernel of the energy distance with any exponent.
#pragma once

#include "dalib/core/check.hpp"
#include "dalib/kernel/bind.hpp"
#include "dalib/kernel/statistics.hpp"

#include <cmath>
#include <string>

namespace dalib::kernel {

/// k(x, y) = -|x - y|_2^exponent, conditionally positive definite for 0 < exponent < 2: with it the (squared) MMD is the energy distance of
/// that exponent (Szekely and Rizzo 2013, section 4); 1 is kernel::energy. Its gradient at x = y is taken as 0.
/// @throws std::invalid_argument unless 0 < exponent <= 2.
///
/// @code{.cpp}
/// const kernel::distance_power bound{.exponent = 1.5};
/// assert(std::abs(bound(16.0).value + 8) < 1e-14 && std::abs(bound(16.0).slope + 0.375) < 1e-15); // -s^(3/4), -3/4 s^(-1/4)
/// @endcode
struct distance_power {
  using statistic = squared_distance;
  double exponent = 1;
  double unit = 1; ///< @internal of the distance to that power

  template <class T>
  DALIB_HD jet<T> operator()(const T& s) const {
    using std::pow;
    using std::sqrt;
    const T value = T(-unit) * (exponent == 1 ? sqrt(s) : pow(s, T(0.5 * exponent)));
    return {value, T(0.5 * exponent) * value / s};
  }
  template <class Data>
  distance_power bind(const Data&) const {
    if (!(exponent > 0 && exponent <= 2))
      fail("kernel::distance_power", "the exponent must be in (0, 2] (got " + std::to_string(exponent) + ")");
    return *this;
  }
  distance_power with_unit(double squared_unit) const { return {exponent, unit * std::pow(squared_unit, 0.5 * exponent)}; }
};

} // namespace dalib::kernel
