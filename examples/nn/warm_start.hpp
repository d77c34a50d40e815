#pragma once
#include <cmath>
#include <cstdint>
#include <span>

namespace dalib::nn {

/// Schedule of the gradient reversal's coefficient, which grows from `low` towards `high`:
///   2 (high - low) / (1 + exp(-alpha i / iterations)) - (high - low) + low  at step i.
/// With alpha = 1 it reaches 0.46 of the way at i = iterations. It advances in training mode only.
struct warm_start {
  double alpha = 1;
  double low = 0;
  double high = 1;
  std::int64_t iterations = 1000;
  std::int64_t step_number = 0;
  bool training = true;

  double coefficient() const {
    const double range = high - low;
    return 2 * range / (1 + std::exp(-alpha * static_cast<double>(step_number) / static_cast<double>(iterations))) - range + low;
  }
  void step() {
    if (training) ++step_number;
  }
  template <class Visitor>
  void visit_state(Visitor&& visitor) {
    visitor("step_number", {}, std::span<std::int64_t>(&step_number, 1));
  }
};

} // namespace dalib::nn
