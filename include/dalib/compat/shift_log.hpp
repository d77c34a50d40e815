/// @file
/// The logarithm with an offset in which DALIB's margin disparity is written.
#pragma once

#include "dalib/core/pack_math.hpp"

#include <cmath>

namespace dalib::compat {

/// log(min(x + offset, 1)), in [log offset, 0] for x in [0, 1]. `slope` is 1 / (x + offset), and 0 where x + offset > 1.
template <class V>
DALIB_HD V shift_log(const V& x, double offset, V& slope) {
  using std::log;
  const V shifted = x + V(offset), one = V(1);
  slope = where_greater(shifted, one, V(0), one / shifted);
  return log(where_greater(shifted, one, one, shifted));
}

/// The target's term of DALIB's margin disparity, -shift_log(1 - softmax): it dies as softmax nears 1, at offset's distance from there.
/// 1 - softmax is formed without cancellation. With one class the term is -log offset, without gradient.
struct shifted_log_complement {
  static constexpr bool needs_others = false;
  double offset = 1e-6;

  template <class V>
  DALIB_HD V operator()(const V& logit, V& slope) const {
    const V complement = sigmoid(-logit);
    V log_slope;
    const V value = shift_log(complement, offset, log_slope);
    slope = log_slope * complement * sigmoid(logit);
    return -value;
  }
};

} // namespace dalib::compat
