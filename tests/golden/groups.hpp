/// @file
/// The groups that this program claims: one file group_<name>.cpp each, which registers its runner.
#pragma once

#include "compare.hpp"
#include "manifest.hpp"

#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace golden {

/// A type to be passed as a value.
template <class Type>
struct tag {
  using type = Type;
};

/// Computes a case in every variant that the group has.
using runner = std::function<std::vector<outcome>(const test_case&)>;

/// How a claimed group is checked. Sets may have groups of one name and different cases: `takes` says which ones a runner is for; without
/// it, all.
struct group_runner {
  runner in_double;
  runner in_float; ///< none without DALIB_GOLDEN_FLOAT: compiling it takes as long again, and the unit tests have float too
  std::function<bool(const test_case&)> takes = {};
};

/// The runner `run<T>(test)` in both precisions.
template <class Run>
group_runner both_precisions(const Run& run, std::function<bool(const test_case&)> takes = {}) {
  group_runner result{[run](const test_case& test) { return run.template operator()<double>(test); }, {}, std::move(takes)};
#ifdef DALIB_GOLDEN_FLOAT
  result.in_float = [run](const test_case& test) { return run.template operator()<float>(test); };
#endif
  return result;
}

inline std::multimap<std::string, group_runner>& claimed_groups() {
  static std::multimap<std::string, group_runner> groups;
  return groups;
}

/// The runner of a case; null if none claims it.
inline const group_runner* runner_of(const test_case& test) {
  const auto [first, last] = claimed_groups().equal_range(test.group);
  for (auto entry = first; entry != last; ++entry)
    if (!entry->second.takes || entry->second.takes(test)) return &entry->second;
  return nullptr;
}

/// A namespace-scope object of this type claims a group.
struct claim_group {
  claim_group(const std::string& name, group_runner runners) { claimed_groups().emplace(name, std::move(runners)); }
};

/// A case that a claimed group cannot compute is a failure of that case.
[[noreturn]] inline void unknown(const std::string& what, const std::string& value) {
  throw std::runtime_error("unknown " + what + " `" + value + "` in a claimed group");
}

} // namespace golden
