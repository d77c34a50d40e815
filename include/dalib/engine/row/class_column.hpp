/// @file
/// The row-wise engine for rows of class scores: a register of rows at a time, transposed so that each lane is one row.
#pragma once

#include "dalib/core/gradients.hpp"
#include "dalib/core/workspace.hpp"
#include "dalib/engine/row/class_rows.hpp"
#include "dalib/reduction/reductions.hpp"
#include "dalib/simd/pack_math.hpp"
#include "dalib/simd/transpose_square.hpp"

#include <algorithm>
#include <vector>

namespace dalib::engine {

/// Scores of as many rows as V has lanes, in scratch memory: class c of all of them lies at data[c * stride]. With V a scalar it is one
/// row, which is how a task on another machine sees it.
template <class V>
struct class_column {
  element_of<V>* data;
  index_t stride;
  index_t classes;

  DALIB_HD V operator[](index_t c) const { return load_lanes<V>(data + c * stride); }
  DALIB_HD void set(index_t c, const V& value) const { store_lanes(value, data + c * stride); }
};

/// The class columns that a task has for its rows: column k is scratch(k).
template <class V>
struct row_scratch {
  element_of<V>* data;
  index_t stride;
  index_t classes;

  DALIB_HD class_column<V> operator()(index_t k) const { return {data + k * classes * stride, stride, classes}; }
};

/// Whether `count` rows' scores can be moved to or from V's lanes in squares of registers.
template <class V, class T, class Memory>
DALIB_HD bool moves_by_squares(const class_rows<T, Memory>& rows, index_t count) {
  return count == lanes_of<V> && rows.classes() >= lanes_of<V> && rows.positions == 1 && rows.tensor.col_stride == 1;
}

/// Whether `count` rows' scores of one class lie one after the other, as many as V has lanes.
template <class V, class T, class Memory>
DALIB_HD bool moves_by_columns(const class_rows<T, Memory>& rows, index_t count) {
  return count == lanes_of<V> && rows.positions == 1 && rows.tensor.row_stride == 1;
}

namespace detail {
/// Asks for class c of `count` rows from `first` on, as far as there are any: so many streams of rows at once are more than the processor
/// looks ahead in. Inlined in any case: to g++ a call that only prefetches has no effect, and it removes it.
template <class T, class Memory>
[[gnu::always_inline]] inline void prefetch_rows(const class_rows<const T, Memory>& from, index_t first, index_t count, index_t c) {
  const index_t last = std::min(first + count, from.rows());
  for (index_t row = first; row < last; ++row) __builtin_prefetch(from.row(row) + c, 0, 2);
}

/// The rows by squares of classes [c, c + lanes) that cover all classes; the last one may overlap the one before.
/// Flattened: a call of Eigen's transposition moves its registers through memory.
template <class V, class T, class Memory>
[[gnu::flatten]] void load_squares(const class_rows<const T, Memory>& from, index_t first, const class_column<V>& to) {
  constexpr index_t lanes = lanes_of<V>;
  for (index_t start = 0; start < to.classes; start += lanes) {
    const index_t c = std::min(start, to.classes - lanes);
    prefetch_rows(from, first + lanes, lanes, c);
    transpose_square(from.row(first) + c, from.tensor.row_stride, to.data + c * to.stride, to.stride);
  }
}
template <class V, class T, class Memory>
[[gnu::flatten]] void store_squares(const class_column<V>& from, index_t first, const class_rows<T, Memory>& to) {
  constexpr index_t lanes = lanes_of<V>;
  for (index_t start = 0; start < from.classes; start += lanes) {
    const index_t c = std::min(start, from.classes - lanes);
    transpose_square(from.data + c * from.stride, from.stride, to.row(first) + c, to.tensor.row_stride);
  }
}

/// The first `count` lanes, and 0 in the others.
template <class T>
pack<T> first_lanes(const pack<T>& values, index_t count) {
  T lanes[pack<T>::size];
  values.store(lanes);
  std::fill(lanes + count, lanes + pack<T>::size, T(0));
  return pack<T>::load(lanes);
}
} // namespace detail

/// Copies rows [first, first + count) into the lanes; unused lanes repeat the last row.
#if defined(__CUDACC__)
#  pragma nv_exec_check_disable // squares are the host's alone
#endif
template <class V, class T, class Memory>
DALIB_HD void load_rows(const class_rows<const T, Memory>& from, index_t first, index_t count, const class_column<V>& to) {
  if constexpr (lanes_of<V> != 1) {
    if (moves_by_columns<V>(from, count)) {
      for (index_t c = 0; c < to.classes; ++c) to.set(c, load_lanes<V>(&from.tensor(first, c)));
      return;
    }
    if (moves_by_squares<V>(from, count)) return detail::load_squares(from, first, to);
  }
  const index_t stride = from.class_stride();
  for (index_t lane = 0; lane < lanes_of<V>; ++lane) {
    const T* row = from.row(first + (lane < count ? lane : count - 1));
    for (index_t c = 0; c < to.classes; ++c) to.data[c * to.stride + lane] = row[c * stride];
  }
}

/// Copies the lanes back to rows [first, first + count), or adds them. A view without data is left alone.
#if defined(__CUDACC__)
#  pragma nv_exec_check_disable // squares are the host's alone
#endif
template <class V, class T, class Memory>
DALIB_HD void store_rows(const class_column<V>& from, index_t first, index_t count, const class_rows<T, Memory>& to, write_mode mode) {
  if (to.tensor.data == nullptr) return;
  if constexpr (lanes_of<V> != 1) {
    if (moves_by_columns<V>(to, count)) {
      for (index_t c = 0; c < from.classes; ++c) {
        T* column = &to.tensor(first, c);
        store_lanes(mode == write_mode::accumulate ? load_lanes<V>(column) + from[c] : from[c], column);
      }
      return;
    }
    if (mode == write_mode::overwrite && moves_by_squares<V>(to, count)) return detail::store_squares(from, first, to);
  }
  const index_t stride = to.class_stride();
  for (index_t lane = 0; lane < count; ++lane) {
    T* row = to.row(first + lane);
    if (mode == write_mode::accumulate)
      for (index_t c = 0; c < from.classes; ++c) row[c * stride] += from.data[c * from.stride + lane];
    else
      for (index_t c = 0; c < from.classes; ++c) row[c * stride] = from.data[c * from.stride + lane];
  }
}

/// A register of rows of one domain, or one row.
struct row_group {
  bool is_source;
  index_t first;
  index_t count;
  index_t sample; ///< place of the first row among all samples, source first
};

/// One number of each of a group's rows, from memory that has one for every sample; 0 in unused lanes.
template <class V>
DALIB_HD V load_samples(const element_of<V>* from, const row_group& group) {
  element_of<V> numbers[lanes_of<V>] = {};
  for (index_t lane = 0; lane < group.count; ++lane) numbers[lane] = from[group.sample + lane];
  return load_lanes<V>(numbers);
}

/// Writes one number of each of a group's rows.
template <class V>
DALIB_HD void store_samples(const V& values, const row_group& group, element_of<V>* to) {
  element_of<V> numbers[lanes_of<V>];
  store_lanes(values, numbers);
  for (index_t lane = 0; lane < group.count; ++lane) to[group.sample + lane] = numbers[lane];
}

/// Rows of both domains that a task per row or register of rows visits, and what it needs: `columns` class columns of `classes` classes.
struct row_problem {
  index_t source;
  index_t target;
  index_t columns;
  index_t classes;
};

/// The groups of a problem's rows, `lanes` rows each; a group has rows of one domain only.
struct row_groups {
  row_problem rows;
  index_t lanes;

