/// @file
/// Sums of many numbers in device memory, in an order that depends on their count alone.
#pragma once

#include "dalib/engine/pair/visitor.hpp"
#include "dalib/execution/thrust.hpp"

#include <utility>
#include <vector>

namespace dalib::engine {

/// What a task adds to the numbers of a pass, and whether it met a pair that it left to another task.
template <class Accumulator, class Numbers = number_row<1>>
struct partial_value {
  accumulated<Accumulator, Numbers> sum{};
  unsigned left_out = 0;

  DALIB_HD void merge(const partial_value& other) {
    sum.merge(other.sum);
    left_out |= other.left_out;
  }
};

namespace detail {

/// Merges up to `run` partial values into one: every `runs`-th, so that neighbouring threads read neighbours.
template <class Partial>
struct merge_task {
  static constexpr index_t run = 64;
  const Partial* from;
  index_t count;
  index_t runs;
  Partial* to;

  DALIB_HD void operator()(index_t i) const {
    Partial total = from[i];
    for (index_t k = i + runs; k < count; k += runs) total.merge(from[k]);
    to[i] = total;
  }
};

/// Keeps what merge_runs left, padded with nothing to a whole run.
template <class Partial>
struct keep_task {
  const Partial* from;
  index_t count;
  Partial* to;
  DALIB_HD void operator()(index_t i) const { to[i] = i < count ? from[i] : Partial{}; }
};

} // namespace detail

/// Merges `count` partial values in runs of fixed length until at most one run is left, and returns where it lies and its length. The
/// scratch memory behind `from`, of the same length, is used in turn.
template <class Partial>
std::pair<const Partial*, index_t> merge_runs(const exec::thrust& exec, Partial* from, Partial* spare, index_t count) {
  using task = detail::merge_task<Partial>;
  while (count > task::run) {
    const index_t runs = (count + task::run - 1) / task::run;
    exec.run(runs, task{from, count, runs, spare});
    std::swap(from, spare);
    count = runs;
  }
  return {from, count};
}

/// The sum of `count` partial values, on the host; waits for the device.
template <class Partial>
Partial merged_on_host(const exec::thrust& exec, Partial* from, Partial* spare, index_t count) {
  const auto [rest, left] = merge_runs(exec, from, spare, count);
  std::vector<Partial> values(static_cast<std::size_t>(left));
  exec.copy_to_host(rest, left, values.data());
  Partial total{};
  for (const Partial& value : values) total.merge(value);
  return total;
}

} // namespace dalib::engine
