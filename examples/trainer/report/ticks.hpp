#pragma once
// Axis ranges and tick positions.

#include "text.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace dalib::report {

/// True for values that a plot can show: finite and at most 1e100 in size, so that no difference of two of them overflows.
inline bool plottable(double value) { return std::abs(value) <= 1e100; }

/// The values of an axis. `include` grows it; nothing else changes it, and values that are not plottable are ignored.
struct range {
  double low = std::numeric_limits<double>::infinity();   ///< least value
  double high = -std::numeric_limits<double>::infinity(); ///< greatest value

  /// True while no plottable value was included.
  bool empty() const { return !(low <= high); }
  /// Grows the range to hold a value.
  void include(double value) {
    if (!plottable(value)) return;
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

/// A range that can carry an axis: [0, 1] for an empty one, widened for a single value, otherwise with `margin` of its length at both ends.
inline range padded(range values, double margin) {
  if (values.empty()) return {0, 1};
  const double length = values.high - values.low;
  // Below this length neighbouring ticks would print the same label.
  const double least = 1e-9 * std::max({std::abs(values.low), std::abs(values.high), 1e-300});
  if (length <= least) {
    const double half = values.low == 0 ? 1 : 0.1 * std::abs(values.low);
    return {values.low - half, values.high + half};
  }
  return {values.low - margin * length, values.high + margin * length};
}

/// A labelled position on an axis.
struct tick {
  double value;      ///< in the unit of the axis
  std::string label; ///< as printed
};

/// The step 1, 2 or 5 times a power of ten that divides `length` into about `count` parts.
inline double nice_step(double length, int count) {
  const double raw = length / std::max(count, 1);
  const double power = std::pow(10.0, std::floor(std::log10(raw)));
  const double mantissa = raw / power;
  return power * (mantissa < 1.5 ? 1 : mantissa < 3.5 ? 2 : mantissa < 7.5 ? 5 : 10);
}

/// Label of a tick on an axis whose ticks are `step` apart: enough decimals to tell neighbours apart, no more.
inline std::string tick_label(double value, double step) {
  const double size = std::max(std::abs(value), step);
  const int step_digits = static_cast<int>(std::floor(std::log10(step) + 1e-9));
  if (size >= 1e7 || step < 1e-4) {
    if (value == 0) return "0";
    const int value_digits = static_cast<int>(std::floor(std::log10(std::abs(value)) + 1e-9));
    return significant(value, std::clamp(value_digits - step_digits + 1, 1, 15));
  }
  if (step >= 1) return grouped(std::llround(value));
  return fixed(value, -step_digits);
}

/// Ticks at multiples of a nice step inside [low, high], about `count` of them. Needs low < high, both plottable.
inline std::vector<tick> linear_ticks(double low, double high, int count) {
  const double step = nice_step(high - low, count);
  std::vector<tick> ticks;
  // Counting in whole steps keeps 0.1 + 0.2 from being labelled 0.30000000000000004.
  const double first = std::ceil(low / step - 1e-9);
  const double last = std::floor(high / step + 1e-9);
  for (double index = first; index <= last && ticks.size() < 64; ++index) ticks.push_back({index * step, tick_label(index * step, step)});
  return ticks;
}

/// Ticks of a logarithmic axis over [low, high], 0 < low < high: powers of ten, thinned to at most `count`; 1, 2 and 5 times a power where
/// there are fewer than three powers; linear ticks where even those are fewer than two.
inline std::vector<tick> log_ticks(double low, double high, int count) {
  const auto label = [](double value) { return value >= 1e-3 && value < 1e7 ? significant(value, 7) : significant(value, 3); };
  const int first = static_cast<int>(std::ceil(std::log10(low) - 1e-9));
  const int last = static_cast<int>(std::floor(std::log10(high) + 1e-9));
  std::vector<tick> ticks;
  if (last - first >= 2) {
    const int every = std::max(1, (last - first + count) / std::max(count, 1));
    for (int power = first; power <= last; power += every) ticks.push_back({std::pow(10.0, power), label(std::pow(10.0, power))});
    return ticks;
  }
  for (int power = first - 1; power <= last; ++power)
    for (const double mantissa : {1.0, 2.0, 5.0}) {
      const double value = mantissa * std::pow(10.0, power);
      if (value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9)) ticks.push_back({value, label(value)});
    }
  return ticks.size() >= 2 ? ticks : linear_ticks(low, high, count);
}

} // namespace dalib::report