  DALIB_HD index_t source_groups() const { return (rows.source + lanes - 1) / lanes; }
  DALIB_HD index_t count() const { return source_groups() + (rows.target + lanes - 1) / lanes; }
  DALIB_HD row_group operator[](index_t g) const {
    const bool is_source = g < source_groups();
    const index_t first = (is_source ? g : g - source_groups()) * lanes;
    const index_t left = (is_source ? rows.source : rows.target) - first;
    return {is_source, first, lanes < left ? lanes : left, is_source ? first : rows.source + first};
  }
};

/// Scratch memory of all workers of a CPU.
template <class T>
class worker_scratch {
public:
  worker_scratch(workspace& memory, int workers, const row_problem& rows)
      : classes_(rows.classes), per_worker_(rows.columns * rows.classes * lanes),
        data_(memory.allocate<T>(static_cast<index_t>(workers) * per_worker_)) {}

  row_scratch<pack<T>> operator()(int worker) const { return {data_ + static_cast<index_t>(worker) * per_worker_, lanes, classes_}; }

private:
  static constexpr index_t lanes = simd_lanes<T>;
  index_t classes_;
  index_t per_worker_;
  T* data_;
};

/// Groups that one task visits: enough elements to pay for starting it.
template <class T>
index_t groups_per_task(const row_problem& rows) {
  return std::max<index_t>(1, 8192 / (rows.columns * rows.classes * simd_lanes<T>));
}

/// Calls task(group, scratch) for every group of rows; the engine of tasks without a value. Tasks are function objects whose call operator
/// is a template of V, `void operator()(const row_group&, const row_scratch<V>&) const`, valid on host and device.
template <class T, class Exec, class Task>
void visit_groups(const Exec& exec, const row_problem& rows, const Task& task, workspace& memory) {
  const workspace_mark mark(memory);
  const row_groups groups{rows, simd_lanes<T>};
  const worker_scratch<T> scratch(memory, exec.workers(), rows);
  exec.run(groups.count(), [&](index_t g, int worker) { task(groups[g], scratch(worker)); });
}

/// Reduces per-sample values: `V task(group, scratch)` gives the values of the group's rows, already times the reduction's factor. They
/// are added lane by lane within fixed runs of groups and over the runs in order: the same bits for any number of threads.
template <class T, class Reduction, class Exec, class Task>
reduced<T, Reduction> reduce_groups(const Exec& exec, const row_problem& rows, const Task& task, workspace& memory) {
  constexpr index_t lanes = simd_lanes<T>;
  const row_groups groups{rows, lanes};
  const workspace_mark mark(memory);
  const worker_scratch<T> scratch(memory, exec.workers(), rows);
  const index_t per_task = groups_per_task<T>(rows);
  const index_t tasks = (groups.count() + per_task - 1) / per_task;
  double* const sums = memory.allocate<double>(tasks);
  std::vector<T> samples(Reduction::per_sample ? static_cast<std::size_t>(rows.source + rows.target) : 0);
  exec.run(tasks, [&](index_t run, int worker) {
    typename dalib::detail::wide_register<T>::type totals{}; // in double, lane by lane: no sum waits for the one before
    for (index_t g = run * per_task; g < std::min(groups.count(), (run + 1) * per_task); ++g) {
      const row_group group = groups[g];
      pack<T> values = task(group, scratch(worker));
      if (group.count < lanes) values = detail::first_lanes(values, group.count);
      add_widened<T>(totals, values.lanes);
      if constexpr (Reduction::per_sample) store_samples(values, group, samples.data());
    }
    double total = 0;
    for (index_t lane = 0; lane < lanes; ++lane) total += totals[lane];
    sums[run] = total;
  });
  if constexpr (Reduction::per_sample) {
    return samples;
  } else {
    double total = 0;
    for (index_t run = 0; run < tasks; ++run) total += sums[run];
    return static_cast<T>(total);
  }
}

} // namespace dalib::engine
