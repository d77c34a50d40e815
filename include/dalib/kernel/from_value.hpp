/// @file
/// A kernel from a function that gives only the value.
#pragma once

#include "dalib/core/jet.hpp"
#include "dalib/kernel/bind.hpp"

#include <type_traits>
#include <utility>

namespace dalib::kernel {

/// The kernel s -> f(s), whose slope is found by evaluating f on a dual number (exact, no differences). `f` is generic in its argument and
/// finds exp, log, sqrt, pow, tanh by argument-dependent lookup.
///
/// @code{.cpp}
/// auto f = [](auto s) { return exp(-0.5 * s); };
/// const kernel::value_only<decltype(f)> k = kernel::from_value(f);
/// assert(k(1.0).value == std::exp(-0.5) && k(1.0).slope == -0.5 * std::exp(-0.5));
/// const Eigen::MatrixXd zs = Eigen::MatrixXd::Random(16, 4), zt = Eigen::MatrixXd::Random(12, 4);
/// assert(std::abs(mmd(k)(zs, zt) - mmd(kernel::gaussian{bandwidth::fixed{1}})(zs, zt)) < 1e-14);
/// @endcode
template <class F, class Statistic = squared_distance>
struct value_only {
  using statistic = Statistic;
  F f;

  template <class T>
  DALIB_HD jet<T> operator()(const T& s) const {
    return f(jet<T>{s, T(1)});
  }
};

/// `from_value([](auto s) { using std::exp; return exp(-0.01f * s); })`; another statistic: `from_value<inner_product>(f)`.
template <class Statistic = squared_distance, class F>
value_only<F, Statistic> from_value(F f) {
  return {std::move(f)};
}

} // namespace dalib::kernel
