/// @file
/// The logarithm with an offset in which DALIB's margin disparity is written.
#pragma once

#include "dalib/engine/row/against_rest.hpp"

#include <cmath>

namespace dalib::compat {

/// log(min(x + offset, 1)), in [log offset, 0] for x in [0, 1]. `slope` is 1 / (x + offset), and 0 where x + offset > 1.
template <class V>
DALIB_HD V shift_log(const V& x, double offset, V& slope) {
  using std::log;
  const V shifted = x + V(offset), one = V(1);
  // Divided last: g++ 12.2 dies in its slp pass at -O3 -march=x86-64-v4 if it chooses between 0 and a quotient that nobody uses.
  slope = where_greater(shifted, one, V(0), one) / shifted;
  return log(where_greater(shifted, one, one, shifted));
}

/// The target's term of DALIB's margin disparity, -shift_log(1 - softmax): it dies as softmax nears 1, at offset's distance from there.
/// 1 - softmax is formed without cancellation. With one class the term is -log offset, without gradient.
///
/// @code{.cpp}
/// const margin_disparity dalibs{4.0, reduction::mean{}, compat::shifted_log_complement{}};
/// const margin_disparity exact{4.0};
/// const Eigen::RowVector2d y(1, 0), sure(100, 0); // the adversarial classifier agrees on the target, by far
/// assert(std::abs(dalibs(y, y, y, sure) - exact(y, y, y, y) + std::log1p(std::exp(1)) + std::log(1e-6)) < 1e-6);
/// assert(exact(y, y, y, sure) > 100);
/// @endcode
struct shifted_log_complement {
  static constexpr bool needs_others = false;
  double offset = 1e-6;

  template <class V>
  DALIB_HD V operator()(const engine::split_number<V>& logit, V& slope) const {
    const engine::split_sigmoid<V> s = engine::sigmoid_of(logit);
    V log_slope;
    const V value = shift_log(s.complement, offset, log_slope);
    slope = log_slope * s.complement * s.sigmoid;
    return -value;
  }
};

} // namespace dalib::compat
