/// @file
/// The weight of every pair in the sum that a measure is.
#pragma once

#include "dalib/engine/joint_sample.hpp"

#include <algorithm>

namespace dalib {

/// What a full-pair estimator says: sum over ordered pairs (x, y) of the joint sample of c(x, y) k(x, y), plus a constant.
/// For rows x, y with weights w: c = factor of their domains * w_x * w_y.
struct pair_coefficients {
  double within_source = 0;
  double within_target = 0;
  double across = 0;     ///< for each of (s, t) and (t, s)
  bool distinct = false; ///< leave out the pair of a row with itself; a row of weight w is w copies: w^2 - w pairs of it remain
  double constant = 0;   ///< added to the value
};

namespace engine {

/// Coefficients of a two-sample estimator as the tiles want them: one column at a time.
template <class T>
struct domain_coefficients {
  joint_sample<T> data;
  pair_coefficients pairs;

  /// out[l] = c(first + l, row) for l < count.
  void fill(index first, index count, index row, T* out) const {
    const bool own_source = data.is_source(row);
    const double weight = data.weight(row);
    const double to_source = weight * (own_source ? pairs.within_source : pairs.across);
    const double to_target = weight * (own_source ? pairs.across : pairs.within_target);
    const index border = std::clamp<index>(data.source_rows() - first, 0, count);
    for (index l = 0; l < border; ++l) out[l] = static_cast<T>(to_source);
    for (index l = border; l < count; ++l) out[l] = static_cast<T>(to_target);
    if (data.source.weights)
      for (index l = 0; l < border; ++l) out[l] *= data.source.weights[first + l];
    if (data.target.weights)
      for (index l = border; l < count; ++l) out[l] *= data.target.weights[first + l - data.source_rows()];
    if (pairs.distinct && row >= first && row < first + count)
      out[row - first] = static_cast<T>((own_source ? to_source : to_target) * (weight - 1));
  }
};

/// Coefficients given as a square matrix R: the pair (x, y) counts (R(x, y) + R(y, x)) / 2, which leaves the sum unchanged.
template <class T>
struct matrix_coefficients {
  matrix_view<const T> matrix;

  void fill(index first, index count, index row, T* out) const {
    for (index l = 0; l < count; ++l) out[l] = (matrix(first + l, row) + matrix(row, first + l)) / T(2);
  }
};

} // namespace engine
} // namespace dalib
