/// @file
/// The coefficient of a gradient reversal that grows during training.
#pragma once

#include "dalib/core/check.hpp"

#include <cmath>
#include <cstdint>
#include <span>

namespace dalib {

/// lambda(i) = 2 (high - low) / (1 + exp(-alpha i / iterations)) - (high - low) + low  (DANN, Ganin et al. 2016, section 5.2.2, with alpha
/// = 10 there; DALIB's default is alpha = 1, with which lambda reaches only 0.46 of the way at i = iterations). The first step has lambda =
/// low. The counter advances by step(), in training mode only, and is part of a checkpoint.
///
/// @code{.cpp}
/// warm_start_reversal reversal{.alpha = 10, .high = 0.1, .iterations = 1000};
/// assert(reversal.coefficient() == 0);
/// for (int i = 0; i < 1000; ++i) reversal.step();
/// assert(std::abs(reversal.coefficient() - 0.1 * std::tanh(5)) < 1e-15);
/// reversal.training = false;
/// reversal.step(); // evaluation: nothing moves
/// assert(reversal.iteration == 1000);
/// @endcode
struct warm_start_reversal {
  double alpha = 1;
  double low = 0;
  double high = 1;
  long iterations = 1000;
  long iteration = 0;
  bool training = true;

  /// @throws std::invalid_argument if iterations is not positive or a coefficient is not finite.
  double coefficient() const {
    if (iterations <= 0) fail("warm_start_reversal", "iterations must be positive");
    if (!is_finite(alpha) || !is_finite(low) || !is_finite(high))
      fail("warm_start_reversal", "alpha, low and high must be finite");
    const double range = high - low;
    return 2 * range / (1 + std::exp(-alpha * static_cast<double>(iteration) / static_cast<double>(iterations))) - range + low;
  }

  /// One iteration further, in training mode.
  void step() {
    if (training) ++iteration;
  }

  /// What a checkpoint needs: visitor(name, shape, values) reads or writes the counter.
  template <class Visitor>
  void visit_state(Visitor&& visitor) {
    std::int64_t steps = iteration;
    visitor("iteration", {}, std::span<std::int64_t>(&steps, 1));
    iteration = static_cast<long>(steps);
  }
};

} // namespace dalib
