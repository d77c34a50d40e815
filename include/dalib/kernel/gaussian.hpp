/// @file
/// The Gaussian kernel and the ladder of Gaussians of MK-MMD.
#pragma once

#include "dalib/kernel/bandwidths.hpp"
#include "dalib/kernel/bind.hpp"

#include <cmath>
#include <span>
#include <type_traits>

namespace dalib::kernel {

/// Bound Gaussian: k(s) = exp(-rate s).
struct gaussian_profile {
  using statistic = squared_distance;
  double rate = 0.5; ///< 1 / (2 sigma^2)

  template <class T>
  DALIB_HD jet<T> operator()(const T& s) const {
    using std::exp;
    const T value = exp(T(-rate) * s);
    return {value, T(-rate) * value};
  }
  gaussian_profile with_unit(double unit) const { return {detail::rate_in_unit(rate, unit)}; }
};

/// k(x, y) = exp(-|x - y|^2 / (2 sigma^2)), sigma^2 by the bandwidth rule (DAN, Long et al. 2015; DALIB's GaussianKernel). A number in the
/// rule's place is sigma itself, in the unit of the rows: `gaussian{0.5}` is `gaussian{bandwidth::fixed{0.5}}`.
///
/// @code{.cpp}
/// const kernel::gaussian_profile bound{.rate = 0.5}; // sigma = 1
/// const jet<double> at = bound(2.0);
/// assert(at.value == std::exp(-1.0) && at.slope == -0.5 * at.value);
/// const Eigen::MatrixXd zs = Eigen::MatrixXd::Random(16, 4), zt = Eigen::MatrixXd::Random(12, 4);
/// const mmd data_width{kernel::gaussian{}};
/// const mmd own_width{kernel::gaussian{2.0}};
/// assert(own_width(zs, zt) == mmd{kernel::gaussian{bandwidth::fixed{2}}}(zs, zt));
/// assert(std::isfinite(data_width(zs, zt)) && data_width(zs, zt) != own_width(zs, zt));
/// @endcode
template <class Bandwidth = bandwidth::mean>
struct gaussian {
  using statistic = squared_distance;
  Bandwidth bandwidth{};

  template <class Data>
  gaussian_profile bind(const Data& data) const {
    return {1 / (2 * bandwidth.squared_scale(data))};
  }
};
gaussian()->gaussian<bandwidth::mean>;
template <class Bandwidth>
gaussian(Bandwidth) -> gaussian<bandwidth::rule_of<Bandwidth>>;

/// Bound ladder: sum_k w_k exp(-rate_k s) with rate_k = 2^(count-1-k) * rate. Every term is the square of the one above it, so one
/// exponential serves all; the relative error of a term grows to 2^(count-1) roundings, its absolute error stays at one.
struct gaussian_ladder_profile {
  using statistic = squared_distance;
  static constexpr int capacity = 16;
  double rate = 0.5; ///< of the widest Gaussian
  int count = 0;
  bool uniform = true;           ///< all weights are 1
  double weights[capacity] = {}; ///< read only if not uniform

  template <class T>
  DALIB_HD jet<T> operator()(const T& s) const {
    using std::exp;
    T power = exp(T(-rate) * s);
    T value = T(0), slope = T(0), term_rate = T(-rate);
    for (int k = count - 1; k >= 0; --k) {
      const T term = uniform ? power : T(weights[k]) * power;
      value = value + term;
      slope = slope + term_rate * term;
      power = power * power;
      term_rate = term_rate + term_rate;
    }
    return {value, slope};
  }

  gaussian_ladder_profile with_unit(double unit) const {
    gaussian_ladder_profile result = *this;
    result.rate = detail::rate_in_unit(rate, unit);
    return result;
  }

  /// Term k alone, with weight 1.
  gaussian_profile term(int k) const { return {std::ldexp(rate, count - 1 - k)}; }
};

/// k(x, y) = sum_{k=0}^{count-1} exp(-|x - y|^2 / (2 first_alpha 2^k sigma^2)), sigma^2 by the bandwidth rule: MK-MMD's family of kernels
/// (DAN, Long et al. 2015, section 3.1; DALIB: first_alpha = 2^-3, count = 5). One exponential for all terms. A number as third argument is
/// sigma itself.
/// @throws std::invalid_argument unless first_alpha > 0 and 1 <= count <= 16.
///
/// @code{.cpp}
/// const kernel::gaussian_ladder two(0.5, 2); // sigma^2 = 1/2 and 1 times the mean squared distance
/// const auto sum = kernel::gaussian{bandwidth::mean{0.5}} + kernel::gaussian{bandwidth::mean{1}};
/// const Eigen::MatrixXd zs = Eigen::MatrixXd::Random(16, 4), zt = Eigen::MatrixXd::Random(12, 4);
/// assert(std::abs(mmd(two)(zs, zt) - mmd(sum)(zs, zt)) < 1e-14);
/// kernel::gaussian_ladder_profile bound; // bound by hand: exp(-2 s) + exp(-s)
/// bound.rate = 1;
/// bound.count = 2;
/// assert(std::abs(bound(1.0).value - std::exp(-2) - std::exp(-1)) < 1e-15 && bound.term(0).rate == 2);
/// @endcode
template <class Bandwidth = bandwidth::mean>
struct gaussian_ladder {
  using statistic = squared_distance;
  double first_alpha;
  int count;
  Bandwidth bandwidth;

  explicit gaussian_ladder(double first = 0.125, int terms = 5, Bandwidth rule = {}) : first_alpha(first), count(terms), bandwidth(rule) {
    if (!(first > 0) || !is_finite(first)) fail("kernel::gaussian_ladder", "first_alpha must be positive and finite");
    if (terms < 1 || terms > gaussian_ladder_profile::capacity) fail("kernel::gaussian_ladder", "count must be in 1..16");
  }
  /// The same with a number as sigma.
  gaussian_ladder(double first, int terms, double sigma) requires std::is_same_v<Bandwidth, bandwidth::fixed>
      : gaussian_ladder(first, terms, bandwidth::fixed{sigma}) {}

  template <class Data>
  gaussian_ladder_profile bind(const Data& data) const {
    gaussian_ladder_profile profile;
    profile.rate = 1 / (2 * std::ldexp(first_alpha, count - 1) * bandwidth.squared_scale(data));
    profile.count = count;
    return profile;
  }
};

gaussian_ladder()->gaussian_ladder<bandwidth::mean>;
gaussian_ladder(double)->gaussian_ladder<bandwidth::mean>;
gaussian_ladder(double, int)->gaussian_ladder<bandwidth::mean>;
gaussian_ladder(double, int, double)->gaussian_ladder<bandwidth::fixed>; // clang 14 needs to be told
template <class Bandwidth>
gaussian_ladder(double, int, Bandwidth) -> gaussian_ladder<bandwidth::rule_of<Bandwidth>>;

} // namespace dalib::kernel
