/// @file
/// Source and target read as one sample of rows, and what is known of it before the pairs are visited.
#pragma once

#include "dalib/core/sample.hpp"
#include "dalib/core/workspace.hpp"
#include "dalib/engine/sample/sample_moments.hpp"
#include "dalib/engine/sample/split_mean.hpp"
#include "dalib/kernel/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

namespace dalib::engine {

/// Rows 0 .. n_s - 1 are the source's, rows n_s .. n - 1 the target's.
template <class T, class Memory = host_memory>
struct joint_sample {
  using memory = Memory;

  sample<T, Memory> source;
  sample<T, Memory> target;

  DALIB_HD index_t source_rows() const { return source.rows.rows; }
  DALIB_HD index_t rows() const { return source.rows.rows + target.rows.rows; }
  DALIB_HD index_t features() const { return source.rows.cols; }
  DALIB_HD bool is_source(index_t row) const { return row < source_rows(); }

  DALIB_HD double weight(index_t row) const {
    if (is_source(row)) return source.weights ? static_cast<double>(source.weights[row]) : 1.0;
    return target.weights ? static_cast<double>(target.weights[row - source_rows()]) : 1.0;
  }

  /// The view that holds `row`, and the row's place in it.
  DALIB_HD const matrix_view<const T, Memory>& view_of_row(index_t row) const { return is_source(row) ? source.rows : target.rows; }
  DALIB_HD index_t place_of_row(index_t row) const { return is_source(row) ? row : row - source_rows(); }
};

/// |x - y|^2 of two rows, from their differences, in double. O(F).
template <class T, class Memory>
DALIB_HD double squared_distance_of(const joint_sample<T, Memory>& data, index_t x, index_t y) {
  const auto& view_x = data.view_of_row(x);
  const auto& view_y = data.view_of_row(y);
  double total = 0;
  for (index_t f = 0; f < view_x.cols; ++f) {
    const double d = static_cast<double>(view_x(data.place_of_row(x), f)) - static_cast<double>(view_y(data.place_of_row(y), f));
    total += d * d;
  }
  return total;
}

/// An element less its feature's mean, which is given in two parts: both are subtracted in T and nothing is lost, since the first
/// difference is exact where it matters.
template <class T>
DALIB_HD T centred(T value, T mean_high, T mean_low) {
  return as_written(value - mean_high) - mean_low;
}

/// Where rows are measured from: the mean of all rows, or 0, by default: the rows as they are given.
template <class T>
struct row_origin {
  const T* high = nullptr; ///< the mean in two parts
  const T* low = nullptr;
  const double* mean = nullptr;
  double mean_norm = 0; ///< |mean|^2

  DALIB_HD bool is_zero() const { return mean == nullptr; }
  /// Feature f of a row, measured from here.
  DALIB_HD T from(T value, index_t f) const { return is_zero() ? value : centred(value, high[f], low[f]); }
};

/// What the moments of all features say of the joint sample.
struct sample_spread {
  double mean_norm = 0;             ///< |mean|^2
  double mean_squared_distance = 0; ///< of all n^2 ordered pairs, by weight; NaN if a row is, or if squares leave double's range

