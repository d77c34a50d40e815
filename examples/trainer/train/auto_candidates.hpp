#pragma once
// What --method auto tries.

#include <array>
#include <string_view>

namespace dalib::train {

/// Which methods --method auto tries, the first one most often. Chosen on tasks that are not reported (train.md): some seeds of one method
/// fail where others do not, and where it fails with most, another method may not.
inline constexpr std::array<std::string_view, 2> auto_candidates{"shot+self-ensembling", "im+self-ensembling"};

/// How many trainings --method auto makes unless it has a budget.
inline constexpr long auto_trainings = 4;

/// With how many seeds, from that of the settings on, a candidate is trained where `trainings` are made in all: one of four is the second's.
constexpr long seeds_of_candidate(std::string_view method, long trainings) {
  const long second = trainings / 4;
  return method == auto_candidates[0] ? trainings - second : method == auto_candidates[1] ? second : 0;
}

} // namespace dalib::train
