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
  static constexpr double factor(index) { return 1; }
};

/// Mean over the samples of a domain.
struct mean {
  static constexpr bool per_sample = false;
  static constexpr double factor(index samples) { return 1 / static_cast<double>(samples); }
};

/// Sum over the samples.
struct sum {
  static constexpr bool per_sample = false;
  static constexpr double factor(index) { return 1; }
};

} // namespace reduction

/// A reduction: whether single values are returned, and what a sample's value is multiplied by in a domain of n samples.
template <class R>
concept reduction_policy = requires(index n) {
  { R::per_sample } -> std::convertible_to<bool>;
  { R::factor(n) } -> std::convertible_to<double>;
};

/// What a measure over samples returns: T, or one T per sample.
template <class T, reduction_policy R>
using reduced = std::conditional_t<R::per_sample, std::vector<T>, T>;

} // namespace dalib
