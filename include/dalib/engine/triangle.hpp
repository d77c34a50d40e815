/// @file
/// The schedule for few rows: the lower triangle of all pairs at once.
#pragma once

#include "dalib/engine/lower_triangle.hpp"

#include <new>

namespace dalib::engine {

/// One block holds all rows, and every stripe of row_unit columns is a task, in two phases.
template <class Accumulator, class Problem>
class triangle {
  using T = typename Problem::scalar;
  using state = typename Accumulator::state;
  using shape = lower_triangle<Problem>;
  using worker_memory = typename shape::stripe_memory;
  static constexpr index width = row_unit<T>;

public:
  template <class Exec>
  double run(const Exec& exec, const Problem& problem, workspace& scratch, write_mode mode) {
    const index rows = round_up(problem.rows(), width);
    shape pairs;
    pairs.allocate(scratch, rows, width);
    const auto count = static_cast<index>(exec.workers());
    worker_memory* workers = scratch.template allocate<worker_memory>(count);
    for (index w = 0; w < count; ++w) (new (workers + w) worker_memory{})->allocate(scratch, rows, width, problem.widest());
    const auto all = pack_everything(exec, problem, scratch);
    const index stripes = pairs.stripes(all);
    double* values = scratch.template allocate<double>(stripes);
    if (Problem::with_gradient && mode == write_mode::overwrite) problem.clear_gradients();
    exec.run(stripes, [&](index stripe, int worker) { values[stripe] = pairs.evaluate(problem, all, stripe, workers[worker]); });
    if constexpr (Problem::with_gradient)
      exec.run(stripes, [&](index stripe, int worker) { pairs.pull(problem, all, stripe, workers[worker]); });
    state total{};
    for (index stripe = 0; stripe < stripes; ++stripe) Accumulator::add(total, values[stripe]);
    return Accumulator::result(total);
  }

private:
  /// Packs all rows of all layers, in parallel.
  template <class Exec>
  static typename shape::blocks pack_everything(const Exec& exec, const Problem& problem, workspace& scratch) {
    typename shape::blocks all;
    Problem::for_each_layer([&](auto l) {
      all[l].allocate(scratch, problem.rows(), problem.template features<l>());
      all[l].assign(0, problem.rows());
    });
    exec.run(all[0].panel_count(), [&](index panel, int) { problem.pack(all, panel); });
    return all;
  }
};

} // namespace dalib::engine
