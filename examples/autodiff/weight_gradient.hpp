#pragma once
#include "parallel.hpp"
#include "tile.hpp"
#include "window.hpp"

namespace dalib::ad {

/// weight gradient ((kernel * kernel * channels) x results) (+)= sum over positions of patch^T * result gradient.
///
/// The images are cut into groups of fixed size with a partial sum each, added in order, where the weights are small and the
/// positions many; otherwise the tasks own ranges of the weights' rows. Both cuts depend on the sizes only.
template <class Scalar>
struct weight_gradient {
  const Scalar* source = nullptr; // (images * height * width) x channels
  geometry source_shape;
  index_t channels = 0;
  window taps;
  const Scalar* upstream = nullptr; // (images * rows * columns) x results
  geometry result_shape;
  index_t results = 0;

  void run(map<Scalar> target, write mode) const {
    const index_t image_rows = result_shape.images * result_shape.height;
    const index_t positions = result_shape.rows();
    const index_t elements = target.size();
    const index_t groups = elements > largest_partial ? 1 : std::clamp<index_t>(positions / positions_per_group, 1, 8);
    const index_t rows_per_group = (image_rows + groups - 1) / groups;
    const index_t ranges =
        groups > 1 ? 1 : std::clamp<index_t>(elements * std::min<index_t>(positions, 1024) / work_per_range, 1, target.rows() / 8 + 1);
    const index_t rows_per_range = ((target.rows() + ranges - 1) / ranges + 23) / 24 * 24; // whole tiles of 8 or 6 rows

    const tensor<Scalar> partial = groups > 1 ? tensor<Scalar>(groups * target.rows(), target.cols()) : tensor<Scalar>();
    parallel_for(groups * ranges, [&](index_t task) {
      const index_t group = task / ranges, range = task % ranges;
      Scalar* out = groups > 1 ? partial.data() + group * elements : target.data();
      const index_t first = std::min(image_rows, group * rows_per_group), last = std::min(image_rows, first + rows_per_group);
      const index_t first_row = std::min(target.rows(), range * rows_per_range),
                  last_row = std::min(target.rows(), first_row + rows_per_range);
      if (groups > 1 || mode == write::overwrite) std::fill(out + first_row * results, out + last_row * results, Scalar(0));
      const index_t band = std::max<index_t>(1, positions_per_band / std::max<index_t>(1, result_shape.width));
      for (index_t row = first; row < last; row += band) add_band(row, std::min(last, row + band), first_row, last_row, out);
    });
    if (groups == 1) return;
    parallel_blocks(elements, 4096, [&](index_t begin, index_t end) {
      Eigen::Map<Eigen::Array<Scalar, Eigen::Dynamic, 1>> sum(target.data() + begin, end - begin);
      if (mode == write::overwrite) sum.setZero();
      for (index_t g = 0; g < groups; ++g)
        sum += Eigen::Map<const Eigen::Array<Scalar, Eigen::Dynamic, 1>>(partial.data() + g * elements + begin, end - begin);
    });
  }

private:
  static constexpr index_t largest_partial = 65536;
  static constexpr index_t positions_per_group = 512;
  static constexpr index_t positions_per_band = 256;
  static constexpr index_t work_per_range = 1 << 21;

  /// Result coordinates that tap k reads inside the image.
  axis_range valid(index_t k, index_t sources, index_t count) const {
    const index_t low = taps.padding - k; // o * stride >= low
    const index_t first = low <= 0 ? 0 : (low + taps.stride - 1) / taps.stride;
    const index_t high = sources - 1 + taps.padding - k; // o * stride <= high
    return {first, high < 0 ? 0 : std::min(count, high / taps.stride + 1)};
  }

  /// Adds the image rows [first, last) to the weight rows [first_row, last_row).
  void add_band(index_t first, index_t last, index_t first_row, index_t last_row, Scalar* out) const {
    std::vector<tile::run> runs;
    if (taps.padding == 0) { // every tap reads the same positions: tiles may span taps
      list_runs(first, last, {0, result_shape.height}, {0, result_shape.width}, 0, 0, runs);
      add_tiles(first_row, last_row, runs, out);
      return;
    }
    for (index_t tap = first_row / channels; tap * channels < last_row; ++tap) {
      const index_t ky = tap / taps.kernel, kx = tap % taps.kernel;
      list_runs(first, last, valid(ky, source_shape.height, result_shape.height), valid(kx, source_shape.width, result_shape.width),
                ky - taps.padding, kx - taps.padding, runs);
      add_tiles(std::max(first_row, tap * channels), std::min(last_row, (tap + 1) * channels), runs, out);
    }
  }

  /// The positions ys x xs of the image rows [first, last), read at (dy, dx) from the window's first pixel.
  void list_runs(index_t first, index_t last, axis_range ys, axis_range xs, index_t dy, index_t dx, std::vector<tile::run>& runs) const {
    runs.clear();
    const index_t a_step = taps.stride * channels;
    for (index_t row = first; row < last; ++row) {
      const index_t image = row / result_shape.height, y = row % result_shape.height;
      if (y < ys.first || y >= ys.last || xs.first >= xs.last) continue;
      const index_t source_row = image * source_shape.height + y * taps.stride + dy;
      const tile::run next{(source_row * source_shape.width + xs.first * taps.stride + dx) * channels,
                           (row * result_shape.width + xs.first) * results, xs.last - xs.first};
      const bool joined =
          !runs.empty() && runs.back().a + runs.back().count * a_step == next.a && runs.back().b + runs.back().count * results == next.b;
      if (joined)
        runs.back().count += next.count;
      else
        runs.push_back(next);
    }
  }

  void add_tiles(index_t first_row, index_t last_row, const std::vector<tile::run>& runs, Scalar* out) const {
    if (runs.empty() || first_row >= last_row) return;
    tile::arguments<Scalar> t;
    t.a_step = taps.stride * channels;
    t.b_step = results;
    t.runs = runs.data();
    t.run_count = static_cast<index_t>(runs.size());
    t.accumulate = true;
    for (index_t column = 0; column < results; column += tile::max_columns<Scalar>) {
      t.columns = std::min(tile::max_columns<Scalar>, results - column);
      t.b = upstream + column;
      const index_t full = tile::tile_rows<Scalar>(t.columns);
      for (index_t row = first_row; row < last_row; row += full) {
        t.rows = static_cast<int>(std::min(full, last_row - row));
        for (index_t r = 0; r < t.rows; ++r) {
          const index_t k = row + r, tap = k / channels;
          const index_t pixel = taps.padding == 0 ? tap / taps.kernel * source_shape.width + tap % taps.kernel : 0; // else in the runs
          t.a[static_cast<std::size_t>(r)] = source + pixel * channels + k % channels;
          t.c[static_cast<std::size_t>(r)] = out + k * results + column;
        }
        tile::compute(t);
      }
    }
  }
};

} // namespace dalib::ad
