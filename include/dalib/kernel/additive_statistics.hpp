/// @file
/// Pair statistics that add up over the features, besides the l1 distance.
#pragma once

#include "dalib/kernel/statistics.hpp"

#include <cmath>

namespace dalib {

/// s = sum_f (x_f - y_f)^2 / (x_f + y_f), the chi-squared distance of histograms and other features >= 0; a feature that is 0 in both rows
/// adds 0.
///
/// @code{.cpp}
/// assert(chi_squared_distance::term(3.0, 1.0) == 1 && chi_squared_distance::slope(3.0, 1.0) == 0.75);
/// const Eigen::MatrixXd zs = Eigen::MatrixXd::Random(16, 4).cwiseAbs(), zt = Eigen::MatrixXd::Random(12, 4).cwiseAbs();
/// const auto k = kernel::from_value<chi_squared_distance>([](auto s) { return exp(-s / 2); });
/// assert(mmd(k, estimator::biased{})(zs, zt) > 0);
/// @endcode
struct chi_squared_distance {
  static constexpr bool from_gram = false;
  static constexpr bool translation_invariant = false;

  template <class T>
  DALIB_HD static T term(const T& x, const T& y) {
    const T sum = x + y, d = x - y;
    return select(sum > T(0), d * d / select(sum > T(0), sum, T(1)), T(0));
  }
  template <class T>
  DALIB_HD static T slope(const T& x, const T& y) {
    const T sum = x + y, share = (x - y) / select(sum > T(0), sum, T(1));
    return select(sum > T(0), share * (T(2) - share), T(0));
  }
};

/// s = sum_f |x_f - y_f|^p with p = Numerator / Denominator > 0; its derivative is taken as 0 where two features are equal. exp(-s) is
/// positive definite for p <= 2.
///
/// @code{.cpp}
/// static_assert(power_distance<1, 2>::exponent == 0.5);
/// assert(std::abs(power_distance<3>::term(1.0, 3.0) - 8) < 1e-12 && std::abs(power_distance<3>::slope(1.0, 3.0) + 12) < 1e-12);
/// @endcode
template <int Numerator, int Denominator = 1>
struct power_distance {
  static_assert(Numerator > 0 && Denominator > 0, "dalib: power_distance needs a positive exponent");
  static constexpr bool from_gram = false;
  static constexpr bool translation_invariant = true;
  static constexpr double exponent = static_cast<double>(Numerator) / Denominator;

  template <class T>
  DALIB_HD static T term(const T& x, const T& y) {
    return power(x, y, T(exponent));
  }
  template <class T>
  DALIB_HD static T slope(const T& x, const T& y) {
    const T size = T(exponent) * power(x, y, T(exponent - 1));
    return select(x < y, -size, size);
  }

private:
  /// |x - y|^p, and 0 for equal features whatever p is.
  template <class T>
  DALIB_HD static T power(const T& x, const T& y, const T& p) {
    using std::exp;
    using std::log;
    const T d = select(x < y, y - x, x - y);
    return select(d > T(0), exp(p * log(select(d > T(0), d, T(1)))), T(0));
  }
};

} // namespace dalib
