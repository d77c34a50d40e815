/// @file
/// Sums, products and multiples of kernels, whatever statistics their parts read.
#pragma once

#include "dalib/kernel/bind.hpp"

#include <concepts>
#include <type_traits>

namespace dalib::kernel {

/// k(x, y) = a(x, y) + b(x, y); written `a + b`.
///
/// @code{.cpp}
/// const kernel::sum_of<kernel::gaussian<>, kernel::scaled<kernel::linear>> k = kernel::gaussian{} + 0.5 * kernel::linear{};
/// const Eigen::MatrixXd zs = Eigen::MatrixXd::Random(16, 4), zt = Eigen::MatrixXd::Random(12, 4);
/// const double parts = mmd(kernel::gaussian{})(zs, zt) + 0.5 * mmd(kernel::linear{})(zs, zt);
/// assert(std::abs(mmd(k)(zs, zt) - parts) < 1e-14); // two statistics, one pass
/// @endcode
template <class A, class B>
struct sum_of {
  using statistics = unite<statistics_of<A>, statistics_of<B>>;
  A a;
  B b;

  template <class List, class T>
  DALIB_HD multi_jet<T, List::size> evaluate(const T (&s)[List::size]) const {
    const auto left = dalib::evaluate<List>(a, s);
    const auto right = dalib::evaluate<List>(b, s);
    multi_jet<T, List::size> result{left.value + right.value, {}};
    for (std::size_t i = 0; i < List::size; ++i) result.slopes[i] = left.slopes[i] + right.slopes[i];
    return result;
  }

  template <class Data>
  auto bind(const Data& data) const {
    using bound = sum_of<bound_kernel<A, Data>, bound_kernel<B, Data>>;
    return bound{dalib::bind(a, data), dalib::bind(b, data)};
  }
  sum_of with_unit(double unit) const requires(takes_unit<A> && takes_unit<B>) { return {a.with_unit(unit), b.with_unit(unit)}; }
};

/// k(x, y) = a(x, y) b(x, y); written `a * b`.
///
/// @code{.cpp}
/// const kernel::product_of<kernel::gaussian<bandwidth::fixed>, kernel::gaussian<bandwidth::fixed>> k =
///     kernel::gaussian{bandwidth::fixed{1}} * kernel::gaussian{bandwidth::fixed{1}};
/// const Eigen::MatrixXd zs = Eigen::MatrixXd::Random(16, 4), zt = Eigen::MatrixXd::Random(12, 4);
/// const kernel::gaussian<bandwidth::fixed> narrow{bandwidth::fixed{std::sqrt(0.5)}};
/// assert(std::abs(mmd(k)(zs, zt) - mmd(narrow)(zs, zt)) < 1e-14); // exp(-s/2) exp(-s/2) = exp(-s)
/// @endcode
template <class A, class B>
struct product_of {
  using statistics = unite<statistics_of<A>, statistics_of<B>>;
  A a;
  B b;

  template <class List, class T>
  DALIB_HD multi_jet<T, List::size> evaluate(const T (&s)[List::size]) const {
    const auto left = dalib::evaluate<List>(a, s);
    const auto right = dalib::evaluate<List>(b, s);
    multi_jet<T, List::size> result{left.value * right.value, {}};
    for (std::size_t i = 0; i < List::size; ++i) result.slopes[i] = left.slopes[i] * right.value + left.value * right.slopes[i];
    return result;
  }

  template <class Data>
  auto bind(const Data& data) const {
    using bound = product_of<bound_kernel<A, Data>, bound_kernel<B, Data>>;
    return bound{dalib::bind(a, data), dalib::bind(b, data)};
  }
  product_of with_unit(double unit) const requires(takes_unit<A> && takes_unit<B>) { return {a.with_unit(unit), b.with_unit(unit)}; }
};

/// k(x, y) = factor a(x, y); written `factor * a`.
template <class A>
struct scaled {
  using statistics = statistics_of<A>;
  A a;
  double factor = 1;

  template <class List, class T>
  DALIB_HD multi_jet<T, List::size> evaluate(const T (&s)[List::size]) const {
    auto result = dalib::evaluate<List>(a, s);
    const T by = T(factor);
    result.value = result.value * by;
    for (std::size_t i = 0; i < List::size; ++i) result.slopes[i] = result.slopes[i] * by;
    return result;
  }

  template <class Data>
  auto bind(const Data& data) const {
    return scaled<bound_kernel<A, Data>>{dalib::bind(a, data), factor};
  }
  scaled with_unit(double unit) const requires(takes_unit<A>) { return {a.with_unit(unit), factor}; }
};

/// The operators accept any two types of which each names its statistics; they are found by argument-dependent lookup when one operand
/// comes from dalib::kernel, and by `using namespace dalib` for two of the user's own.
template <kernel_like A, kernel_like B>
sum_of<A, B> operator+(const A& a, const B& b) {
  return {a, b};
}
template <kernel_like A, kernel_like B>
product_of<A, B> operator*(const A& a, const B& b) {
  return {a, b};
}
template <kernel_like A, class S>
requires std::is_arithmetic_v<S> scaled<A>
operator*(S factor, const A& a) { return {a, static_cast<double>(factor)}; }
template <kernel_like A, class S>
requires std::is_arithmetic_v<S> scaled<A>
operator*(const A& a, S factor) { return {a, static_cast<double>(factor)}; }

} // namespace dalib::kernel

namespace dalib {
using kernel::operator+;
using kernel::operator*;
} // namespace dalib
