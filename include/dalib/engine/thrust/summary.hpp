/// @file
/// Mean and spread of a joint sample in device memory.
#pragma once

#include "dalib/engine/sample/median_distance.hpp"
#include "dalib/execution/thrust.hpp"
#include "dalib/tensor/thrust.hpp"

#include <vector>

namespace dalib::engine {

namespace detail {

/// Moments of one feature over one chunk of rows: task = chunk * features + feature.
template <class T>
struct moments_task {
  static constexpr index_t chunk_rows = 64;
  joint_sample<T, device_memory> data;
  double* sums; ///< (chunks, features)
  double* squares;

  DALIB_HD void operator()(index_t task) const {
    const index_t chunk = task / data.features(), f = task % data.features();
    const index_t last = (chunk + 1) * chunk_rows < data.rows() ? (chunk + 1) * chunk_rows : data.rows();
    const double reference = static_cast<double>(data.source.rows(0, f));
    moment_sums moments;
    for (index_t row = chunk * chunk_rows; row < last; ++row)
      moments.add(data.weight(row), static_cast<double>(data.view_of_row(row)(data.place_of_row(row), f)) - reference);
    sums[task] = moments.sum;
    squares[task] = moments.square;
  }
};

/// Moments of one feature over all chunks, in order, its reference, and its mean: to is (3, features), mean_parts (2, features).
template <class T>
struct merge_moments_task {
  joint_sample<T, device_memory> data;
  const double* sums;
  const double* squares;
  index_t chunks;
  double weight;
  double* to;
  double* mean;
  T* mean_parts;

  DALIB_HD void operator()(index_t f) const {
    const index_t features = data.features();
    double sum = 0, square = 0;
    for (index_t chunk = 0; chunk < chunks; ++chunk) {
      sum += sums[chunk * features + f];
      square += squares[chunk * features + f];
    }
    to[f] = sum;
    to[features + f] = square;
    const T reference = data.source.rows(0, f);
    to[2 * features + f] = static_cast<double>(reference);
    const auto split = split_mean<T>::of(reference, sum, weight);
    mean[f] = split.whole;
    mean_parts[f] = split.high;
    mean_parts[features + f] = split.low;
  }
};

/// Gathers the rows that the median rule looks at, with their weights: to is (median_rows, features + 1).
template <class T>
struct gather_task {
  joint_sample<T, device_memory> data;
  index_t count;
  T* to;

  DALIB_HD void operator()(index_t task) const {
    const index_t i = task / (data.features() + 1), f = task % (data.features() + 1);
    const index_t row = median_row(i, count, data.rows());
    to[task] = f < data.features() ? data.view_of_row(row)(data.place_of_row(row), f) : static_cast<T>(data.weight(row));
  }
};

} // namespace detail

/// Mean of the joint sample and the mean squared distance of its pairs. The sums and the mean are the device's; the few numbers made of
/// them, which the kernels are bound with, are found on the host by the same formulas as for host tensors. Waits for the device once. O(n
/// F).
template <class T>
class sample_summary<T, device_memory> {
public:
  sample_summary(const exec::thrust& exec, const joint_sample<T, device_memory>& data, device_workspace& scratch)
      : exec_(exec), data_(data) {
    using task = detail::moments_task<T>;
    const index_t features = data.features();
    const index_t chunks = (data.rows() + task::chunk_rows - 1) / task::chunk_rows;
    const auto width = static_cast<std::size_t>(features);
    mean_ = scratch.allocate<double>(features);
    mean_parts_ = scratch.allocate<T>(2 * features);
    double* moments = scratch.allocate<double>(3 * features);
    offset_sums_ = moments;
    const workspace_mark mark(scratch);
    double* sums = scratch.allocate<double>(chunks * features);
    double* squares = scratch.allocate<double>(chunks * features);
    exec.run(chunks * features, task{data, sums, squares});
    const double weight = total_weight(data.source) + total_weight(data.target);
    exec.run(features, detail::merge_moments_task<T>{data, sums, squares, chunks, weight, moments, mean_, mean_parts_});
    std::vector<double> found(3 * width), mean(width);
    exec.copy_to_host(moments, 3 * features, found.data());
    std::vector<T> reference(width), parts(2 * width);
    for (std::size_t f = 0; f < width; ++f) reference[f] = static_cast<T>(found[2 * width + f]);
    spread_ = sample_spread::of(features, weight, reference.data(), found.data(), found.data() + width, mean.data(), parts.data(),
                                parts.data() + width);
  }

  /// In device memory: the mean; and the same as the sum of two numbers of type T.
  const double* mean() const { return mean_; }
  row_origin<T> origin() const { return {mean_parts_, mean_parts_ + data_.features(), mean_, spread_.mean_norm}; }

  /// In device memory: for each feature the sum, by weight, of what the rows differ by from the sample's first.
  const double* offset_sums() const { return offset_sums_; }

  /// Mean of |x - y|^2 over all n^2 ordered pairs, by weight.
  double mean_squared_distance() const { return spread_.mean_squared_distance; }

  /// Median of |x - y|^2 over the pairs i < j, by weight; see bandwidth::median. Copies the rows that it looks at to the host.
  double median_squared_distance(device_workspace& scratch) const {
    const workspace_mark mark(scratch);
    const index_t rows = median_rows(data_.rows()), width = data_.features() + 1;
    T* to = scratch.allocate<T>(rows * width);
    exec_.run(rows * width, detail::gather_task<T>{data_, rows, to});
    std::vector<T> host(static_cast<std::size_t>(rows * width)), weights;
    exec_.copy_to_host(to, rows * width, host.data());
    for (index_t i = 0; i < rows; ++i) weights.push_back(host[static_cast<std::size_t>((i + 1) * width - 1)]);
    const matrix_view<const T> all(host.data(), rows, width - 1, width, 1);
    const bool has_weights = data_.source.weights || data_.target.weights;
    workspace memory;
    return median_squared_distance_of(joint_sample<T>{{all, has_weights ? weights.data() : nullptr}, {all.rows_from(0, 0), nullptr}}, memory);
  }

private:
  exec::thrust exec_;
  joint_sample<T, device_memory> data_;
  const double* offset_sums_ = nullptr;
  double* mean_ = nullptr;
  T* mean_parts_ = nullptr;
  sample_spread spread_;
};

} // namespace dalib::engine
