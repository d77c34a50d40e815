/// @file
/// Median of the squared distances of a joint sample's pairs.
#pragma once

#include "dalib/engine/sample/joint_sample.hpp"

#include <algorithm>
#include <limits>

namespace dalib::engine {

/// The median rule looks at this many rows at most.
inline constexpr index_t median_rows_limit = 1024;

/// Number of rows that the median rule looks at among `rows`, and the i-th of these `count`.
inline index_t median_rows(index_t rows) { return std::min(rows, median_rows_limit); }
DALIB_HD constexpr index_t median_row(index_t i, index_t count, index_t rows) { return i * rows / count; }

namespace detail {

/// The squared distance of a pair, and how often the pair is in the sample.
struct weighted_distance {
  double distance;
  double weight;
};

/// Median of numbers, all of the same weight; puts them into another order. O(count).
inline double median_of(double* numbers, index_t count) {
  if (count == 0) return 0;
  double* const middle = numbers + count / 2;
  std::nth_element(numbers, middle, numbers + count);
  return count % 2 ? *middle : (*std::max_element(numbers, middle) + *middle) / 2;
}

/// Median of `count` pairs by weight; sorts them.
inline double weighted_median(weighted_distance* pairs, index_t count) {
  std::sort(pairs, pairs + count, [](const weighted_distance& a, const weighted_distance& b) { return a.distance < b.distance; });
  double total = 0;
  for (index_t i = 0; i < count; ++i) total += pairs[i].weight;
  double below = 0;
  for (index_t i = 0; i < count; ++i) {
    below += pairs[i].weight;
    if (below > total / 2) return pairs[i].distance;
    // Exactly half of the weight lies below: the median is the middle of this and the next pair.
    if (below == total / 2) return i + 1 < count ? (pairs[i].distance + pairs[i + 1].distance) / 2 : pairs[i].distance;
  }
  return 0;
}

/// The rows that the median rule looks at: of those that count, all or median_rows_limit at equal distance.
template <class T>
index_t* rows_for_median(const joint_sample<T>& data, index_t& count, workspace& scratch) {
  index_t counted = 0;
  for (index_t row = 0; row < data.rows(); ++row) counted += data.weight(row) > 0;
  count = median_rows(counted);
  index_t* rows = scratch.template allocate<index_t>(count);
  for (index_t row = 0, place = 0, i = 0; i < count; ++row)
    if (data.weight(row) > 0 && place++ == median_row(i, count, counted)) rows[i++] = row;
  return rows;
}

} // namespace detail

/// Median of |x - y|^2 over the pairs i < j, by weight; see bandwidth::median. Its numbers, of which there are at most 524,800, lie in
/// `scratch` during the call. NaN if a distance is not finite.
template <class T>
double median_squared_distance_of(const joint_sample<T>& data, workspace& scratch) {
  const workspace_mark mark(scratch);
  index_t count = 0;
  const index_t* rows = detail::rows_for_median(data, count, scratch);
  const bool has_weights = data.source.weights || data.target.weights;
  const index_t most = count * (count + 1) / 2;
  double* distances = has_weights ? nullptr : scratch.template allocate<double>(most);
  detail::weighted_distance* pairs = has_weights ? scratch.template allocate<detail::weighted_distance>(most) : nullptr;
  index_t found = 0;
  for (index_t i = 0; i < count; ++i) {
    const double own = data.weight(rows[i]);
    // Copies of one row are pairs at distance 0.
    if (has_weights && own > 1) pairs[found++] = {0, own * (own - 1) / 2};
    for (index_t j = 0; j < i; ++j) {
      const double distance = squared_distance_of(data, rows[i], rows[j]);
      if (!is_finite(distance)) return std::numeric_limits<double>::quiet_NaN(); // it has no place in an order
      if (has_weights)
        pairs[found++] = {distance, own * data.weight(rows[j])};
      else
        distances[found++] = distance;
    }
  }
  return has_weights ? detail::weighted_median(pairs, found) : detail::median_of(distances, found);
}

} // namespace dalib::engine