  /// Finds the spread, and every feature's split_mean, from the features' sums of offsets from `reference` and of their squares over rows
  /// of that total weight. All arrays have one entry for each feature.
  template <class T>
  static sample_spread of(index_t features, double weight, const T* reference, const double* sums, const double* squares, double* mean,
                          T* mean_high, T* mean_low) {
    sample_spread result;
    double square = 0, offset_norm = 0;
    for (index_t f = 0; f < features; ++f) {
      const double offset = sums[f] / weight;
      square += squares[f];
      offset_norm += offset * offset;
      const auto split = split_mean<T>::of(reference[f], sums[f], weight);
      mean[f] = split.whole;
      mean_high[f] = split.high;
      mean_low[f] = split.low;
      result.mean_norm += mean[f] * mean[f];
    }
    const double variance = square / weight - offset_norm;
    // Below the rounding of the two terms nothing but rounding is left: identical rows. Their squares may also be too small for a double.
    result.mean_squared_distance = variance <= 1e-15 * offset_norm ? 0 : 2 * variance;
    if (square < 1e-290 && std::any_of(sums, sums + features, [](double sum) { return sum != 0; }))
      result.mean_squared_distance = std::numeric_limits<double>::quiet_NaN();
    return result;
  }
};

/// Of median_distance.hpp.
template <class T>
double median_squared_distance_of(const joint_sample<T>& data, workspace& scratch);

template <class T, class Memory = host_memory>
class sample_summary : public backend<Memory>::template summary<T> {
public:
  template <class Exec>
  sample_summary(const Exec& exec, const joint_sample<T, Memory>& data, workspace_of<Memory>& scratch)
      : backend<Memory>::template summary<T>(exec, data, scratch) {}
};

/// Mean of the joint sample and the mean squared distance of its pairs: what centring and the bandwidth rules need.
template <class T>
class sample_summary<T, host_memory> {
public:
  /// One pass over the data in double, relative to the first row, so that a shift of the data by any constant costs no accuracy.
  /// Partial sums of fixed chunks of rows are merged in order: the same bits for any number of threads. O(n F).
  template <class Exec>
  sample_summary(const Exec& exec, const joint_sample<T>& data, workspace& scratch) : data_(data) {
    const index_t features = data.features();
    const index_t chunk_rows = rows_of_chunk(data.rows());
    const index_t chunks = (data.rows() + chunk_rows - 1) / chunk_rows;
    double* sums = scratch.template allocate_zero<double>(chunks * features);
    double* squares = scratch.template allocate_zero<double>(chunks * features);
    double* weights = scratch.template allocate_zero<double>(chunks);
    reference_ = scratch.template allocate<T>(features);
    for (index_t f = 0; f < features; ++f) reference_[f] = data.source.rows(0, f);
    // Few rows are one chunk: its features are shared among tasks, which changes no sum.
    const index_t group = chunks == 1 ? group_features : features;
    const index_t groups = (features + group - 1) / group;
    exec.run(chunks * groups, [&](index_t task, int) {
      const index_t chunk = task / groups;
      const index_t last = std::min((chunk + 1) * chunk_rows, data_.rows());
      const feature_range range{task % groups * group, std::min((task % groups + 1) * group, features)};
      for (index_t row = chunk * chunk_rows; row < last;) {
        const index_t same = std::min(data_.is_source(row) ? std::min(last, data_.source_rows()) : last, row + rows_at_once) - row;
        if (range.first == 0)
          for (index_t r = 0; r < same; ++r) weights[chunk] += data_.weight(row + r);
        add_rows(row, same, range, sums + chunk * features, squares + chunk * features);
        row += same;
      }
    });
    mean_ = scratch.template allocate<double>(features);
    mean_high_ = scratch.template allocate<T>(features);
    mean_low_ = scratch.template allocate<T>(features);
    merge(chunks, sums, squares, weights);
    offset_sums_ = sums;
  }

  /// The same from merged moments of a sample whose rows may lie anywhere. O(F).
  /// @param median_rows  what the median rule looks at: median_row() of the whole sample's rows
  sample_summary(const sample_moments<T>& moments, const joint_sample<T>& median_rows, workspace& scratch)
      : data_(median_rows), offset_sums_(moments.sums()) {
    const index_t features = moments.features();
    mean_ = scratch.template allocate<double>(features);
    mean_high_ = scratch.template allocate<T>(features);
    mean_low_ = scratch.template allocate<T>(features);
    spread_ =
        sample_spread::of(features, moments.weight(), moments.reference(), moments.sums(), moments.squares(), mean_, mean_high_, mean_low_);
  }

  /// Mean of feature f.
  double mean(index_t f) const { return mean_[f]; }
  const double* mean() const { return mean_; }

  row_origin<T> origin() const { return {mean_high_, mean_low_, mean_, spread_.mean_norm}; }

  /// For each feature the sum, by weight, of what the rows differ by from the sample's first.
  const double* offset_sums() const { return offset_sums_; }

  /// Mean of |x - y|^2 over all n^2 ordered pairs, by weight: 2 / W * sum w |z - mean|^2.
  double mean_squared_distance() const { return spread_.mean_squared_distance; }

  /// Median of |x - y|^2 over the pairs i < j, by weight; see bandwidth::median.
  double median_squared_distance(workspace& scratch) const { return median_squared_distance_of(data_, scratch); }

private:
  static constexpr index_t fewest_rows = 256;
  static constexpr index_t most_chunks = 256;
  static constexpr index_t rows_at_once = 8;
  static constexpr index_t group_features = 512;

