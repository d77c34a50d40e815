/// @file
/// Source and target read as one sample of rows, and what is known of it before the pairs are visited.
#pragma once

#include "dalib/core/sample.hpp"
#include "dalib/core/workspace.hpp"
#include "dalib/statistic/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <utility>
#include <vector>

namespace dalib::engine {

/// Rows 0 .. n_s - 1 are the source's, rows n_s .. n - 1 the target's.
template <class T>
struct joint_sample {
  sample<T> source;
  sample<T> target;

  index source_rows() const { return source.rows.rows; }
  index rows() const { return source.rows.rows + target.rows.rows; }
  index features() const { return source.rows.cols; }
  bool is_source(index row) const { return row < source_rows(); }

  double weight(index row) const {
    if (is_source(row)) return source.weights ? static_cast<double>(source.weights[row]) : 1.0;
    return target.weights ? static_cast<double>(target.weights[row - source_rows()]) : 1.0;
  }

  /// The view that holds `row`, and the row's place in it.
  const matrix_view<const T>& view_of_row(index row) const { return is_source(row) ? source.rows : target.rows; }
  index place_of_row(index row) const { return is_source(row) ? row : row - source_rows(); }
};

/// |x - y|^2 of two rows, from their differences, in double. O(F).
template <class T>
double squared_distance_of(const joint_sample<T>& data, index x, index y) {
  const auto& view_x = data.view_of_row(x);
  const auto& view_y = data.view_of_row(y);
  double total = 0;
  for (index f = 0; f < view_x.cols; ++f) {
    const double d = static_cast<double>(view_x(data.place_of_row(x), f)) - static_cast<double>(view_y(data.place_of_row(y), f));
    total += d * d;
  }
  return total;
}

/// Sum of a sample's weights; n without weights.
template <class T>
double total_weight(const sample<T>& s) {
  if (!s.weights) return static_cast<double>(s.rows.rows);
  double total = 0;
  for (index i = 0; i < s.rows.rows; ++i) total += static_cast<double>(s.weights[i]);
  return total;
}

/// Mean of the joint sample and the mean squared distance of its pairs: what centring and the bandwidth rules need.
template <class T>
class sample_summary {
public:
  /// One pass over the data in double, relative to the first row, so that a shift of the data by any constant costs no accuracy.
  /// Partial sums of fixed chunks of rows are merged in order: the same bits for any number of threads. O(n F).
  template <class Exec>
  sample_summary(const Exec& exec, const joint_sample<T>& data, workspace& scratch) : data_(data) {
    const index features = data.features();
    const index chunks = (data.rows() + chunk_rows - 1) / chunk_rows;
    double* sums = scratch.template allocate_zero<double>(chunks * features);
    double* squares = scratch.template allocate_zero<double>(chunks * features);
    double* weights = scratch.template allocate_zero<double>(chunks);
    reference_ = scratch.template allocate<T>(features);
    for (index f = 0; f < features; ++f) reference_[f] = data.source.rows(0, f);
    exec.run(chunks, [&](index chunk, int) {
      const index last = std::min((chunk + 1) * chunk_rows, data_.rows());
      for (index row = chunk * chunk_rows; row < last;) {
        const index same = std::min(data_.is_source(row) ? std::min(last, data_.source_rows()) : last, row + rows_at_once) - row;
        for (index r = 0; r < same; ++r) weights[chunk] += data_.weight(row + r);
        add_rows(row, same, sums + chunk * features, squares + chunk * features);
        row += same;
      }
    });
    mean_ = scratch.template allocate<double>(features);
    mean_high_ = scratch.template allocate<T>(features);
    mean_low_ = scratch.template allocate<T>(features);
    merge(chunks, sums, squares, weights);
  }

  /// Mean of feature f.
  double mean(index f) const { return mean_[f]; }
  const double* mean() const { return mean_; }

  /// The mean as a sum of two numbers of type T.
  const T* mean_high() const { return mean_high_; }
  const T* mean_low() const { return mean_low_; }

  /// |mean|^2.
  double mean_norm() const { return mean_norm_; }

  /// Mean of |x - y|^2 over all n^2 ordered pairs, by weight: 2 / W * sum w |z - mean|^2.
  double mean_squared_distance() const { return mean_squared_distance_; }

