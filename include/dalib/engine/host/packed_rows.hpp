/// @file
/// A block of rows in the two layouts that the tiles read: centred rows in chunks of features, and the same transposed in panels of SIMD
/// lanes. Both are read from one end to the other by the register tile, whatever the number of features.
#pragma once

#include "dalib/engine/host/register_tile.hpp"
#include "dalib/engine/host/row_centres.hpp"
#include "dalib/engine/sample/joint_sample.hpp"
#include "dalib/engine/sample/round_up.hpp"
#include "dalib/kernel/statistics.hpp"
#include "dalib/simd/pack.hpp"
#include "dalib/simd/transpose_square.hpp"

#include <algorithm>

namespace dalib::engine {

/// Depth of one pass over the features: the lanes of a register tile by this depth stays in the first-level cache while the columns pass
/// by.
inline constexpr index_t depth_block = 256;

/// Rows of a block are padded with zeros to a multiple of this, features to a multiple of the SIMD width.
template <class T>
inline constexpr index_t row_unit = simd_lanes<T>;
template <class T>
constexpr index_t padded_features(index_t features) {
  return round_up(features, simd_lanes<T>);
}

/// Features of one chunk: as many as a register tile of the pull-back takes at once.
template <class T>
inline constexpr index_t chunk_features = tile_vectors* simd_lanes<T>;
/// Features that a block holds in memory for each row, over all chunks.
template <class T>
constexpr index_t stored_features(index_t features) {
  return round_up(features, chunk_features<T>);
}

/// Centred rows [first, first + count) of a joint sample; `padded` of them in memory, the last ones zero.
template <class T>
struct packed_rows {
  index_t first = 0;
  index_t count = 0;
  index_t padded = 0;
  index_t features = 0;
  index_t stride = 0;                      ///< padded_features
  index_t chunk_stride = 0;                ///< from one chunk to the next
  T* rows = nullptr;                       ///< chunk c: rows x chunk_features
  T* panels = nullptr;                     ///< panel p: features x simd_lanes, lane l of feature f is row p * simd_lanes + l
  T* norm = nullptr;                       ///< row_terms::norm
  T* shift = nullptr;                      ///< row_terms::shift
  T* inverse_norm = nullptr;               ///< row_terms::inverse_norm
  const row_centres<T>* centres = nullptr; ///< where rows are measured from, if not all from the mean
  T* lane_terms_of_centres = nullptr;      ///< panels of 2 * count terms, which with those of the columns make up for the centres
  T* column_terms_of_centres = nullptr;
  T* members = nullptr; ///< row x padded count: 1 at the row's centre

  /// Memory for at most `capacity` rows.
  void allocate(workspace& scratch, index_t capacity, index_t feature_count, const row_centres<T>* from = nullptr) {
    features = feature_count;
    stride = padded_features<T>(feature_count);
    const index_t most = round_up(capacity, row_unit<T>);
    chunk_stride = most * chunk_features<T>;
    rows = scratch.template allocate<T>(most * stored_features<T>(feature_count));
    panels = scratch.template allocate<T>(most * feature_count);
    norm = scratch.template allocate<T>(most);
    shift = scratch.template allocate<T>(most);
    inverse_norm = scratch.template allocate<T>(most);
    if (from == nullptr || from->count == 0) return;
    centres = from;
    lane_terms_of_centres = scratch.template allocate<T>(most * 2 * from->count);
    column_terms_of_centres = scratch.template allocate<T>(most * 2 * from->count);
    members = scratch.template allocate<T>(most * from->padded);
  }

  /// Says which rows it will hold; pack_panel fills them.
  void assign(index_t first_row, index_t row_count) {
    first = first_row;
    count = row_count;
    padded = round_up(row_count, row_unit<T>);
  }

  index_t panel_count() const { return padded / simd_lanes<T>; }

  /// Lane row % simd_lanes of the panel that holds `row`.
  T* panel(index_t row) const { return panels + row / simd_lanes<T> * simd_lanes<T> * features + row % simd_lanes<T>; }

  index_t chunk_count() const { return (features + chunk_features<T> - 1) / chunk_features<T>; }

  /// Features of chunk c, padded with zeros to whole registers.
  index_t chunk_width(index_t c) const { return std::min(chunk_features<T>, stride - c * chunk_features<T>); }

  /// Features c * chunk_features and on of a row.
  T* chunk(index_t row, index_t c) const { return rows + c * chunk_stride + row * chunk_features<T>; }

  /// Terms of one row.
  row_terms<T> terms(index_t row) const { return {norm[row], shift[row], inverse_norm[row]}; }

