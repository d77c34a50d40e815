/// @file
/// Bandwidth rules: from the data of one call to a squared length scale. All are detached: no gradient flows through a bandwidth.
#pragma once

#include "dalib/core/check.hpp"

#include <cmath>
#include <concepts>
#include <limits>
#include <string>
#include <type_traits>

namespace dalib {

/// A rule that gives a squared length scale sigma^2 > 0. `Data` offers mean_squared_distance() in O(1) (found in O(n F) while the rows are
/// centred) and median_squared_distance(). Both are over all rows that have weight, also those that an estimator leaves out; they are NaN if
/// one of these rows is, or if squared distances leave double's range (rows of scale 1e154 or 1e-145), and so are then the built-in rules'
/// answers and the loss.
///
/// @code{.cpp}
/// struct two_numbers { // what a rule sees of the data
///   double mean_squared_distance() const { return 4; }
///   double median_squared_distance() const { return 9; }
/// };
/// struct wider { // a rule of your own
///   template <class Data>
///   double squared_scale(const Data& data) const {
///     return 2 * bandwidth::mean{}.squared_scale(data);
///   }
/// };
/// static_assert(bandwidth_policy<bandwidth::mean, two_numbers> && bandwidth_policy<wider, two_numbers>);
/// assert(bandwidth::fixed{1.5}.squared_scale(two_numbers{}) == 2.25);
/// assert(bandwidth::mean{0.5}.squared_scale(two_numbers{}) == 2);
/// assert(bandwidth::median{}.squared_scale(two_numbers{}) == 9);
/// const Eigen::MatrixXd zs = Eigen::MatrixXd::Random(30, 4), zt = Eigen::MatrixXd::Random(20, 4);
/// assert(is_finite(mmd{kernel::gaussian{wider{}}}(zs, zt)));
/// @endcode
template <class B, class Data>
concept bandwidth_policy = requires(const B& rule, const Data& data) {
  { rule.squared_scale(data) } -> std::convertible_to<double>;
};

namespace bandwidth {

/// What data-driven rules give when all rows are identical: any positive number does, since then every distance is 0.
inline constexpr double degenerate_scale = 1.0;

namespace detail {
/// alpha times a distance of the data as a scale: NaN stays NaN, since any number in its place would make a wrong loss that looks right.
inline double scale_of_distance(double alpha, double distance) {
  const double scale = alpha * distance;
  if (!is_finite(scale)) return std::numeric_limits<double>::quiet_NaN();
  return scale > 0 ? scale : degenerate_scale;
}
} // namespace detail

/// sigma, chosen by the user: the length at which a Gaussian has fallen to exp(-1/2). @throws std::invalid_argument unless it is positive
/// and finite, and its square too.
struct fixed {
  double sigma = 1;

  template <class Data>
  double squared_scale(const Data&) const {
    if (!(sigma > 0) || !is_finite(sigma))
      fail("bandwidth::fixed", "sigma must be positive and finite (got " + std::to_string(sigma) + ")");
    if (sigma < 1e-150 || sigma > 1e150) fail("bandwidth::fixed", "sigma must be in 1e-150 .. 1e150, so that its square is a double");
    return sigma * sigma;
  }
};

/// @internal
/// The rule that a kernel's argument stands for: a number is a fixed length.
template <class Argument>
using rule_of = std::conditional_t<std::is_arithmetic_v<Argument>, fixed, Argument>;

/// sigma^2 = alpha * mean of |x - y|^2 over all n^2 ordered pairs of the joint sample, the n zero ones included (DALIB's rule), by the
/// closed form 2 / n * sum |z - mean|^2. With weights, rows count by weight. 1 if all rows are identical.
struct mean {
  double alpha = 1;

  template <class Data>
  double squared_scale(const Data& data) const {
    if (!(alpha > 0) || !is_finite(alpha))
      fail("bandwidth::mean", "alpha must be positive and finite (got " + std::to_string(alpha) + ")");
    return detail::scale_of_distance(alpha, data.mean_squared_distance());
  }
};

/// sigma^2 = alpha * median of |x - y|^2 over the pairs i < j of the joint sample: exact up to 1024 rows, beyond that over 1024 rows at
/// equal distance in the order given. With weights, rows count by weight, and those of weight 0 not at all. O(min(n, 1024)^2 F) time; up to
/// 4 MiB of the call's workspace (8 with weights). 1 if the median is 0.
struct median {
  double alpha = 1;

  template <class Data>
  double squared_scale(const Data& data) const {
    if (!(alpha > 0) || !is_finite(alpha))
      fail("bandwidth::median", "alpha must be positive and finite (got " + std::to_string(alpha) + ")");
    return detail::scale_of_distance(alpha, data.median_squared_distance());
  }
};

/// What a running average remembers. It belongs to the caller, who may save and restore it.
struct running_state {
  double value = 0;     ///< running estimate of the squared scale, before alpha
  long updates = 0;     ///< number of batches seen
  bool training = true; ///< false = frozen: the value is used and not changed
};

/// sigma^2 = alpha * (1 - momentum) * old + momentum * rule(batch), the first batch taken whole; frozen while `state->training` is false.
/// The loss of a batch already uses the updated value. A frozen state that never saw a batch falls back to the rule itself.
///
/// A call that throws, for whatever reason, leaves the state as it was. @throws std::invalid_argument for a missing state, a momentum outside
/// (0, 1], an alpha that is not positive and finite, and while training for a batch whose scale is not finite (a NaN in it): one such batch
/// would spoil the state for good.
///
/// @code{.cpp}
/// bandwidth::running_state state;
/// const mmd loss{kernel::gaussian{bandwidth::running_average{&state}}};
/// const Eigen::MatrixXd zs = Eigen::MatrixXd::Random(30, 4), zt = Eigen::MatrixXd::Random(20, 4);
/// loss(zs, zt);
/// const double learnt = state.value;
/// state.training = false; // evaluation: other data, the same bandwidth
/// loss((3 * zs).eval(), zt);
/// assert(state.value == learnt && state.updates == 1);
/// @endcode
template <class Rule = mean>
struct running_average {
  running_state* state = nullptr;
  double momentum = 0.1;
  double alpha = 1;
  Rule rule{};

  template <class Data>
  double squared_scale(const Data& data) const {
    if (state == nullptr) fail("bandwidth::running_average", "needs a running_state to remember in");
    if (!(momentum > 0) || momentum > 1) fail("bandwidth::running_average", "momentum must be in (0, 1]");
    if (!(alpha > 0) || !is_finite(alpha)) fail("bandwidth::running_average", "alpha must be positive and finite");
    if (!state->training) return alpha * (state->updates > 0 ? state->value : rule.squared_scale(data));
    const double now = rule.squared_scale(data);
    if (!is_finite(now)) fail("bandwidth::running_average", "the squared scale of this batch is not finite; the state is as it was");
    if constexpr (requires { data.remember(*state); }) data.remember(*state); // the call may still be refused
    state->value = state->updates == 0 ? now : (1 - momentum) * state->value + momentum * now;
    ++state->updates;
    return alpha * state->value;
  }
};

running_average(running_state*)->running_average<mean>;
running_average(running_state*, double)->running_average<mean>;
running_average(running_state*, double, double)->running_average<mean>;
template <class Rule>
running_average(running_state*, double, double, Rule) -> running_average<Rule>;

} // namespace bandwidth
} // namespace dalib
