#pragma once
// What --method auto tries, and in which order.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace dalib::train {

/// Which methods --method auto tries. Chosen on tasks that are not reported (train.md): some seeds of one method fail where others do not,
/// and where it fails with most, another method may not.
inline constexpr std::array<std::string_view, 2> auto_candidates{"shot+self-ensembling", "im+self-ensembling"};

/// A training of --method auto, apart from its seed.
struct auto_training {
  std::string_view method;
  long lengths = 1; ///< as many iterations as this many trainings of usual length have

  friend bool operator==(const auto_training&, const auto_training&) = default;
};

/// How many trainings --method auto makes for each of its seeds unless it has a budget: the first ones of the order.
inline constexpr std::size_t auto_trainings = 4;

/// The order of trainings. A budget pays for them from the first on, and for further rounds behind the last; each has the next seed of its
/// kind.
inline constexpr std::array<auto_training, 6> auto_order{{{auto_candidates[0]},
                                                          {auto_candidates[0]},
                                                          {auto_candidates[0]},
                                                          {auto_candidates[1]},
                                                          {auto_candidates[0], 2},
                                                          {auto_candidates[1], 2}}};

/// One place of that order.
struct ordered_training {
  auto_training kind;
  std::uint64_t number; ///< of those of the same kind before it: what is added to the first seed
};

/// The first trainings of the order.
/// @param round it begins anew after so many places
inline std::vector<ordered_training> first_trainings(long count, std::size_t round) {
  std::vector<ordered_training> order;
  while (static_cast<long>(order.size()) < count) {
    const auto_training& kind = auto_order[order.size() % round];
    const auto before = std::count_if(order.begin(), order.end(), [&](const ordered_training& one) { return one.kind == kind; });
    order.push_back({kind, static_cast<std::uint64_t>(before)});
  }
  return order;
}

/// More trainings than this are not planned: the choice among them holds the outputs of all.
inline constexpr long most_trainings = 10000;

/// How many trainings of the order a budget pays for, up to the first that does not fit any more; most_trainings at most.
/// @param cost of a kind of training
template <class Cost>
long trainings_within(double budget, const Cost& cost) {
  long count = 0;
  while (count < most_trainings && (budget -= cost(auto_order[static_cast<std::size_t>(count) % auto_order.size()])) >= 0) ++count;
  return count;
}

} // namespace dalib::train