  /// Terms of simd_lanes rows.
  row_terms<pack<T>> lane_terms(index_t row) const {
    return {pack<T>::load(norm + row), pack<T>::load(shift + row), pack<T>::load(inverse_norm + row)};
  }
};

namespace detail {

/// A run of a row's features, measured from a row.
template <class T>
void centre_row(const T* from, index_t stride, const T* centre, index_t features, T* to) {
  const auto run = [&](index_t step) {
    for (index_t f = 0; f < features; ++f) to[f] = from[f * step] - centre[f];
  };
  stride == 1 ? run(1) : run(stride);
}

/// A run of a row's features from `first` on, measured from the origin.
template <class T>
void centre_row(const T* from, index_t stride, const row_origin<T>& origin, index_t first, index_t features, T* to) {
  if (origin.is_zero()) {
    for (index_t f = 0; f < features; ++f) to[f] = from[f * stride];
    return;
  }
  const T *high = origin.high + first, *low = origin.low + first;
  const auto centre = [&](index_t f, index_t step) { to[f] = centred(from[f * step], high[f], low[f]); };
  index_t f = 0;
  if (stride == 1) // by registers: a chunk is too short for the checks and the rest of a loop that the compiler vectorises
    for (; f + simd_lanes<T> <= features; f += simd_lanes<T>)
      centred(pack<T>::load(from + f), pack<T>::load(high + f), pack<T>::load(low + f)).store(to + f);
  for (; f < features; ++f) centre(f, stride);
}

/// panel(feature, lane) = rows(lane, feature): simd_lanes rows of a chunk become part of a panel.
template <class T>
void transpose_chunk(const T* rows, index_t features, T* panel) {
  constexpr index_t width = simd_lanes<T>, stride = chunk_features<T>;
  index_t f = 0;
  for (; f + width <= features; f += width) transpose_square(rows + f, stride, panel + f * width, width);
  for (; f < features; ++f)
    for (index_t lane = 0; lane < width; ++lane) panel[f * width + lane] = rows[lane * stride + f];
}

/// |row|^2 of every lane, added in the order in which pair_tile adds inner products, so that identical rows are at distance exactly 0.
template <class T>
class panel_norms {
public:
  /// Adds features [first, first + count), which follow those added before. `panel` starts at the first of them.
  void add(const T* panel, index_t first, index_t count) {
    for (index_t f = 0; f < count; ++f) {
      begin(first + f);
      add(simd_vector<T>(pack<T>::load(panel + f * simd_lanes<T>).lanes));
    }
  }

  /// Before a feature, or a run of them within a depth block, is added.
  void begin(index_t feature) {
    if (feature % depth_block == 0) end_of_depth_block();
  }
  [[gnu::always_inline]] void add(const simd_vector<T>& value) { sum_.lanes += value * value; }

  pack<T> total() {
    end_of_depth_block();
    return total_;
  }

private:
  void end_of_depth_block() {
    total_ = sum_ + total_;
    sum_ = pack<T>(0);
  }

  pack<T> total_ = pack<T>(0);
  pack<T> sum_ = pack<T>(0);
};

/// The rows of one panel as they are given.
template <class T>
struct rows_of_panel {
  const T* rows[simd_lanes<T>] = {};
  index_t valid; ///< the others fill the panel up
  bool contiguous = true;

