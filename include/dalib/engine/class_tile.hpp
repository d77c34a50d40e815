/// @file
/// The row-wise engine for rows of class scores: a register of rows at a time, transposed so that each lane is one row.
#pragma once

#include "dalib/core/class_rows.hpp"
#include "dalib/core/gradients.hpp"
#include "dalib/core/pack_math.hpp"
#include "dalib/core/workspace.hpp"
#include "dalib/reduction/reductions.hpp"

#include <algorithm>
#include <vector>

namespace dalib::engine {

/// Scores of as many rows as V has lanes, in scratch memory: class c of all of them lies at data[c * stride]. With V a scalar it is one
/// row, which is how a task on another machine sees it.
template <class V>
struct class_column {
  element_of<V>* data;
  index stride;
  index classes;

  DALIB_HD V operator[](index c) const { return load_lanes<V>(data + c * stride); }
  DALIB_HD void set(index c, const V& value) const { store_lanes(value, data + c * stride); }
};

/// Copies rows [first, first + count) into the lanes; unused lanes repeat the last row.
template <class T>
void load_rows(const class_rows<const T>& from, index first, index count, const class_column<pack<T>>& to) {
  const index stride = from.class_stride();
  for (index lane = 0; lane < to.stride; ++lane) {
    const T* row = from.row(first + std::min(lane, count - 1));
    for (index c = 0; c < to.classes; ++c) to.data[c * to.stride + lane] = row[c * stride];
  }
}

/// Copies the lanes back to rows [first, first + count), or adds them. A view without data is left alone.
template <class T>
void store_rows(const class_column<pack<T>>& from, index first, index count, const class_rows<T>& to, write_mode mode) {
  if (to.tensor.data == nullptr) return;
  const index stride = to.class_stride();
  for (index lane = 0; lane < count; ++lane) {
    T* row = to.row(first + lane);
    if (mode == write_mode::accumulate)
      for (index c = 0; c < from.classes; ++c) row[c * stride] += from.data[c * from.stride + lane];
    else
      for (index c = 0; c < from.classes; ++c) row[c * stride] = from.data[c * from.stride + lane];
  }
}

/// A register of rows of one domain.
struct row_group {
  bool is_source;
  index first;
  index count;
  index sample; ///< place of the first row among all samples, source first
};

/// The groups of `source` and `target` rows, `lanes` rows each; a group has rows of one domain only.
struct row_groups {
  index source;
  index target;
  index lanes;

  index source_groups() const { return (source + lanes - 1) / lanes; }
  index count() const { return source_groups() + (target + lanes - 1) / lanes; }
  row_group operator[](index g) const {
    const bool is_source = g < source_groups();
    const index first = (is_source ? g : g - source_groups()) * lanes;
    return {is_source, first, std::min(lanes, (is_source ? source : target) - first), is_source ? first : source + first};
  }
};

/// Scratch memory of one worker: `columns` class columns.
template <class T>
class column_scratch {
public:
  column_scratch(workspace& memory, int workers, index columns, index classes)
      : classes_(classes), per_worker_(columns * classes * lanes), data_(memory.allocate<T>(static_cast<index>(workers) * per_worker_)) {}

  class_column<pack<T>> operator()(int worker, index column) const {
    return {data_ + static_cast<index>(worker) * per_worker_ + column * classes_ * lanes, lanes, classes_};
  }

private:
  static constexpr index lanes = simd_lanes<T>;
  index classes_;
  index per_worker_;
  T* data_;
};

/// Groups that one task visits: enough elements to pay for starting it.
template <class T>
index groups_per_task(index classes) {
  return std::max<index>(1, 8192 / (classes * simd_lanes<T>));
}

/// Reduces per-sample values: `visit(group, worker)` gives a pack with the values of the group's rows, already times the reduction's
/// factor. They are added in row order within fixed runs of groups and over the runs in order: the same bits for any number of threads.
template <class T, class Reduction, class Exec, class Visit>
reduced<T, Reduction> reduce_groups(const Exec& exec, const row_groups& groups, index classes, const Visit& visit) {
  constexpr index lanes = simd_lanes<T>;
  const index per_task = groups_per_task<T>(classes);
  const index tasks = (groups.count() + per_task - 1) / per_task;
  std::vector<double> sums(static_cast<std::size_t>(tasks));
  std::vector<T> samples(Reduction::per_sample ? static_cast<std::size_t>(groups.source + groups.target) : 0);
  exec.run(tasks, [&](index task, int worker) {
    double total = 0;
    for (index g = task * per_task; g < std::min(groups.count(), (task + 1) * per_task); ++g) {
      const row_group group = groups[g];
      T values[lanes];
      store_lanes(visit(group, worker), values);
      for (index lane = 0; lane < group.count; ++lane) {
        total += static_cast<double>(values[lane]);
        if constexpr (Reduction::per_sample) samples[static_cast<std::size_t>(group.sample + lane)] = values[lane];
      }
    }
    sums[static_cast<std::size_t>(task)] = total;
  });
  if constexpr (Reduction::per_sample) {
    return samples;
  } else {
    double total = 0;
    for (double sum : sums) total += sum;
    return static_cast<T>(total);
  }
}

} // namespace dalib::engine
