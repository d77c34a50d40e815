#pragma once
// SIGINT and SIGTERM as a wish that the training loop reads between iterations.

#include "../../distributed/ranks.hpp"

#include <csignal>

namespace dalib::train {

/// The first SIGINT or SIGTERM is noted, the second ends the process at once. A broken pipe on the output does not end the training.
class stop_request {
public:
  static void listen() {
    std::signal(SIGINT, note);
    std::signal(SIGTERM, note);
    std::signal(SIGPIPE, SIG_IGN);
  }

  /// Number of the signal that came, 0 if none.
  static int received() { return signal_; }
  /// The same of any rank: all must stop after the same iteration.
  static int received_by_any() {
    const auto& ranks = distributed::ranks::all();
    return ranks.alone() ? received() : static_cast<int>(ranks.largest(received()));
  }

private:
  static void note(int number) {
    signal_ = number;
    std::signal(number, SIG_DFL);
  }

  static inline volatile std::sig_atomic_t signal_ = 0;
};

} // namespace dalib::train
