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
