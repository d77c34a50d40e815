/// @file
/// The kernels of CAN's code, which clips what stands in their exponentials.
#pragma once

#include "dalib/measure/contrastive_domain_discrepancy.hpp"
#include "dalib/simd/number.hpp"

#include <cmath>

namespace dalib {

namespace compat {

/// The ladder of CAN's code: sum_i exp(-clip(rate_i s, 1e-5, 1e5)), so k(x, x) is not quite the number of terms. Where it clips the slope
/// is 0.
///
/// @code{.cpp}
/// const compat::clipped_ladder_profile bound{.rate = 1, .count = 5};
/// assert(std::abs(bound(0.0).value - 5 * std::exp(-1e-5)) < 1e-14 && bound(0.0).slope == 0);
/// @endcode
struct clipped_ladder_profile {
  using statistic = squared_distance;
  double rate = 1; ///< of the widest term; the others have twice the rate of the one before
  int count = 5;

  template <class T>
  DALIB_HD jet<T> operator()(const T& s) const {
    using dalib::select;
    using std::exp;
    T value(0), slope(0), term_rate = T(rate);
    for (int i = 0; i < count; ++i) {
      const T scaled = term_rate * s, low = T(1e-5), high = T(1e5);
      const auto below = scaled<low, above = scaled> high;
      const T term = exp(-select(below, low, select(above, high, scaled)));
      value = value + term;
      slope = slope - select(below, T(0), select(above, T(0), term_rate * term));
      term_rate = term_rate + term_rate;
    }
    return {value, slope};
  }
  clipped_ladder_profile with_unit(double unit) const { return {kernel::detail::rate_in_unit(rate, unit), count}; }
};

/// The ladder that gives contrastive_domain_discrepancy CAN's own numbers.
///
/// @code{.cpp}
/// const Eigen::MatrixXd z_s = Eigen::MatrixXd::Random(4, 3), z_t = Eigen::MatrixXd::Random(4, 3);
/// const std::vector<std::int64_t> labels = {0, 1, 0, 1};
/// const double theirs = contrastive_domain_discrepancy<compat::clipped_ladder>{labels, labels, 2}(z_s, z_t);
/// assert(std::abs(theirs - contrastive_domain_discrepancy{labels, labels, 2}(z_s, z_t)) < 1e-3);
/// @endcode
struct clipped_ladder {
  using statistic = squared_distance;
  dalib::detail::pooled_scale scale;

  static clipped_ladder kernel(const dalib::detail::pooled_scale& of_pair) { return {of_pair}; }
  template <class Data>
  clipped_ladder_profile bind(const Data& data) const {
    return {.rate = 1 / (4 * scale.squared_scale(data)), .count = 5};
  }
};

} // namespace compat

} // namespace dalib
