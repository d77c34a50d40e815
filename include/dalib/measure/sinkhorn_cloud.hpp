/// @file
/// Weighted clouds of points, and the cost between two points as a kernel.
#pragma once

#include "dalib/core/workspace.hpp"
#include "dalib/kernel/statistics.hpp"
#include "dalib/measure/scratch_algebra.hpp"
#include "dalib/simd/pack_math.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace dalib::detail {

/// Points measured from a common origin, with weights; memory of the scratch.
struct point_cloud {
  real_matrix points;
  double *weights, *log_weights, *squares; ///< squares: |x|^2
  double largest_square;                   ///< no |x|^2 is larger

  index_t size() const { return points.rows; }
  double mass() const { return std::accumulate(weights, weights + size(), 0.0); }
};

/// Minus the cost, |x - y|^2 / 2 or |x - y|, as a kernel for the engine's tiles.
struct negative_cost {
  using statistic = squared_distance;
  int power = 2;
  double rate = 1; ///< 1 / epsilon

  template <class T>
  DALIB_HD jet<T> operator()(const T& s) const {
    using std::sqrt;
    if (power == 2) return {T(-0.5 * rate) * s, T(-0.5 * rate)};
    const T distance = sqrt(s);
    return {T(-rate) * distance, T(-0.5 * rate) / distance};
  }
  template <class Data>
  negative_cost bind(const Data&) const {
    return *this;
  }
  negative_cost with_unit(double squared_unit) const { return {power, rate * (power == 2 ? squared_unit : std::sqrt(squared_unit))}; }
};

/// a'b, in a register of sums: one alone would wait for each addition.
inline double inner_product(const double* a, const double* b, index_t count) {
  using vector = pack<double>;
  vector sum(0);
  index_t f = 0;
  for (; f + vector::size <= count; f += vector::size) sum += vector::load(a + f) * vector::load(b + f);
  double total = sum.sum();
  for (; f < count; ++f) total += a[f] * b[f];
  return total;
}

} // namespace dalib::detail
