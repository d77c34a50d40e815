/// @file
/// A feature's mean as centring needs it.
#pragma once

#include "dalib/config.hpp"

namespace dalib::engine {

/// A feature's mean, whole and as the sum of two numbers of type T.
template <class T>
struct split_mean {
  double whole;
  T high;
  T low;

  /// From the feature's sum of offsets from `reference` over rows of that total weight.
  DALIB_HD static split_mean of(T reference, double sum, double weight) {
    const double mean = static_cast<double>(reference) + sum / weight;
    const T high = static_cast<T>(mean);
    return {mean, high, static_cast<T>(mean - static_cast<double>(high))};
  }
};

} // namespace dalib::engine
