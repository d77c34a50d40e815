/// @file
/// What a per-sample loss returns: every sample's value, their mean, or their sum.
#pragma once

#include "dalib/core/matrix_view.hpp"

#include <concepts>
#include <vector>

namespace dalib {

namespace reduction {

/// One value per sample, source samples first; gradients are of each sample's own value.
struct none {
  static constexpr bool per_sample = true;
  static constexpr double factor(index_t) { return 1; }
};

/// Mean over the samples of a domain.
struct mean {
  static constexpr bool per_sample = false;
  static constexpr double factor(index_t samples) { return 1 / static_cast<double>(samples); }
};

/// Sum over the samples.
struct sum {
  static constexpr bool per_sample = false;
  static constexpr double factor(index_t) { return 1; }
};

} // namespace reduction

/// A reduction: whether single values are returned, and what a sample's value is multiplied by in a domain of n samples.
///
/// @code{.cpp}
/// const Eigen::MatrixXd l_s = Eigen::MatrixXd::Random(3, 1), l_t = Eigen::MatrixXd::Random(2, 1); // a discriminator's logits
/// const std::vector<double> each = domain_adversarial<reduction::none>{}(l_s, l_t); // source first
/// const double mean = domain_adversarial<reduction::mean>{}(l_s, l_t), sum = domain_adversarial<reduction::sum>{}(l_s, l_t);
/// assert(each.size() == 5);
/// assert(std::abs(mean - (each[0] + each[1] + each[2]) / 3 - (each[3] + each[4]) / 2) < 1e-15);
/// assert(std::abs(sum - each[0] - each[1] - each[2] - each[3] - each[4]) < 1e-15);
/// static_assert(reduction_policy<reduction::mean> && !reduction::mean::per_sample);
/// @endcode
template <class R>
concept reduction_policy = requires(index_t n) {
  { R::per_sample } -> std::convertible_to<bool>;
  { R::factor(n) } -> std::convertible_to<double>;
};

/// What a measure over samples returns: T, or one T per sample.
template <class T, reduction_policy R>
using reduced = std::conditional_t<R::per_sample, std::vector<T>, T>;

} // namespace dalib
