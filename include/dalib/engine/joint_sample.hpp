/// @file
/// Source and target read as one sample of rows, and what is known of it before the pairs are visited.
#pragma once

#include "dalib/core/sample.hpp"
#include "dalib/core/workspace.hpp"

#include <algorithm>
#include <cmath>
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
      const index first = chunk * chunk_rows;
      const index last = std::min(first + chunk_rows, data_.rows());
      for (index row = first; row < last; ++row) {
        const double weight = data_.weight(row);
        weights[chunk] += weight;
        add_row(row, weight, sums + chunk * features, squares + chunk * features);
      }
    });
    mean_ = scratch.template allocate<double>(features);
    merge(chunks, sums, squares, weights);
  }

  /// Mean of feature f.
  double mean(index f) const { return mean_[f]; }
  const double* mean() const { return mean_; }

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
        distances.emplace_back(squared_distance_of(x, y), data_.weight(x) * data_.weight(y));
      }
    }
    return weighted_median(distances);
  }

private:
  static constexpr index chunk_rows = 256;

  void add_row(index row, double weight, double* sum, double* square) const {
    const auto& view = data_.view_of_row(row);
    const T* from = &view(data_.place_of_row(row), 0);
    const auto add = [&](index f, index stride) {
      const double offset = static_cast<double>(from[f * stride]) - static_cast<double>(reference_[f]);
      sum[f] += weight * offset;
      square[f] += weight * offset * offset;
    };
    // The constant stride lets the compiler vectorise the common case.
    if (view.col_stride == 1)
      for (index f = 0; f < view.cols; ++f) add(f, 1);
    else
      for (index f = 0; f < view.cols; ++f) add(f, view.col_stride);
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
      mean_norm_ += mean_[f] * mean_[f];
    }
    const double variance = square / weight - offset_norm;
    // Below the rounding of the two terms nothing but rounding is left: identical rows.
    mean_squared_distance_ = variance > 1e-15 * offset_norm ? 2 * variance : 0;
  }

  double squared_distance_of(index x, index y) const {
    const auto& view_x = data_.view_of_row(x);
    const auto& view_y = data_.view_of_row(y);
    double total = 0;
    for (index f = 0; f < view_x.cols; ++f) {
      const double d = static_cast<double>(view_x(data_.place_of_row(x), f)) - static_cast<double>(view_y(data_.place_of_row(y), f));
      total += d * d;
    }
    return total;
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
  double mean_norm_ = 0;
  double mean_squared_distance_ = 0;
};

} // namespace dalib::engine