  rows_of_panel(const joint_sample<T>& data, const packed_rows<T>& block, index_t first)
      : valid(std::min<index_t>(simd_lanes<T>, block.count - first)) {
    for (index_t i = 0; i < valid; ++i) {
      const index_t row = block.first + first + i;
      const auto& view = data.view_of_row(row);
      rows[i] = &view(data.place_of_row(row), 0);
      contiguous = contiguous && view.col_stride == 1;
    }
  }
};

/// A square of simd_lanes rows and features from `feature` on in one pass: centred rows to `rows`, their transpose to `panel`, their
/// squares to `norms`.
template <class T>
[[gnu::always_inline]] inline void centre_square(const rows_of_panel<T>& from, const row_origin<T>& origin, index_t feature, T* rows,
                                                 T* panel, panel_norms<T>& norms) {
  constexpr int width = simd_lanes<T>;
  simd_vector<T> square[width];
  const auto high = pack<T>::load(origin.high + feature), low = pack<T>::load(origin.low + feature);
  dalib::detail::unroll<width>([&](auto i) {
    square[i] = i < from.valid ? centred(pack<T>::load(from.rows[i] + feature), high, low).lanes : simd_vector<T>{};
    store_vector<width>(square[i], rows + i * chunk_features<T>);
  });
  transpose_registers<T>(square);
  norms.begin(feature);
  dalib::detail::unroll<width>([&](auto f) {
    store_vector<width>(square[f], panel + f * width);
    norms.add(square[f]);
  });
}

} // namespace detail

namespace detail {

/// Fills a panel's terms of centres. With k and l the centres of lane x and column y, they add up to half of |x'|^2 + |y'|^2 less the
/// squared distance that the rows would have if their inner product were 0; see row_centres.hpp. Nothing is added within a centre.
template <class T>
void pack_terms_of_centres(const packed_rows<T>& block, index_t first) {
  constexpr index_t width = simd_lanes<T>;
  const row_centres<T>& from = *block.centres;
  T* of_lane = block.lane_terms_of_centres + first * 2 * from.count;
  T* of_column = block.column_terms_of_centres + first * 2 * from.count;
  std::fill_n(block.members + first * from.padded, width * from.padded, T(0));
  for (index_t lane = 0; lane < width; ++lane) {
    const bool valid = first + lane < block.count;
    const index_t row = valid ? block.first + first + lane : 0, own = from.of_row[row];
    if (valid) block.members[(first + lane) * from.padded + own] = T(1);
    for (index_t k = 0; k < from.count; ++k) {
      const T is_own = valid && k == own ? T(1) : T(0);
      const T apart = valid && k != own ? (block.norm[first + lane] - from.distance(k, row)) / T(2) : T(0);
      of_lane[k * width + lane] = is_own;
      of_lane[(from.count + k) * width + lane] = apart;
      of_column[k * width + lane] = valid ? apart + from.between[k * from.count + own] / T(2) : T(0);
      of_column[(from.count + k) * width + lane] = is_own;
    }
  }
}

} // namespace detail

/// Fills panel `panel` of `block`: centred rows, their transpose, and their terms. O(simd_lanes F).
/// @param raw  whether a statistic needs the terms of the rows before centring (row_terms::shift and inverse_norm)
template <class T>
void pack_panel(const joint_sample<T>& data, const row_origin<T>& origin, const packed_rows<T>& block, index_t panel, bool raw) {
  constexpr index_t width = simd_lanes<T>;
  const index_t first = panel * width;
  T* transposed = block.panel(first);
  detail::panel_norms<T> norms; // in this pass, so that their chain of additions is hidden behind the transposes
  const detail::rows_of_panel<T> given(data, block, first);
  const bool by_squares = given.contiguous && !block.centres && !origin.is_zero();
  for (index_t c = 0; c < block.chunk_count(); ++c) {
    const index_t start = c * chunk_features<T>, end = std::min(start + chunk_features<T>, block.features);
    index_t feature = start;
    for (; by_squares && feature + width <= end; feature += width)
      detail::centre_square(given, origin, feature, block.chunk(first, c) + feature - start, transposed + feature * width, norms);
    if (feature == end) continue;
    const index_t count = end - feature, done = feature - start;
    for (index_t local = first; local < first + width; ++local) {
      T* to = block.chunk(local, c) + done;
      const index_t valid = local < block.count ? count : 0;
      if (valid) {
        const index_t row = block.first + local;
        const auto& view = data.view_of_row(row);
        const T* from = &view(data.place_of_row(row), feature);
        if (block.centres)
          detail::centre_row(from, view.col_stride, block.centres->centre(block.centres->of_row[row]) + feature, valid, to);
        else
          detail::centre_row(from, view.col_stride, origin, feature, valid, to);
      }
      std::fill(to + valid, block.chunk(local, c) + block.chunk_width(c), T(0));
    }
    detail::transpose_chunk(block.chunk(first, c) + done, count, transposed + feature * width);
    norms.add(transposed + feature * width, feature, count);
  }
  norms.total().store(block.norm + first);
  if (block.centres) detail::pack_terms_of_centres(block, first);
  if (!raw) return;
  for (index_t local = first; local < first + width; ++local) {
    raw_sums sums;
    for (index_t c = 0; c < block.chunk_count(); ++c) {
      const index_t feature = c * chunk_features<T>;
      sums.add(block.chunk(local, c), origin, feature, std::min(chunk_features<T>, block.features - feature));
    }
    const row_terms<T> terms = sums.template terms<T>(origin.mean_norm);
    block.shift[local] = terms.shift;
    block.inverse_norm[local] = local < block.count ? terms.inverse_norm : T(0);
  }
}

} // namespace dalib::engine
