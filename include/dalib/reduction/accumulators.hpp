/// @file
/// How a value's many terms are added: plain double sums, or compensated ones.
#pragma once

#include "dalib/core/strict.hpp"

#include <concepts>

namespace dalib::accumulator {

/// Sum in double. Each term is already the sum of one tile, so rounding grows with the number of tiles, not of pairs.
struct plain {
  struct state {
    double total = 0;
  };
  DALIB_HD static void add(state& s, double term) { s.total += term; }
  DALIB_HD static void merge(state& s, const state& other) { s.total += other.total; }
  DALIB_HD static double result(const state& s) { return s.total; }
};

/// Neumaier's compensated sum: the rounding of each addition is kept and added at the end.
struct compensated {
  struct state {
    double total = 0;
    double correction = 0;
  };
  DALIB_HD static void add(state& s, double term) {
    double sum = s.total + term;
    keep_as_written(sum); // to -fassociative-math the correction is 0
    const bool total_is_larger = (s.total < 0 ? -s.total : s.total) >= (term < 0 ? -term : term);
    double lost = (total_is_larger ? s.total : term) - sum;
    keep_as_written(lost);
    lost += total_is_larger ? term : s.total;
    keep_as_written(lost);
    s.correction += lost;
    s.total = sum;
  }
  DALIB_HD static void merge(state& s, const state& other) {
    add(s, other.total);
    s.correction += other.correction;
  }
  DALIB_HD static double result(const state& s) { return s.total + s.correction; }
};

} // namespace dalib::accumulator

namespace dalib {

/// An accumulation policy: a trivially copyable state, how a term and another state join it, and the sum.
///
/// @code{.cpp}
/// accumulator::compensated::state exact;
/// accumulator::plain::state rounded;
/// for (double term : {1e16, 1.0, -1e16}) {
///   accumulator::compensated::add(exact, term);
///   accumulator::plain::add(rounded, term);
/// }
/// assert(accumulator::compensated::result(exact) == 1);
/// assert(accumulator::plain::result(rounded) == 0);
/// static_assert(accumulator_policy<accumulator::plain> && accumulator_policy<accumulator::compensated>);
/// // As the third argument of a measure:
/// const auto loss = mmd{kernel::gaussian{}, estimator::biased{}, accumulator::compensated{}};
/// const Eigen::MatrixXd z = Eigen::MatrixXd::Random(20, 4);
/// assert(std::abs(loss(z, z)) < 1e-14);
/// @endcode
template <class A>
concept accumulator_policy = requires(typename A::state s, const typename A::state other, double term) {
  A::add(s, term);
  A::merge(s, other);
  { A::result(other) } -> std::convertible_to<double>;
};

} // namespace dalib
