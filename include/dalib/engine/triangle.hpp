/// @file
/// The schedule for few rows: the lower triangle of all pairs at once.
#pragma once

#include "dalib/engine/pair_problem.hpp"

#include <algorithm>

namespace dalib::engine {

/// Two phases of independent tasks, one for each stripe of row_unit columns. First every stripe evaluates its columns against the rows from
/// its own diagonal square downwards; what is above follows by symmetry. Then every stripe pulls its rows towards all others, reading the
/// part below the diagonal along columns and the part above it across them. No task writes what another one writes.
template <class Accumulator, class Problem>
class triangle {
  using T = typename Problem::scalar;
  using state = typename Accumulator::state;
  static constexpr index width = row_unit<T>;
  static constexpr std::size_t layers = Problem::layer_count;

  /// A worker's memory: coefficients of one column; a gradient block with its rows' own coefficients.
  struct worker_memory {
    T* coefficients;
    T* gradient;
    T* self;
    T* shift;
  };

public:
  template <class Exec>
  double run(const Exec& exec, const Problem& problem, workspace& scratch, write_mode mode) {
    rows_ = round_up(problem.rows(), width);
    const index stripes = rows_ / width;
    // Every stripe has its own lane sums: the rows below receive from many stripes, and add them up in order in the second phase.
    Problem::for_each_layer([&](auto l) {
      using profile = typename Problem::template profile_of<l>;
      tiles_[l] = allocate_tile<profile, T>(scratch, rows_, rows_);
      tiles_[l].lane_self = scratch.template allocate<T>(stripes * rows_);
      tiles_[l].lane_shift = scratch.template allocate<T>(stripes * rows_);
    });
    worker_memory* workers = allocate_workers(static_cast<index>(exec.workers()), problem.widest(), scratch);
    double* values = scratch.template allocate<double>(stripes);
    all_ = pack_everything(exec, problem, scratch);
    if (Problem::with_gradient && mode == write_mode::overwrite) problem.clear_gradients();
    exec.run(stripes, [&](index stripe, int worker) { values[stripe] = evaluate(problem, stripe, workers[worker]); });
    if constexpr (Problem::with_gradient)
      exec.run(stripes,
               [&](index stripe, int worker) { Problem::for_each_layer([&](auto l) { pull<l>(problem, stripe, workers[worker]); }); });
    state total{};
    for (index stripe = 0; stripe < stripes; ++stripe) Accumulator::add(total, values[stripe]);
    return Accumulator::result(total);
  }

private:
  double evaluate(const Problem& problem, index stripe, const worker_memory& own) {
    const index first = stripe * width;
    typename Problem::parts parts;
    for (std::size_t l = 0; l < layers; ++l) parts[l] = {&all_[l], &all_[l], from_diagonal(tiles_[l], stripe)};
    return problem.evaluate(parts, {first, rows_ - first}, {first, width}, width, rows_, own.coefficients);
  }

  /// The buffers of a stripe, starting at its diagonal square.
  layer_tile<T> from_diagonal(const layer_tile<T>& all, index stripe) const {
    const index first = stripe * width;
    layer_tile<T> part = shifted(all, first, first, rows_);
    part.lane_self += stripe * rows_;
    part.lane_shift += stripe * rows_;
    return part;
  }

  template <std::size_t L>
  void pull(const Problem& problem, index stripe, const worker_memory& own) const {
    const index first = stripe * width;
    const span_of_rows rows{first, width};
    const packed_rows<T>& block = all_[L];
    if (!problem.template wanted<L>(block, rows)) return;
    for (index i = 0; i < width; ++i) {
      own.self[i] = tiles_[L].column_self[first + i];
      own.shift[i] = tiles_[L].column_shift[first + i];
      for (index before = 0; before < stripe; ++before) {
        own.self[i] += tiles_[L].lane_self[before * rows_ + first + i];
        own.shift[i] += tiles_[L].lane_shift[before * rows_ + first + i];
      }
    }
    problem.template pull<L>(from_diagonal(tiles_[L], stripe), {rows_, 1}, block, rows, block, {first, rows_ - first}, own.self, own.shift,
                             own.gradient);
    if (first == 0) return;
    std::fill_n(own.self, width, T(0)); // counted above
    std::fill_n(own.shift, width, T(0));
    problem.template pull<L>(shifted(tiles_[L], first, 0, rows_), {1, rows_}, block, rows, block, {0, first}, own.self, own.shift,
                             own.gradient);
  }

  worker_memory* allocate_workers(index count, index widest, workspace& scratch) const {
    worker_memory* workers = scratch.template allocate<worker_memory>(count);
    for (index w = 0; w < count; ++w) {
      workers[w].coefficients = scratch.template allocate<T>(rows_);
      workers[w].gradient = Problem::with_gradient ? scratch.template allocate<T>(width * widest) : nullptr;
      workers[w].self = scratch.template allocate<T>(width);
      workers[w].shift = scratch.template allocate<T>(width);
    }
    return workers;
  }

  index rows_ = 0;
  typename Problem::blocks all_;
  std::array<layer_tile<T>, layers> tiles_;
};

} // namespace dalib::engine
