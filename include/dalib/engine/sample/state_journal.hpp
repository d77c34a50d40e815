/// @file
/// What a bandwidth rule sees of a call's data, and how a call that fails leaves the states of running averages as they were.
#pragma once

#include "dalib/engine/sample/median_distance.hpp"
#include "dalib/kernel/bandwidths.hpp"

#include <array>
#include <cstddef>
#include <exception>
#include <utility>
#include <vector>

namespace dalib::bandwidth {

/// @internal
/// States of running averages before a call. If an exception ends the call, the destructor puts them back.
class state_journal {
public:
  state_journal() = default;
  state_journal(const state_journal&) = delete;
  state_journal& operator=(const state_journal&) = delete;
  ~state_journal() {
    if (std::uncaught_exceptions() == exceptions_before_) return;
    for (auto last = overflow_.rbegin(); last != overflow_.rend(); ++last) *last->first = last->second;
    while (count_ > 0) {
      --count_;
      *entries_[count_].first = entries_[count_].second;
    }
  }

  void remember(running_state& state) {
    if (count_ < entries_.size())
      entries_[count_++] = {&state, state};
    else
      overflow_.emplace_back(&state, state);
  }

private:
  using entry = std::pair<running_state*, running_state>;
  int exceptions_before_ = std::uncaught_exceptions();
  std::size_t count_ = 0;
  std::array<entry, 8> entries_{}; // so that a call allocates nothing
  std::vector<entry> overflow_;
};

/// @internal
/// What a kernel is bound with: the summary's distances, and where running averages are noted.
template <class Summary, class Workspace>
struct call_data {
  const Summary* summary;
  Workspace* scratch;
  state_journal* journal;

  double mean_squared_distance() const { return summary->mean_squared_distance(); }
  double median_squared_distance() const { return summary->median_squared_distance(*scratch); }
  void remember(running_state& state) const { journal->remember(state); }
};

} // namespace dalib::bandwidth
