#pragma once
// How long an iteration takes, from a few that are measured.

#include <algorithm>
#include <cstddef>
#include <vector>

namespace dalib::train {

/// How much is measured.
struct measured_share {
  std::size_t most = 15;  ///< iterations
  double long_enough = 1; ///< seconds, after which no further one is begun
  double too_long = 2;    ///< seconds of the first iteration, above which it is the only one
};

/// Seconds of one iteration: the median of those measured, so that what the machine did besides for a moment does not count, as it would
/// in their mean. The first one fills caches and buffers and counts only where it is the only one.
/// @param step runs one iteration
/// @param now  seconds of a clock that never goes back
template <class Step, class Clock>
double seconds_per_iteration(const Step& step, const Clock& now, const measured_share& share = {}) {
  const auto timed = [&](double begin) {
    step();
    return now() - begin;
  };
  const double first = timed(now());
  if (first > share.too_long) return first;
  std::vector<double> seconds;
  const double begin = now();
  for (double start = begin; seconds.size() < share.most && (seconds.empty() || start - begin < share.long_enough); start = now())
    seconds.push_back(timed(start));
  const auto middle = seconds.begin() + static_cast<std::ptrdiff_t>(seconds.size() / 2);
  std::nth_element(seconds.begin(), middle, seconds.end());
  const double upper = *middle;
  return seconds.size() % 2 == 1 ? upper : (*std::max_element(seconds.begin(), middle) + upper) / 2;
}

/// What a run consists of.
struct run_work {
  long iterations = 0;
  long evaluations = 0;          ///< during training
  double evaluated = 0;          ///< samples of each
  double predicted = 0;          ///< samples at the end
  double iteration_seconds = 0;  ///< of one iteration
  double evaluation_seconds = 0; ///< of one sample
};

/// Seconds that a run takes: iterations, evaluations, and what is predicted at its end.
inline double seconds_of(const run_work& w) {
  return static_cast<double>(w.iterations) * w.iteration_seconds +
         (static_cast<double>(w.evaluations) * w.evaluated + w.predicted) * w.evaluation_seconds;
}

} // namespace dalib::train
