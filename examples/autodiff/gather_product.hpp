#pragma once
#include <dalib/simd/transpose.hpp>

#include "parallel.hpp"
#include "tile.hpp"
#include "window.hpp"

namespace dalib::ad {

/// The right-hand side of a gather product, cut into column panels as wide as a tile: panel j holds rows x panel columns.
template <class Scalar>
class packed_matrix {
public:
  packed_matrix(index_t rows, index_t cols) : rows_(rows), cols_(cols) {
    for (index_t first = 0; first < cols; first += width) offsets_.push_back(offsets_.back() + rows * padded(first));
    elements_ = tensor<Scalar>(1, offsets_.back());
  }

  static constexpr index_t width = tile::max_columns<Scalar>;
  index_t rows() const { return rows_; }
  index_t cols() const { return cols_; }
  index_t panels() const { return static_cast<index_t>(offsets_.size()) - 1; }
  index_t columns(index_t panel) const { return std::min(width, cols_ - panel * width); }
  index_t step(index_t panel) const { return padded(panel * width); }
  Scalar* panel(index_t number) const { return elements_.data() + offsets_[static_cast<std::size_t>(number)]; }

private:
  index_t padded(index_t first) const { return register_split<Scalar>(std::min(width, cols_ - first)).padded(); }

  index_t rows_;
  index_t cols_;
  std::vector<index_t> offsets_{0};
  tensor<Scalar> elements_;
};

/// Packs a (rows x cols) matrix as it is.
template <class Scalar>
packed_matrix<Scalar> pack(const_map<Scalar> matrix) {
  packed_matrix<Scalar> packed(matrix.rows(), matrix.cols());
  parallel_for(packed.panels(), [&](index_t p) {
    const index_t columns = packed.columns(p), step = packed.step(p);
    map<Scalar> target(packed.panel(p), matrix.rows(), step);
    target.leftCols(columns) = matrix.middleCols(p * packed.width, columns);
    target.rightCols(step - columns).setZero();
  });
  return packed;
}

/// Packs a convolution's weights (taps * in) x out for the gradient of its input: tap t becomes tap (taps - 1 - t), and every
/// tap's in x out matrix is transposed.
template <class Scalar>
packed_matrix<Scalar> pack_reversed(const_map<Scalar> weight, index_t taps) {
  const index_t in = weight.rows() / taps, out = weight.cols();
  packed_matrix<Scalar> packed(taps * out, in);
  parallel_for(packed.panels() * taps, [&](index_t task) {
    const index_t p = task / taps, t = task % taps;
    const index_t columns = packed.columns(p), step = packed.step(p);
    map<Scalar> target(packed.panel(p) + (taps - 1 - t) * out * step, out, step);
    transpose({weight.data() + (t * in + p * packed.width) * out, columns, out}, matrix_view<Scalar>(target.data(), out, columns, step, 1));
    target.rightCols(step - columns).setZero();
  });
  return packed;
}

/// result(position, :) = sum over taps of source(position moved by the tap, :) * weights(tap), + bias, then ReLU.
template <class Scalar>
struct gather_product {
  const Scalar* source = nullptr; // (images * height * width) x channels
  geometry source_shape;
  index_t channels = 0;
  window_axis rows;
  window_axis columns;
  index_t kernel_width = 1;                         // the kernel's columns
  const packed_matrix<Scalar>* weights = nullptr; // (taps * channels) x results
  Scalar* result = nullptr;
  geometry result_shape;
  index_t result_stride = 0;      // elements between positions of the result
  const Scalar* bias = nullptr; // null for none
  bool relu = false;

  void run() const {
    // Chunks of image rows, a few hundred positions each; the weights' panels are spread over tasks where chunks are few.
    const index_t image_rows = result_shape.images * result_shape.height;
    const index_t chunk = std::max<index_t>(8, positions_per_chunk / std::max<index_t>(1, result_shape.width));
    const index_t chunks = (image_rows + chunk - 1) / chunk;
    const index_t panels = weights->panels();
    const index_t split = chunks >= 8 ? 1 : panels;
    parallel_for(chunks * split, [&](index_t task) {
      const index_t first = task / split * chunk;
      const index_t last = std::min(image_rows, first + chunk);
      const index_t first_panel = split == 1 ? 0 : task % split;
      const index_t last_panel = split == 1 ? panels : first_panel + 1;
      for (index_t p = first_panel; p < last_panel; ++p) run_chunk(first, last, p, result, 0);
    });
  }

