/// @file
/// Binding: once per call a kernel meets the data, its bandwidth rule gives a number, and what remains is a plain function of the
/// statistic.
#pragma once

#include "dalib/kernel/evaluate.hpp"

#include <concepts>
#include <utility>

namespace dalib {

/// The kernel with every bandwidth resolved on `data`; a kernel without a bandwidth rule is its own result.
template <class K, class Data>
auto bind(const K& k, const Data& data) {
  if constexpr (requires { k.bind(data); })
    return k.bind(data);
  else
    return k;
}

/// Type of a bound kernel.
template <class K, class Data>
using bound_kernel = decltype(dalib::bind(std::declval<const K&>(), std::declval<const Data&>()));

/// @internal
/// A bound kernel that can be told the unit its squared distances come in: k.with_unit(u)(s) = k(s u). The engines use it where the rows'
/// distances leave the range of their type.
template <class K>
concept takes_unit = requires(const K& k) {
  { k.with_unit(1.0) } -> std::same_as<K>;
};

namespace kernel::detail {
/// A rate in another unit, such that neither it nor what is made of it overflows in single precision.
inline double rate_in_unit(double rate, double unit) { return rate * unit < 0x1p64 ? rate * unit : 0x1p64; }
} // namespace kernel::detail

/// A type that names the pair statistic(s) it reads.
///
/// @code{.cpp}
/// struct data {
///   double mean_squared_distance() const { return 2; }
/// };
/// const auto bound = dalib::bind(kernel::gaussian{}, data{}); // exp(-s / (2 * 2))
/// assert(bound(4.0).value == std::exp(-1.0));
/// static_assert(kernel_like<kernel::gaussian<>> && kernel_like<decltype(bound)> && !kernel_like<double>);
/// @endcode
template <class K>
concept kernel_like = detail::has_statistic<K> || detail::has_parts<K>;

} // namespace dalib
