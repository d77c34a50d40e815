/// @file
/// The binary cross-entropy that DALIB's numbers come from: of a sigmoid's output, with PyTorch's clamps.
#pragma once

#include "dalib/simd/pack.hpp"

#include <cmath>

namespace dalib::compat {

/// -log p for label 1, -log(1 - p) for label 0, p = sigmoid(logit) rounded as a probability; logarithms are clamped at -100 and p (1 - p)
/// in the gradient at 1e-12f, so the gradient dies in saturation (in single precision from a logit of about 17). `slope` is with respect to
/// the logit.
template <class T>
DALIB_HD T binary_cross_entropy(T logit, bool label, T& slope) {
  using std::exp;
  using std::log;
  using std::log1p;
  const T p = T(1) / (T(1) + exp(-logit));
  const T y = label ? T(1) : T(0);
  const T spread = (T(1) - p) * p;
  slope = (p - y) / maximum(spread, static_cast<T>(1e-12f)) * spread;
  const T log_p = maximum(log(p), T(-100));
  const T log_q = maximum(log1p(-p), T(-100));
  return -(y * log_p + (T(1) - y) * log_q);
}

/// The same as a policy for measures that take one.
///
/// @code{.cpp}
/// double slope, exact_slope;
/// assert(compat::clamped_cross_entropy{}(40.0, false, slope) == 100 && slope == 0); // saturated: no gradient
/// assert(logit_cross_entropy{}(40.0, false, exact_slope) == 40 && exact_slope == 1);
/// @endcode
struct clamped_cross_entropy {
  template <class T>
  DALIB_HD T operator()(T logit, bool label, T& slope) const {
    return binary_cross_entropy(logit, label, slope);
  }
  /// Lane by lane: a pack's exponential ends before the logarithm reaches its clamp.
  template <class T>
  DALIB_HD pack<T> operator()(const pack<T>& logits, bool label, pack<T>& slopes) const {
    T lanes[pack<T>::size], lane_slopes[pack<T>::size];
    logits.store(lanes);
    for (int lane = 0; lane < pack<T>::size; ++lane) lanes[lane] = binary_cross_entropy(lanes[lane], label, lane_slopes[lane]);
    slopes = pack<T>::load(lane_slopes);
    return pack<T>::load(lanes);
  }
};

} // namespace dalib::compat