  /// The images [first, last) only, written from `target` on, by the calling thread.
  void run_images(index_t first, index_t last, Scalar* target) const {
    const index_t start = first * result_shape.height;
    for (index_t p = 0; p < weights->panels(); ++p) run_chunk(start, last * result_shape.height, p, target, start);
  }

private:
  static constexpr index_t positions_per_chunk = 512;
  /// Terms summed in one go: their part of a panel stays in the second-level cache.
  static constexpr index_t terms_per_pass = 1152;

  /// Image rows [first, last); row `origin` is the first one in `target`.
  void run_chunk(index_t first, index_t last, index_t panel, Scalar* target, index_t origin) const {
    std::vector<std::vector<index_t>> rows_of_kind(rows.kinds.size());
    for (index_t row = first; row < last; ++row) rows_of_kind[rows.kind[static_cast<std::size_t>(row % result_shape.height)]].push_back(row);
    std::vector<tile::run> runs;
    for (std::size_t y = 0; y < rows.kinds.size(); ++y) {
      if (rows_of_kind[y].empty()) continue;
      for (std::size_t x = 0; x < columns.kinds.size(); ++x) {
        list_runs(rows.kinds[y], columns.kinds[x], weights->step(panel), runs);
        for (std::size_t begin = 0; begin < runs.size() || begin == 0;) {
          std::size_t end = begin;
          for (index_t terms = 0; end < runs.size() && (end == begin || terms + runs[end].count <= terms_per_pass); ++end)
            terms += runs[end].count;
          run_pass(rows_of_kind[y], columns.members[x], panel, runs, begin, end, target, origin);
          begin = std::max(end, begin + 1);
        }
      }
    }
  }

  void list_runs(const std::vector<window_axis::tap>& row_taps, const std::vector<window_axis::tap>& column_taps, index_t step,
                 std::vector<tile::run>& runs) const {
    runs.clear();
    for (const auto& ty : row_taps)
      for (const auto& tx : column_taps) {
        const tile::run next{(ty.offset * source_shape.width + tx.offset) * channels,
                             (ty.kernel * kernel_width + tx.kernel) * channels * step, channels};
        const bool joined = !runs.empty() && runs.back().a + runs.back().count == next.a &&
                            runs.back().b + runs.back().count * step == next.b && runs.back().count + channels <= terms_per_pass;
        if (joined)
          runs.back().count += channels;
        else
          runs.push_back(next);
      }
  }

  /// Adds the runs [begin, end) for the positions image_rows x members; the first pass overwrites, the last one finishes.
  void run_pass(const std::vector<index_t>& image_rows, const std::vector<index_t>& members, index_t panel, const std::vector<tile::run>& runs,
                std::size_t begin, std::size_t end, Scalar* target, index_t origin) const {
    tile::arguments<Scalar> t;
    t.b = weights->panel(panel);
    t.b_step = weights->step(panel);
    t.columns = weights->columns(panel);
    t.runs = runs.data() + begin;
    t.run_count = static_cast<index_t>(end - begin);
    t.accumulate = begin > 0;
    const index_t first_column = panel * weights->width;
    if (end == runs.size()) {
      t.bias = bias ? bias + first_column : nullptr;
      t.relu = relu;
    }
    const int full = tile::tile_rows<Scalar>(t.columns);
    for (const index_t row : image_rows) {
      const index_t image = row / result_shape.height, y = row % result_shape.height;
      const index_t source_row = image * source_shape.height + rows.base[static_cast<std::size_t>(y)];
      for (const index_t x : members) {
        const auto slot = static_cast<std::size_t>(t.rows++);
        t.a[slot] = source + (source_row * source_shape.width + columns.base[static_cast<std::size_t>(x)]) * channels;
        t.c[slot] = target + ((row - origin) * result_shape.width + x) * result_stride + first_column;
        if (t.rows == full) {
          tile::compute(t);
          t.rows = 0;
        }
      }
    }
    if (t.rows > 0) tile::compute(t);
  }
};

} // namespace dalib::ad
