#pragma once
// Progress of a training run.

#include "terminal.hpp"
#include "text.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dalib::report {

/// What is shown beside the bar; values that are not a number are left out.
struct progress_values {
  double loss = std::numeric_limits<double>::quiet_NaN();          ///< classification loss of the source
  double transfer_loss = std::numeric_limits<double>::quiet_NaN(); ///< may be negative with unbiased estimators
  double accuracy = std::numeric_limits<double>::quiet_NaN();      ///< in percent
};

/// One state of a progress display.
struct progress_state {
  long long iteration = 0; ///< iterations done
  long long total = 0;     ///< iterations of the whole run
  double rate = 0;         ///< iterations per second, 0 while unknown
  progress_values values = {};
};

namespace detail {

/// A part of the progress line. The line drops the parts with the largest `rank` first when there is not enough room.
struct progress_part {
  std::string text;
  int rank;
};

/// Share of the run that is done, in [0, 1]; a run without iterations is done.
inline double done_fraction(const progress_state& state) {
  return state.total > 0 ? std::clamp(static_cast<double>(state.iteration) / static_cast<double>(state.total), 0.0, 1.0) : 1.0;
}

/// The parts in the order of the line; those whose value is unknown are missing.
inline std::vector<progress_part> progress_parts(const progress_state& state) {
  const std::string total = std::to_string(state.total);
  std::string count = std::to_string(state.iteration);
  count.insert(0, total.size() - std::min(total.size(), count.size()), ' ');
  std::vector<progress_part> parts{{joined(count, "/", total), 1}};
  const auto add = [&](std::string_view name, double value, int decimals, std::string_view unit, int rank) {
    if (!std::isnan(value)) parts.push_back({joined(name, fixed(value, decimals), unit), rank});
  };
  add("loss ", state.values.loss, 4, "", 2);
  add("transfer ", state.values.transfer_loss, 4, "", 4);
  add("acc ", state.values.accuracy, 1, "%", 5);
  if (state.rate > 0) {
    parts.push_back({joined(significant(state.rate, state.rate < 100 ? 3 : 4), " it/s"), 6});
    parts.push_back({joined(duration(static_cast<double>(std::max(state.total - state.iteration, 0LL)) / state.rate), " left"), 3});
  }
  return parts;
}

/// Four columns, rounded down: 100% means done.
inline std::string percent(const progress_state& state) {
  const std::string number = std::to_string(static_cast<int>(std::floor(100 * done_fraction(state))));
  return joined(std::string(3 - number.size(), ' '), number, "%");
}

/// A bar of `length` columns.
inline std::string bar(double fraction, std::size_t length, bool unicode) {
  const auto filled = static_cast<std::size_t>(std::floor(fraction * static_cast<double>(length)));
  std::string text;
  for (std::size_t i = 0; i < length; ++i) text += i < filled ? (unicode ? "\u2588" : "#") : (unicode ? "\u2591" : ".");
  return text;
}

} // namespace detail

/// The line of a terminal: percentage, bar, iteration, losses, accuracy, speed, time left; never more than `width` columns. The bar takes
/// what the numbers leave, 10 to 40 columns; where there is no room the less important numbers go first.
inline std::string progress_line(const progress_state& state, int width, bool unicode) {
  auto parts = detail::progress_parts(state);
  const auto room = static_cast<std::size_t>(std::max(width, 0));
  const auto length = [&] {
    std::size_t sum = 4;
    for (const auto& part : parts) sum += 2 + part.text.size();
    return sum;
  };
  const auto by_rank = [](const detail::progress_part& a, const detail::progress_part& b) { return a.rank < b.rank; };
  while (!parts.empty() && length() > room) parts.erase(std::max_element(parts.begin(), parts.end(), by_rank));
  std::string line = detail::percent(state);
  const std::size_t left = room > length() ? room - length() : 0;
  if (left >= 12) line += joined("  ", detail::bar(detail::done_fraction(state), std::min<std::size_t>(left - 2, 40), unicode));
  for (const auto& part : parts) line += joined("  ", part.text);
  return line.substr(0, columns(line) > room ? room : line.size());
}

/// The line of a log: all values, no bar, no control characters.
inline std::string progress_log_line(const progress_state& state) {
  std::string line = detail::percent(state);
  for (const auto& part : detail::progress_parts(state)) line += joined("  ", part.text);
  return line;
}

/// Shows a run's progress: one line drawn over at most ten times a second on a terminal, plain lines every so many iterations elsewhere.
/// @code
/// progress bar(open_terminal(STDOUT_FILENO), iterations);
/// for (long long i = 1; i <= iterations; ++i) bar.update(i, {loss, transfer_loss, accuracy});
/// @endcode
/// The state of the terminal is never changed (the cursor stays visible, nothing must be restored), so a kill leaves it usable. The line is
/// ended by `finish` or the destructor. Not for use by several threads at once.
class progress {
public:
  /// `total` iterations, of which `start` were done before (resume); a log gets a line every `log_every` iterations and at the end.
  progress(terminal out, long long total, long long start = 0, long long log_every = 100)
      : out_(std::move(out)), log_every_(std::max(log_every, 1LL)), state_{start, total}, sample_time_(out_.seconds()),
        sample_iteration_(start), drawn_iteration_(start) {}
  progress(const progress&) = delete;
  progress& operator=(const progress&) = delete;
  ~progress() { finish(); }

  /// Tells that `iteration` iterations are done.
  void update(long long iteration, const progress_values& values) {
    state_.iteration = iteration;
    state_.values = values;
    const double now = out_.seconds();
    const bool last = iteration >= state_.total && iteration != drawn_iteration_;
    const bool due = out_.interactive ? now - drawn_time_ >= 0.1 : iteration / log_every_ != drawn_iteration_ / log_every_;
    if (!due && !last) return;
    measure_rate(now);
    draw();
    drawn_time_ = now;
    drawn_iteration_ = iteration;
  }

  /// Writes a line of text above the bar, or into the log.
  void message(std::string_view text) {
    if (!line_is_open_) return out_.write(joined(text, "\n"));
    out_.write(joined("\r\x1b[K", text, "\n"));
    draw();
  }

  /// Ends the line. Later updates start a new one.
  void finish() {
    if (line_is_open_) out_.write("\n");
    line_is_open_ = false;
  }

private:
  /// Shows the present state, over the line of the last one on a terminal.
  void draw() {
    if (!out_.interactive) return out_.write(joined(progress_log_line(state_), "\n"));
    // The last column stays free: a terminal may wrap as soon as it is written.
    out_.write(joined("\r", progress_line(state_, out_.width() - 1, out_.unicode), "\x1b[K"));
    line_is_open_ = true;
  }

  /// Exponential mean over about ten seconds: steady, yet it follows a change of speed. Its weight corrects for the short start.
  void measure_rate(double now) {
    const double elapsed = now - sample_time_;
    if (elapsed <= 0) return;
    const double share = 1 - std::exp(-elapsed / 10);
    mean_rate_ += share * (static_cast<double>(state_.iteration - sample_iteration_) / elapsed - mean_rate_);
    weight_ += share * (1 - weight_);
    state_.rate = std::max(mean_rate_ / weight_, 0.0);
    sample_time_ = now;
    sample_iteration_ = state_.iteration;
  }

  terminal out_;
  long long log_every_;
  progress_state state_;
  double sample_time_;
  long long sample_iteration_;
  double mean_rate_ = 0;
  double weight_ = 0;
  double drawn_time_ = -1e9;
  long long drawn_iteration_;
  bool line_is_open_ = false;
};

} // namespace dalib::report
