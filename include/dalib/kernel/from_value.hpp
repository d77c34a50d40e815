/// @file
/// A kernel from a function that gives only the value.
#pragma once

#include "dalib/kernel/bind.hpp"
#include "dalib/kernel/jet_functions.hpp"
#include "dalib/simd/pack_functions.hpp"

#include <type_traits>
#include <utility>

namespace dalib::kernel {

/// The kernel s -> f(s), whose slope is found by evaluating f on a dual number (exact, no differences). `f` is generic in its argument and
/// finds exp, cos, max, select and all other functions of include/dalib/extending.md by argument-dependent lookup.
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
    using result = decltype(f(jet<T>{s, T(1)}));
    constexpr bool constant = number<result> || std::is_same_v<result, T>; // such as select(s < 1, 1, 0)
    static_assert(constant || std::is_same_v<result, jet<T>>,
                  "dalib: the function given to kernel::from_value must return what its argument is made of, such as exp(-s): see "
                  "include/dalib/extending.md");
    if constexpr (constant)
      return {T(f(jet<T>{s, T(1)})), T(0)};
    else if constexpr (std::is_same_v<result, jet<T>>)
      return f(jet<T>{s, T(1)});
    else
      return {};
  }
};

/// `from_value([](auto s) { using std::exp; return exp(-0.01f * s); })`; another statistic: `from_value<inner_product>(f)`.
template <class Statistic = squared_distance, class F>
value_only<F, Statistic> from_value(F f) {
  return {std::move(f)};
}

} // namespace dalib::kernel