  /// Median of |x - y|^2 over the pairs i < j, by weight; see bandwidth::median.
  double median_squared_distance() const {
    constexpr index most_rows = 1024;
    const index rows = std::min(data_.rows(), most_rows);
    std::vector<std::pair<double, double>> distances;
    distances.reserve(static_cast<std::size_t>(rows * (rows + 1) / 2));
    for (index i = 0; i < rows; ++i) {
      const index x = i * data_.rows() / rows;
      // Copies of one row are pairs at distance 0.
      distances.emplace_back(0.0, data_.weight(x) * (data_.weight(x) - 1) / 2);
      for (index j = 0; j < i; ++j) {
        const index y = j * data_.rows() / rows;
        distances.emplace_back(squared_distance_of(data_, x, y), data_.weight(x) * data_.weight(y));
      }
    }
    return weighted_median(distances);
  }

private:
  static constexpr index chunk_rows = 256;
  static constexpr index rows_at_once = 4;

  /// Adds up to rows_at_once rows of one domain: the more rows in one sweep, the fewer times the sums are read and written.
  void add_rows(index row, index count, double* sum, double* square) const {
    const auto& view = data_.view_of_row(row);
    const T* from = &view(data_.place_of_row(row), 0);
    double weight[rows_at_once];
    for (index r = 0; r < count; ++r) weight[r] = data_.weight(row + r);
    const auto sweep = [&](auto whole, index col_stride) {
      for (index f = 0; f < view.cols; ++f) {
        double added = 0, squared = 0;
        for (index r = 0; r < (whole ? rows_at_once : count); ++r) {
          const double offset = static_cast<double>(from[r * view.row_stride + f * col_stride]) - static_cast<double>(reference_[f]);
          added += weight[r] * offset;
          squared += weight[r] * offset * offset;
        }
        sum[f] += added;
        square[f] += squared;
      }
    };
    // Constant trip count and stride let the compiler vectorise the common case.
    if (count == rows_at_once && view.col_stride == 1)
      sweep(std::true_type{}, 1);
    else
      sweep(std::false_type{}, view.col_stride);
  }

  void merge(index chunks, double* sums, double* squares, const double* weights) {
    double weight = 0, square = 0, offset_norm = 0;
    const index features = data_.features();
    for (index c = 0; c < chunks; ++c) weight += weights[c];
    // Chunk 0 becomes the total; merging chunk after chunk keeps the inner loop contiguous.
    for (index c = 1; c < chunks; ++c)
      for (index f = 0; f < features; ++f) {
        sums[f] += sums[c * features + f];
        squares[f] += squares[c * features + f];
      }
    for (index f = 0; f < features; ++f) {
      const double offset = sums[f] / weight;
      square += squares[f];
      offset_norm += offset * offset;
      mean_[f] = static_cast<double>(reference_[f]) + offset;
      mean_high_[f] = static_cast<T>(mean_[f]);
      mean_low_[f] = static_cast<T>(mean_[f] - static_cast<double>(mean_high_[f]));
      mean_norm_ += mean_[f] * mean_[f];
    }
    const double variance = square / weight - offset_norm;
    // Below the rounding of the two terms nothing but rounding is left: identical rows.
    mean_squared_distance_ = variance > 1e-15 * offset_norm ? 2 * variance : 0;
  }

  static double weighted_median(std::vector<std::pair<double, double>>& distances) {
    std::sort(distances.begin(), distances.end());
    double total = 0;
    for (const auto& [distance, weight] : distances) total += std::max(weight, 0.0);
    double below = 0;
    for (std::size_t i = 0; i < distances.size(); ++i) {
      below += std::max(distances[i].second, 0.0);
      if (below > total / 2) return distances[i].first;
      if (below == total / 2) {
        // Exactly half of the weight lies below: the median is the middle of this and the next pair that has weight.
        std::size_t next = i + 1;
        while (next < distances.size() && distances[next].second <= 0) ++next;
        return next < distances.size() ? (distances[i].first + distances[next].first) / 2 : distances[i].first;
      }
    }
    return 0;
  }

  joint_sample<T> data_;
  T* reference_ = nullptr;
  double* mean_ = nullptr;
  T* mean_high_ = nullptr;
  T* mean_low_ = nullptr;
  double mean_norm_ = 0;
  double mean_squared_distance_ = 0;
};

/// Terms of a centred row that depend on where the mean lies; see row_terms. In double: the mean may be far larger than the row. O(F).
template <class T>
row_terms<T> raw_terms(const T* centred, index features, const sample_summary<T>& summary) {
  double norm = 0, along_mean = 0;
  for (index f = 0; f < features; ++f) {
    norm += static_cast<double>(centred[f]) * static_cast<double>(centred[f]);
    along_mean += static_cast<double>(centred[f]) * summary.mean(f);
  }
  const double raw_norm = norm + 2 * along_mean + summary.mean_norm();
  return {static_cast<T>(norm), static_cast<T>(along_mean + summary.mean_norm() / 2),
          raw_norm > 0 ? static_cast<T>(1 / std::sqrt(raw_norm)) : T(0)};
}

} // namespace dalib::engine
