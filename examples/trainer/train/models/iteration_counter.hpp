#pragma once

#include <cstdint>
#include <span>

namespace dalib::train {

/// Counts a model's iterations; part of its state.
struct iteration_counter {
  std::int64_t count = 0;

  /// How many were before.
  std::int64_t next() { return count++; }

  template <class Visitor>
  void visit_state(Visitor& visitor) {
    visitor("count", {}, std::span<std::int64_t>(&count, 1));
  }
};

} // namespace dalib::train
