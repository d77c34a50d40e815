/// @file
/// Additions to one row of the caller's gradient.
#pragma once

#include "dalib/core/gradients.hpp"
#include "dalib/engine/host/layer_tile.hpp"
#include "dalib/engine/host/row_distance.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace dalib::engine {

/// Coefficients of a side's own rows, and of the mean, in their gradients.
template <class T>
struct own_pulls {
  const T* self;
  const T* shift;
};

/// One row of the caller's gradient, and what is added to it is multiplied by.
template <class T>
struct gradient_row {
  T* to;
  index_t stride;
  T scale;

  /// to = or += scale * (pulled + self * row `row` of `owns`).
  void add(const T* pulled, T self, const packed_rows<T>& owns, index_t row, write_mode mode) const {
    const T factor = scale, before = mode == write_mode::accumulate ? T(1) : T(0);
    for (index_t c = 0; c < owns.chunk_count(); ++c) {
      const index_t first = c * chunk_features<T>, count = std::min(chunk_features<T>, owns.features - first);
      const T* own = owns.chunk(row, c);
      const T* from = pulled + first;
      T* out = to + first * stride;
      const auto add = [&](index_t f, index_t step) {
        out[f * step] = where_nonzero(before, out[f * step]) + factor * (from[f] + self * own[f]);
      };
      // The constant stride lets the compiler vectorise the common case.
      if (stride == 1)
        for (index_t f = 0; f < count; ++f) add(f, 1);
      else
        for (index_t f = 0; f < count; ++f) add(f, stride);
    }
  }

  /// to += scale * sum_k pulls(row, k) * (centre k - the row's own centre). `block` is memory for a padded row.
  void add_centres(const row_centres<T>& from, index_t row, T* block) const {
    std::array<pulling_row<T>, row_centres<T>::most> pulls;
    index_t count = 0;
    const index_t own = from.of_row[row];
    for (index_t k = 0; k < from.count; ++k)
      if (k != own) pulls[static_cast<std::size_t>(count++)] = {{from.centre(k), 1}, -from.pulls[row * from.padded + k]};
    sum_differences(given_row<T>{from.centre(own), 1}, from.features, pulls.data(), count, block);
    for (index_t f = 0; f < from.features; ++f) to[f * stride] += scale * block[f];
  }

  /// to += scale * shift * mean.
  void add_mean(const double* mean, index_t count, T shift) const {
    for (index_t f = 0; f < count; ++f) to[f * stride] += scale * shift * static_cast<T>(mean[f]);
  }
};

} // namespace dalib::engine
