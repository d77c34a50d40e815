/// @file
/// Plain numbers beside packs and jets: what counts as one, a choice between two, and the sentence for what takes nothing else.
#pragma once

#include "dalib/config.hpp"

#include <concepts>
#include <type_traits>

namespace dalib {

/// A plain number: it mixes with a pack (the same in every lane) and with a jet (slope 0).
///
/// @code{.cpp}
/// static_assert(number<int> && number<float> && !number<pack<float>> && !number<jet<double>>);
/// @endcode
template <class S>
concept number = std::is_arithmetic_v<S>;

/// `yes` if `condition`, else `no`; both are evaluated. The form of `condition ? yes : no` that a pack and a jet have too, where a
/// comparison gives a mask. Not found by argument-dependent lookup for plain numbers: `using dalib::select;`.
template <class T>
DALIB_HD constexpr T select(bool condition, const T& yes, const T& no) {
  return condition ? yes : no;
}
template <number A, number B>
requires(!std::same_as<A, B>) DALIB_HD constexpr std::common_type_t<A, B> select(bool condition, A yes, B no) {
  using both = std::common_type_t<A, B>;
  return condition ? static_cast<both>(yes) : static_cast<both>(no);
}

namespace detail {

template <class>
inline constexpr bool never = false;

/// Packs and jets pretend to be convertible to double, for one purpose: std::exp(s), or a function that is not there at all, then finds the
/// standard library's function of double and gives one sentence, instead of a list of all overloads that do not fit.
template <class Self>
DALIB_HD double refuse_plain_number() {
  static_assert(
      never<Self>,
      "dalib: a pack or a jet has come to a function that takes plain numbers only. Write exp(s) and not std::exp(s), after `using "
      "std::exp;` where s may be a plain number; include/dalib/extending.md lists all functions that there are");
  return 0;
}

} // namespace detail

} // namespace dalib