  /// Few chunks, whatever the number of rows: each has sums of all features.
  static index_t rows_of_chunk(index_t rows) { return std::max(fewest_rows, (rows / most_chunks / rows_at_once + 1) * rows_at_once); }

  struct feature_range {
    index_t first;
    index_t last;
  };

  /// Adds up to rows_at_once rows of one domain to the sums of a range of features: the more rows in one sweep, the fewer times the sums
  /// are read and written.
  DALIB_ONE_COPY void add_rows(index_t row, index_t count, feature_range range, double* sum, double* square) const {
    const auto& view = data_.view_of_row(row);
    const T* from = &view(data_.place_of_row(row), 0);
    double weight[rows_at_once];
    for (index_t r = 0; r < count; ++r) weight[r] = data_.weight(row + r);
    const auto sweep = [&](auto rows, index_t col_stride, auto weight_of) {
      for (index_t f = range.first; f < range.last; ++f) {
        moment_sums moments;
        for (index_t r = 0; r < rows; ++r) {
          const T element = from[r * view.row_stride + f * col_stride];
          const double offset = as_written(static_cast<double>(element) - static_cast<double>(reference_[f]));
          moments.add(weight_of(r), offset);
        }
        sum[f] += moments.sum;
        square[f] += moments.square;
      }
    };
    const bool weighted = (data_.is_source(row) ? data_.source : data_.target).weights != nullptr;
    const auto own_weight = [&](index_t r) { return weight[r]; };
    if (view.col_stride != 1) return sweep(count, view.col_stride, own_weight);
    // Constant trip count, stride and weight let the compiler vectorise the common case and leave out a multiplication; so has every number
    // of rows.
    const auto sweep_if = [&](auto rows) {
      if (rows != count) return;
      if (weighted)
        sweep(rows, 1, own_weight);
      else
        sweep(rows, 1, [](index_t) { return 1.0; });
    };
    [&]<index_t... Fewer>(std::integer_sequence<index_t, Fewer...>) { (sweep_if(std::integral_constant<index_t, Fewer + 1>{}), ...); }
    (std::make_integer_sequence<index_t, rows_at_once>{});
  }

  DALIB_ONE_COPY void merge(index_t chunks, double* sums, double* squares, const double* weights) {
    double weight = 0;
    const index_t features = data_.features();
    for (index_t c = 0; c < chunks; ++c) weight += weights[c];
    // Chunk 0 becomes the total; merging chunk after chunk keeps the inner loop contiguous.
    for (index_t c = 1; c < chunks; ++c)
      for (index_t f = 0; f < features; ++f) {
        sums[f] += sums[c * features + f];
        squares[f] += squares[c * features + f];
      }
    spread_ = sample_spread::of(features, weight, reference_, sums, squares, mean_, mean_high_, mean_low_);
  }

  joint_sample<T> data_;
  T* reference_ = nullptr;
  const double* offset_sums_ = nullptr;
  double* mean_ = nullptr;
  T* mean_high_ = nullptr;
  T* mean_low_ = nullptr;
  sample_spread spread_;
};

/// What the terms of a centred row that depend on where the mean lies are made of; see row_terms. In double: the mean may be far larger
/// than the row.
struct raw_sums {
  double norm = 0;
  double along_mean = 0;

  /// Adds a run of features, which starts at `first`. O(count).
  template <class T>
  DALIB_HD void add(const T* row, const row_origin<T>& origin, index_t first, index_t count) {
    for (index_t f = 0; f < count; ++f) {
      norm += static_cast<double>(row[f]) * static_cast<double>(row[f]);
      if (!origin.is_zero()) along_mean += static_cast<double>(row[f]) * origin.mean[first + f];
    }
  }

  template <class T>
  DALIB_HD row_terms<T> terms(double mean_norm) const {
    using std::sqrt;
    const double raw_norm = norm + 2 * along_mean + mean_norm;
    return {static_cast<T>(norm), static_cast<T>(along_mean + mean_norm / 2), raw_norm > 0 ? static_cast<T>(1 / sqrt(raw_norm)) : T(0)};
  }
};

/// The terms of a row that is measured from `origin`. O(F).
template <class T>
DALIB_HD row_terms<T> raw_terms(const T* row, index_t features, const row_origin<T>& origin) {
  raw_sums sums;
  sums.add(row, origin, 0, features);
  return sums.template terms<T>(origin.mean_norm);
}

} // namespace dalib::engine
