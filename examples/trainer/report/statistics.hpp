#pragma once
// Mean and spread of repeated runs.

#include "text.hpp"

#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

namespace dalib::report {

/// Mean and sample standard deviation (divisor n - 1) of repeated measurements. The mean of none is not a number, the deviation of fewer
/// than two is not a number: it is unknown, not zero.
struct summary {
  double mean = std::numeric_limits<double>::quiet_NaN();      ///< in the unit of the measurements
  double deviation = std::numeric_limits<double>::quiet_NaN(); ///< in the unit of the measurements
  std::size_t count = 0;                                       ///< measurements that went in
};

/// Summary of the finite ones among `values`: a run that failed does not hide the others.
inline summary summarize(const std::vector<double>& values) {
  summary s;
  double sum = 0;
  for (const double value : values)
    if (std::isfinite(value)) {
      sum += value;
      ++s.count;
    }
  if (s.count == 0) return s;
  s.mean = sum / static_cast<double>(s.count);
  if (s.count < 2) return s;
  double squares = 0;
  for (const double value : values)
    if (std::isfinite(value)) squares += (value - s.mean) * (value - s.mean);
  s.deviation = std::sqrt(squares / static_cast<double>(s.count - 1));
  return s;
}

/// "83.3 ± 1.7"; without the deviation where there is one run only, "-" where there is none.
inline std::string summary_text(const summary& s) {
  if (s.count == 0) return "-";
  return joined(fixed(s.mean, 1), s.count > 1 ? joined(" \u00B1 ", fixed(s.deviation, 1)) : "");
}

} // namespace dalib::report
