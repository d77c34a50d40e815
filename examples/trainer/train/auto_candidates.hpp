#pragma once
// What --method auto tries.

#include <array>
#include <string_view>

namespace dalib::train {

/// One method that --method auto tries, and how often: with so many seeds, from that of the settings on.
struct auto_candidate {
  std::string_view method;
  long seeds;
};

/// What --method auto trains: four runs to the end. Some seeds of one method fail where others do not, and where it fails with most,
/// another method may not. Chosen on tasks that are not reported (train.md).
inline constexpr std::array<auto_candidate, 2> auto_candidates{{{"shot+self-ensembling", 3}, {"im+self-ensembling", 1}}};

/// With how many seeds a method is tried; 1 for others.
constexpr long seeds_of_candidate(std::string_view method) {
  for (const auto_candidate& candidate : auto_candidates)
    if (candidate.method == method) return candidate.seeds;
  return 1;
}

} // namespace dalib::train
