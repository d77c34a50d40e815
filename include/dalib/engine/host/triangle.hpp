/// @file
/// The schedule for few rows: the lower triangle of all pairs at once.
#pragma once

#include "dalib/engine/host/symmetric_tile.hpp"

#include <new>
#include <utility>

namespace dalib::engine {

/// Up to this many workers pack all rows each for itself: a core waits longer for rows that another one has just written than it takes to
/// write them.
inline constexpr int most_copies = 4;

/// One block holds all rows, and every stripe of row_unit columns is a task, in two phases.
template <class Accumulator, class Problem>
class triangle {
  using T = typename Problem::scalar;
  using numbers = typename Problem::numbers;
  using shape = lower_triangle<Problem>;
  using blocks = typename shape::blocks;
  static constexpr index_t width = row_unit<T>;

  struct worker_memory {
    typename shape::stripe_memory stripe;
    blocks rows;
    bool packed = false;
  };

public:
  template <class Exec>
  numbers run(const Exec& exec, const Problem& problem, workspace& scratch, write_mode mode) {
    const index_t rows = round_up(problem.rows(), width);
    shape pairs;
    pairs.allocate(scratch, rows, width);
    worker_memory* workers = allocate_workers(exec, problem, scratch, rows);
    const index_t stripes = pairs.stripes(workers[0].rows);
    numbers* values = scratch.template allocate<numbers>(stripes);
    exec.run(stripes, [&](index_t stripe, int worker) {
      worker_memory& own = workers[worker];
      pack_once(problem, own);
      values[stripe] = pairs.evaluate(problem, own.rows, stripe, own.stripe);
    });
    if constexpr (Problem::with_gradient)
      exec.run(stripes, [&](index_t stripe, int worker) {
        worker_memory& own = workers[worker];
        pack_once(problem, own);
        pairs.pull(problem, own.rows, stripe, own.stripe, mode);
        pairs.pull_to_centres(problem, own.rows, stripe, own.stripe);
      });
    accumulated<Accumulator, numbers> total;
    for (index_t stripe = 0; stripe < stripes; ++stripe) total.add(values[stripe]);
    return total.result();
  }

private:
  /// Every worker's memory, with rows of its own or with the same rows, packed in parallel, for all.
  template <class Exec>
  static worker_memory* allocate_workers(const Exec& exec, const Problem& problem, workspace& scratch, index_t rows) {
    const auto count = static_cast<index_t>(exec.workers());
    const bool copies = count <= most_copies;
    worker_memory* workers = scratch.template allocate<worker_memory>(count);
    for (index_t w = 0; w < count; ++w) {
      worker_memory& own = *new (workers + w) worker_memory{};
      own.stripe.allocate(scratch, rows, width, problem.widest());
      own.rows = copies || w == 0 ? allocate_rows(problem, scratch) : workers[0].rows;
      own.packed = !copies;
    }
    if (!copies) exec.run(workers[0].rows[0].panel_count(), [&](index_t panel, int) { problem.pack(workers[0].rows, panel); });
    return workers;
  }

  static blocks allocate_rows(const Problem& problem, workspace& scratch) {
    blocks all;
    problem.allocate(scratch, all, problem.rows());
    Problem::for_each_layer([&](auto l) { all[l].assign(0, problem.rows()); });
    return all;
  }

  static void pack_once(const Problem& problem, worker_memory& own) {
    if (std::exchange(own.packed, true)) return;
    for (index_t panel = 0; panel < own.rows[0].panel_count(); ++panel) problem.pack(own.rows, panel);
  }
};

} // namespace dalib::engine
