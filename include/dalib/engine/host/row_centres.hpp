/// @file
/// Rows from which clustered rows are measured, so that rows of one cluster are not close against their norms.
///
/// With x = c_k + x', y = c_l + y' the tile's inner product of centred rows becomes x' . y' plus a term of x and l and one of y and k:
///
///     |x - y|^2 = |x - c_l|^2 + |y - c_k|^2 - |c_k - c_l|^2 - 2 x' . y'
///
/// and the pull of x towards all y of the centres l is what it would be without centres plus sum_l S_l (c_l - c_k), S_l the sum of their
/// coefficients. Both cost a few terms beside the F of a product. Few centres are enough: clusters too small to pay for one are left to
/// close_pairs.hpp.
#pragma once

#include "dalib/engine/host/row_distance.hpp"
#include "dalib/engine/pair/close_ratio.hpp"
#include "dalib/engine/sample/joint_sample.hpp"

#include <algorithm>

namespace dalib::engine {

/// Centres of one layer's rows: the mean of all, rounded, and rows of the sample. None (count 0) where rows are not clustered: then all are
/// centred on the mean as always.
template <class T>
struct row_centres {
  static constexpr index_t most = 16;
  index_t count = 0;
  index_t padded = 0; ///< whole registers
  index_t features = 0;
  index_t rows = 0;
  index_t* of_row = nullptr; ///< which centre each row has
  T* centres = nullptr;      ///< count x features
  T* squared = nullptr;      ///< count x rows: |row - centre|^2
  T* between = nullptr;      ///< count x count: |centre - centre|^2
  T* pulls = nullptr;        ///< rows x padded: what a row is pulled towards each centre's rows, while a gradient is made

  const T* centre(index_t k) const { return centres + k * features; }
  T distance(index_t k, index_t row) const { return squared[k * rows + row]; }
};

/// Finds centres that pay, by what depends on the data alone: a row becomes one if enough rows are close to it. O(n F) for each.
template <class Exec, class T>
class centre_finder {
  static constexpr index_t most_centres = row_centres<T>::most;
  static constexpr index_t rows_of_centre = 16; ///< at most one centre for so many rows
  static constexpr index_t most_failures = 4;
  static constexpr index_t task_rows = 128;

public:
  centre_finder(const Exec& exec, const joint_sample<T>& data, const sample_summary<T>& summary, workspace& scratch)
      : exec_(exec), data_(data), summary_(summary), scratch_(scratch) {}

  row_centres<T> run(bool with_gradient) {
    if (!looks_clustered()) return {};
    start();
    index_t failures = 0;
    for (index_t row = 0; row < found_.rows && found_.count < limit_ && failures < most_failures; ++row)
      if (!covered_[row] && !try_centre(row)) ++failures;
    if (found_.count == 1) return {};
    finish(with_gradient);
    return found_;
  }

private:
  /// Two rows against some, by some of their features: enough to see most clusters that pay, in less than a hundredth of the time that 64 rows
  /// take.
  bool looks_clustered() const {
    const index_t rows = data_.rows(), features = data_.features();
    const double spread = summary_.mean_squared_distance();
    if (!(spread > 0) || rows < 2 * rows_of_centre) return false;
    const bool contiguous = data_.source.rows.col_stride == 1 && data_.target.rows.col_stride == 1;
    const index_t others = std::clamp<index_t>(rows / 4, 16, 32);
    // Neighbouring features where they lie side by side; else few, since each is a cache line of its own.
    const index_t step = contiguous ? 1 : (features + 23) / 24, last = contiguous ? std::min<index_t>(features, 128) : features;
    const double share = static_cast<double>((last + step - 1) / step) / static_cast<double>(features);
    const T limit = static_cast<T>(spread * share * static_cast<double>(close_ratio<T>));
    for (const index_t probe : {index_t{0}, rows - 1}) {
      index_t hits = 0;
      for (index_t i = 0; i < others; ++i) {
        const index_t other = (2 * i + 1) * rows / (2 * others);
        if (other != probe) hits += squared_distance_of(given(probe), given(other), last, step) < limit;
      }
      if (pays(hits * rows / others)) return true;
    }
    return false;
  }

