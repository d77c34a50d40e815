/// @file
/// Any sum of weighted products of kernels of the squared distance, as one compiled kernel.
#pragma once

#include "policies.hpp"

#include "dalib/kernel/composite.hpp"
#include "dalib/kernel/gaussian.hpp"
#include "dalib/kernel/radial.hpp"

#include <stdexcept>

namespace dalib_python {

enum class radial_kind { gaussian, laplacian, rational_quadratic, inverse_multiquadric, matern_three_halves, matern_five_halves, energy };

/// The largest expression: factors in all terms together.
inline constexpr int most_factors = 32;

/// Bound expression: sum over terms of weight times the product of the term's factors. A factor that closes its term says so.
struct radial_profile {
  using statistic = dalib::squared_distance;
  struct factor {
    radial_kind kind = radial_kind::gaussian;
    bool closes = true; ///< the last of its term
    double rate = 1;
    double shape = 1;  ///< alpha of a rational quadratic
    double weight = 1; ///< of the term, in its last factor
  };
  int count = 0;
  factor factors[most_factors] = {};

  template <class T>
  DALIB_HD dalib::jet<T> operator()(const T& s) const {
    dalib::jet<T> sum{T(0), T(0)}, product{T(1), T(0)};
    bool opened = false;
    for (int i = 0; i < count; ++i) {
      const dalib::jet<T> one = value_of(factors[i], s);
      product = opened ? dalib::jet<T>{product.value * one.value, product.slope * one.value + product.value * one.slope} : one;
      opened = !factors[i].closes;
      if (opened) continue;
      const T weight = T(factors[i].weight);
      sum = {sum.value + weight * product.value, sum.slope + weight * product.slope};
    }
    return sum;
  }

  radial_profile with_unit(double unit) const {
    radial_profile result = *this;
    for (int i = 0; i < count; ++i) {
      factor& one = result.factors[i];
      const bool of_length = one.kind == radial_kind::laplacian || one.kind == radial_kind::energy ||
                             one.kind == radial_kind::matern_three_halves || one.kind == radial_kind::matern_five_halves;
      one.rate = dalib::kernel::detail::rate_in_unit(one.rate, of_length ? std::sqrt(unit) : unit);
    }
    return result;
  }

private:
  /// The library's own kernels: every pair of a register takes the same way.
  template <class T>
  DALIB_HD static dalib::jet<T> value_of(const factor& one, const T& s) {
    namespace k = dalib::kernel;
    switch (one.kind) {
    case radial_kind::laplacian:
      return k::laplacian_profile{one.rate}(s);
    case radial_kind::rational_quadratic:
      return k::rational_quadratic_profile{one.rate, one.shape}(s);
    case radial_kind::inverse_multiquadric:
      return k::inverse_multiquadric_profile{one.rate}(s);
    case radial_kind::matern_three_halves:
      return k::matern_profile<k::matern_order::three_halves>{one.rate}(s);
    case radial_kind::matern_five_halves:
      return k::matern_profile<k::matern_order::five_halves>{one.rate}(s);
    case radial_kind::energy:
      return k::energy{one.rate}(s);
    default:
      return k::gaussian_profile{one.rate}(s);
    }
  }
};

/// The expression with its bandwidth rules.
struct radial_expression {
  using statistic = dalib::squared_distance;
  struct factor {
    radial_kind kind = radial_kind::gaussian;
    bool closes = true;
    double shape = 1;
    double weight = 1;
    any_bandwidth bandwidth{};
  };
  int count = 0;
  factor factors[most_factors] = {};

  /// @throws std::invalid_argument if there is no room.
  void add(const factor& one) {
    if (count == most_factors)
      throw std::invalid_argument("kernel: a sum has at most " + std::to_string(most_factors) +
                                  " kernels of a distance, those of products counted; dalib_cpp.kernel.compile has no limit");
    factors[count++] = one;
  }

  template <class Data>
  radial_profile bind(const Data& data) const {
    radial_profile result;
    result.count = count;
    for (int i = 0; i < count; ++i) {
      const factor& one = factors[i];
      result.factors[i] = {one.kind, one.closes, rate_of(one, data), one.shape, one.weight};
    }
    return result;
  }

private:
  template <class Data>
  static double rate_of(const factor& one, const Data& data) {
    namespace k = dalib::kernel;
    switch (one.kind) {
    case radial_kind::laplacian:
      return k::laplacian<any_bandwidth>{one.bandwidth}.bind(data).rate;
    case radial_kind::rational_quadratic:
      return k::rational_quadratic<any_bandwidth>{one.shape, one.bandwidth}.bind(data).rate;
    case radial_kind::inverse_multiquadric:
      return k::inverse_multiquadric<any_bandwidth>{one.bandwidth}.bind(data).rate;
    case radial_kind::matern_three_halves:
      return k::matern<k::matern_order::three_halves, any_bandwidth>{one.bandwidth}.bind(data).rate;
    case radial_kind::matern_five_halves:
      return k::matern<k::matern_order::five_halves, any_bandwidth>{one.bandwidth}.bind(data).rate;
    case radial_kind::energy:
      return 1;
    default:
      return k::gaussian<any_bandwidth>{one.bandwidth}.bind(data).rate;
    }
  }
};

} // namespace dalib_python
