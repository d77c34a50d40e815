/// @file
/// A block of rows in the two layouts that the tiles read: centred rows, and the same transposed in panels of SIMD lanes.
#pragma once

#include "dalib/engine/joint_sample.hpp"
#include "dalib/engine/microkernel.hpp"
#include "dalib/statistic/statistics.hpp"

#include <cmath>

namespace dalib::engine {

/// Rounds `count` up to a multiple of `unit`.
constexpr index round_up(index count, index unit) { return (count + unit - 1) / unit * unit; }

/// Rows of a block are padded with zeros to a multiple of this, features to a multiple of the SIMD width.
template <class T>
inline constexpr index row_unit = simd_lanes<T> > tile_columns ? simd_lanes<T> : tile_columns;
template <class T>
constexpr index padded_features(index features) {
  return round_up(features, simd_lanes<T>);
}

/// Centred rows [first, first + count) of a joint sample; `padded` of them in memory, the last ones zero.
template <class T>
struct packed_rows {
  index first = 0;
  index count = 0;
  index padded = 0;
  index features = 0;
  index stride = 0;          ///< of rows, = padded_features
  T* rows = nullptr;         ///< padded x stride
  T* panels = nullptr;       ///< panel p: features x simd_lanes, lane l of feature f is row p * simd_lanes + l
  T* norm = nullptr;         ///< row_terms::norm
  T* shift = nullptr;        ///< row_terms::shift
  T* inverse_norm = nullptr; ///< row_terms::inverse_norm

  /// Memory for at most `capacity` rows.
  void allocate(workspace& scratch, index capacity, index feature_count) {
    features = feature_count;
    stride = padded_features<T>(feature_count);
    const index most = round_up(capacity, row_unit<T>);
    rows = scratch.template allocate<T>(most * stride);
    panels = scratch.template allocate<T>(most * feature_count);
    norm = scratch.template allocate<T>(most);
    shift = scratch.template allocate<T>(most);
    inverse_norm = scratch.template allocate<T>(most);
  }

  /// Says which rows it will hold; pack_panel fills them.
  void assign(index first_row, index row_count) {
    first = first_row;
    count = row_count;
    padded = round_up(row_count, row_unit<T>);
  }

  index panel_count() const { return padded / simd_lanes<T>; }

  /// Terms of one row.
  row_terms<T> terms(index row) const { return {norm[row], shift[row], inverse_norm[row]}; }

  /// Terms of simd_lanes rows.
  row_terms<pack<T>> lane_terms(index row) const {
    return {pack<T>::load(norm + row), pack<T>::load(shift + row), pack<T>::load(inverse_norm + row)};
  }
};

/// Fills panel `panel` of `block`: centred rows, their transpose, and their terms. O(simd_lanes F).
template <class T>
void pack_panel(const joint_sample<T>& data, const sample_summary<T>& summary, const packed_rows<T>& block, index panel) {
  constexpr index width = simd_lanes<T>;
  T* transposed = block.panels + panel * width * block.features;
  for (index lane = 0; lane < width; ++lane) {
    const index local = panel * width + lane;
    T* to = block.rows + local * block.stride;
    double norm = 0, along_mean = 0;
    if (local < block.count) {
      const index row = block.first + local;
      const auto& view = data.view_of_row(row);
      const T* from = &view(data.place_of_row(row), 0);
      const double* mean = summary.mean();
      const auto centre = [&](index f, index step) { to[f] = static_cast<T>(static_cast<double>(from[f * step]) - mean[f]); };
      if (view.col_stride == 1)
        for (index f = 0; f < block.features; ++f) centre(f, 1);
      else
        for (index f = 0; f < block.features; ++f) centre(f, view.col_stride);
      constexpr int partials = 8;
      double norms[partials] = {}, alongs[partials] = {};
      index f = 0;
      for (; f + partials <= block.features; f += partials)
        for (int p = 0; p < partials; ++p) {
          const double value = static_cast<double>(to[f + p]);
          norms[p] += value * value;
          alongs[p] += value * mean[f + p];
        }
      for (; f < block.features; ++f) {
        const double value = static_cast<double>(to[f]);
        norms[0] += value * value;
        alongs[0] += value * mean[f];
      }
      for (int p = 0; p < partials; ++p) {
        norm += norms[p];
        along_mean += alongs[p];
      }
      for (index g = block.features; g < block.stride; ++g) to[g] = T(0);
    } else {
      for (index f = 0; f < block.stride; ++f) to[f] = T(0);
    }
    const double raw_norm = norm + 2 * along_mean + summary.mean_norm();
    block.norm[local] = static_cast<T>(norm);
    block.shift[local] = static_cast<T>(along_mean + summary.mean_norm() / 2);
    block.inverse_norm[local] = local < block.count && raw_norm > 0 ? static_cast<T>(1 / std::sqrt(raw_norm)) : T(0);
  }
  const T* rows = block.rows + panel * width * block.stride;
  for (index f = 0; f < block.features; ++f)
    for (index lane = 0; lane < width; ++lane) transposed[f * width + lane] = rows[lane * block.stride + f];
}

/// Fills the whole block on the calling thread.
template <class T>
void pack_rows(const joint_sample<T>& data, const sample_summary<T>& summary, const packed_rows<T>& block) {
  for (index panel = 0; panel < block.panel_count(); ++panel) pack_panel(data, summary, block, panel);
}

} // namespace dalib::engine
