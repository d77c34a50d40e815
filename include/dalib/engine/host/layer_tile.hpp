/// @file
/// The buffers in which a layer's tiles live, and a side of such a tile.
#pragma once

#include "dalib/engine/host/tile.hpp"
#include "dalib/engine/pair/layer.hpp"

#include <array>
#include <cstddef>

namespace dalib::engine {

/// Most rows of one tile's side: it and its two blocks stay in the second-level cache at F = 256.
inline constexpr index_t block_rows_limit = 192;
/// At least this many blocks, so that several threads have work at once.
inline constexpr index_t least_blocks = 8;
/// Where every block has work for itself alone, fewer rows in one make its products slower than they give threads work.
inline constexpr index_t least_block_rows = 64;

/// One worker's tiles of one layer. After combine(), `gram` holds the pull coefficients and `added` the slopes.
template <class T>
struct layer_tile {
  T* gram = nullptr;
  T* added = nullptr;
  T* lane_self = nullptr;   ///< coefficient of each lane's own row
  T* lane_shift = nullptr;  ///< coefficient of the mean in each lane's gradient
  T* column_self = nullptr; ///< the same for columns
  T* column_shift = nullptr;
  T* distance = nullptr;              ///< squared distances; the same memory as `gram` if nothing else is made of inner products
  T* near = nullptr;                  ///< for each lane of the column at hand: whether it pulls by differences, the worker's memory
  T* close = nullptr;                 ///< coefficients of differences of near pairs
  unsigned char* has_close = nullptr; ///< for each column: whether `close` holds anything there
};

/// Memory for the tiles of a layer, `lanes` x `columns` at most.
template <class Profile, class T>
layer_tile<T> allocate_tile(workspace& scratch, index_t lanes, index_t columns) {
  layer_tile<T> tile;
  if (reads<Profile>::gram) tile.gram = scratch.template allocate<T>(lanes * columns);
  if (reads<Profile>::added) tile.added = scratch.template allocate<T>(lanes * columns);
  tile.lane_self = scratch.template allocate<T>(lanes);
  tile.lane_shift = scratch.template allocate<T>(lanes);
  tile.column_self = scratch.template allocate<T>(columns);
  tile.column_shift = scratch.template allocate<T>(columns);
  if (reads<Profile>::distance) {
    tile.distance = reads<Profile>::gram_beside_distance ? scratch.template allocate<T>(lanes * columns) : tile.gram;
    tile.close = scratch.template allocate<T>(lanes * columns);
    tile.has_close = scratch.template allocate<unsigned char>(columns);
  }
  return tile;
}

/// The tile that starts `lane` lanes and `column` columns further on.
template <class T>
layer_tile<T> shifted(layer_tile<T> tile, index_t lane, index_t column, index_t stride) {
  const index_t offset = column * stride + lane;
  if (tile.gram) tile.gram += offset;
  if (tile.added) tile.added += offset;
  if (tile.close) {
    tile.distance += offset;
    tile.close += offset;
    tile.has_close += column;
  }
  tile.lane_self += lane;
  tile.lane_shift += lane;
  tile.column_self += column;
  tile.column_shift += column;
  return tile;
}

/// A tile as the rows of one of its sides see it: `owns` are pulled towards `others`.
template <class T>
struct tile_side {
  const layer_tile<T>& tile;
  tile_strides strides;
  const packed_rows<T>& owns;
  span_of_rows own_rows; ///< a whole number of register tiles
  const packed_rows<T>& others;
  span_of_rows other_rows; ///< any number
};

/// Where the gradients of a side's rows go.
template <class T>
struct gradient_places {
  std::array<T*, static_cast<std::size_t>(block_rows_limit)> to{}; ///< none where not wanted
  std::array<index_t, static_cast<std::size_t>(block_rows_limit)> steps{};
  bool contiguous = false; ///< all are whole registers long without gaps
};

} // namespace dalib::engine