  /// Whether a centre with so many close rows takes less time than their pairs would.
  bool pays(index_t mates) const { return mates * mates >= 2 * data_.rows(); }

  void start() {
    const index_t rows = data_.rows(), features = data_.features();
    limit_ = std::min(most_centres, rows / rows_of_centre + 1);
    found_.count = 1;
    found_.features = features;
    found_.rows = rows;
    found_.of_row = scratch_.allocate_zero<index_t>(rows);
    found_.centres = scratch_.allocate<T>(limit_ * features);
    found_.squared = scratch_.allocate<T>(limit_ * rows);
    covered_ = scratch_.allocate_zero<unsigned char>(rows);
    best_ = scratch_.allocate<T>(rows);
    for (index_t f = 0; f < features; ++f) found_.centres[f] = static_cast<T>(summary_.mean(f));
    measure(0);
    std::copy_n(found_.squared, rows, best_);
  }

  /// Takes `row` as a centre if enough rows are close to it as they are centred now.
  bool try_centre(index_t row) {
    const index_t which = found_.count, rows = found_.rows;
    const given_row<T> from = given(row);
    for (index_t f = 0; f < found_.features; ++f) found_.centres[which * found_.features + f] = from.data[f * from.stride];
    measure(which);
    const T* distance = found_.squared + which * rows;
    covered_[row] = 1;
    const auto is_close = [&](index_t i) { return distance[i] < close_ratio<T> * (best_[i] + best_[row]); };
    index_t mates = 0;
    for (index_t i = 0; i < rows; ++i) mates += i != row && is_close(i);
    if (!pays(mates)) return false;
    const T own = best_[row];
    for (index_t i = 0; i < rows; ++i) {
      if (distance[i] < close_ratio<T> * (best_[i] + own)) covered_[i] = 1;
      if (!(distance[i] < best_[i])) continue;
      best_[i] = distance[i];
      found_.of_row[i] = which;
    }
    leader_[found_.count++] = row;
    return true;
  }

  /// Squared distances of all rows to centre `which`.
  void measure(index_t which) {
    const index_t tasks = (found_.rows + task_rows - 1) / task_rows;
    exec_.run(tasks, [&](index_t task, int) {
      const given_row<T> centre{found_.centre(which), 1};
      for (index_t i = task * task_rows; i < std::min(found_.rows, (task + 1) * task_rows); ++i)
        found_.squared[which * found_.rows + i] = squared_distance_of(centre, given(i), found_.features);
    });
  }

  void finish(bool with_gradient) {
    const index_t count = found_.count;
    found_.padded = (count + simd_lanes<T> - 1) / simd_lanes<T> * simd_lanes<T>;
    found_.between = scratch_.allocate_zero<T>(count * count);
    for (index_t k = 0; k < count; ++k)
      for (index_t l = 0; l < count; ++l)
        if (k != l) found_.between[k * count + l] = k == 0 ? found_.distance(0, leader_[l]) : found_.distance(l, leader_[k]);
    if (with_gradient) found_.pulls = scratch_.allocate_zero<T>((found_.rows + simd_lanes<T>)*found_.padded);
  }

  given_row<T> given(index_t i) const { return given_row<T>::of(data_, i); }

  const Exec& exec_;
  const joint_sample<T>& data_;
  const sample_summary<T>& summary_;
  workspace& scratch_;
  row_centres<T> found_;
  index_t limit_ = 0;
  index_t leader_[most_centres] = {};
  unsigned char* covered_ = nullptr; ///< rows that are no candidates any more
  T* best_ = nullptr;                ///< squared distance of each row to its centre
};

} // namespace dalib::engine
