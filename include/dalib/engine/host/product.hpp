/// @file
/// Matrix products in host memory, by the register tile.
#pragma once

#include "dalib/core/workspace.hpp"
#include "dalib/engine/backend.hpp"
#include "dalib/engine/host/register_tile.hpp"
#include "dalib/simd/transpose_square.hpp"

#include <algorithm>
#include <cstring>

namespace dalib::engine {

namespace detail {

/// Partial sums of a register tile, `panel` lanes for each row: they start at 0 or go on from what is there.
template <class T>
struct partial_sums {
  static constexpr index_t panel = tile_vectors * simd_lanes<T>;
  T* data;
  bool fresh; ///< the sums start at 0 ...
  bool add;   ///< ... and are added to what is there

  [[gnu::always_inline]] void prefetch(int, int) const {}
  [[gnu::always_inline]] void begin(int row, int lane, simd_vector<T>& sum) const {
    if (!fresh) std::memcpy(&sum, data + row * panel + lane, sizeof(sum));
  }
  [[gnu::always_inline]] void put(int row, int lane, simd_vector<T> sum) const { result_tile<T>{data, panel, add}.put(row, lane, sum); }
};

/// c = alpha a b + beta c on the host. The lanes of a tile run along c's columns, its broadcast scalars along c's rows; both operands are
/// copied block by block in the order in which the tile reads them, a only if its rows are not contiguous. An element's terms are added in
/// one order, whatever the strides and the number of threads.
template <class T>
class host_product {
  static constexpr index_t lanes = simd_lanes<T>, panel = partial_sums<T>::panel, columns = tile_columns<T>;
  /// Depth at once: a panel of it fills a first-level cache of 32 KiB.
  static constexpr index_t depth_run = 32768 / (panel * static_cast<index_t>(sizeof(T)));
  /// Up to so many terms a sum is one chain; beyond, sums of runs are added, which loses less.
  static constexpr index_t longest_chain = 2048;
  /// Whole tiles: the last one of a block is copied whole.
  static constexpr index_t most_rows = 256 / columns * columns, most_cols = 256 / panel * panel, most_tasks = 16;
  /// Multiply-adds that pay for starting a task.
  static constexpr double least_work = 1 << 17;

public:
  using view = matrix_view<const T>;

  host_product(const view& a, const view& b, const matrix_view<T>& c, product_scale<T> scale) : a_(a), b_(b), c_(c), scale_(scale) {
    if (runs_along_rows(c)) {
      a_ = b.transposed();
      b_ = a.transposed();
      c_ = c.transposed();
    }
    rows_ = std::min(most_rows, padded(c_.rows, columns));
    cols_ = std::min(most_cols, padded(c_.cols, panel));
  }

  template <class Exec>
  void run(const Exec& exec, workspace& scratch) {
    if (c_.rows == 0 || c_.cols == 0) return;
    if (exec.workers() > 1) split();
    const workspace_mark mark(scratch);
    const index_t runs = std::max<index_t>(1, (a_.cols + depth_run - 1) / depth_run);
    const index_t depth = (a_.cols + runs - 1) / runs;
    const bool one_run = runs == 1, packs_left = a_.col_stride != 1;
    const index_t right = depth * cols_, left = padded(depth * (packs_left ? rows_ : columns), lanes);
    const index_t sums = one_run ? columns * panel : rows_ * cols_, each = right + left + sums;
    T* memory = scratch.template allocate<T>(static_cast<index_t>(exec.workers()) * each);
    exec.run(tasks(), [&](index_t task, int worker) {
      T* own = memory + static_cast<index_t>(worker) * each;
      const index_t across = (c_.cols + cols_ - 1) / cols_, row = task / across * rows_, col = task % across * cols_;
      const block place{row, std::min(rows_, c_.rows - row), col, std::min(cols_, c_.cols - col)};
      const buffers at{own, own + right, own + right + left, one_run, packs_left};
      if (a_.cols == 0) finish_empty(place, at.sums);
      for (index_t k = 0; k < a_.cols; k += depth) multiply(place, k, std::min(depth, a_.cols - k), at);
    });
  }

private:
  struct block {
    index_t row, rows, col, cols;
  };
  struct buffers {
    T *right, *left, *sums;
    bool one_run, packs_left;
  };

  /// Smaller blocks, so that several workers have some; each copies what it reads of the operands anew.
  void split() {
    const double multiplications = static_cast<double>(c_.rows) * static_cast<double>(c_.cols) * static_cast<double>(a_.cols);
    const auto wanted = static_cast<index_t>(std::clamp(multiplications / least_work, 1.0, static_cast<double>(most_tasks)));
    while (tasks() < wanted && cols_ > 2 * panel) cols_ = padded(cols_ / 2, panel);
    while (tasks() < wanted && rows_ > 4 * columns) rows_ = padded(rows_ / 2, columns);
  }

  static constexpr index_t padded(index_t count, index_t unit) { return (count + unit - 1) / unit * unit; }
  index_t tasks() const { return (c_.rows + rows_ - 1) / rows_ * ((c_.cols + cols_ - 1) / cols_); }

  /// Whether lanes had better run along c's rows: where its elements are neighbours there, and where else most lanes would be empty.
  static bool runs_along_rows(const matrix_view<T>& c) {
    if (std::min(c.rows, c.cols) < lanes / 2) return c.rows > c.cols;
    return c.row_stride == 1 && (c.col_stride != 1 || c.rows > c.cols);
  }

  /// All of a block's sums over `depth` terms from `k` on.
  void multiply(const block& place, index_t k, index_t depth, const buffers& at) const {
    const bool last = k + depth == a_.cols;
    const bool in_place = c_.rows <= columns && b_.col_stride == 1; // copying would take longer than reading it once
    const index_t whole = in_place ? place.cols / panel * panel : 0;
    pack_right(k, depth, place.col + whole, place.cols - whole, at.right + whole * depth);
    if (at.packs_left)
      for (index_t i = 0; i < place.rows; i += columns)
        pack_left(k, depth, place.row + i, std::min(columns, place.rows - i), at.left + i * depth);
    else if (const index_t rest = place.rows % columns; rest > 0) // a tile with fewer rows
      pack_left(k, depth, place.row + place.rows - rest, rest, at.left);
    for (index_t j = 0; j < place.cols; j += panel) {
      const index_t width = std::min(panel, place.cols - j);
      const lane_operand<T> lane =
          j < whole ? lane_operand<T>{&b_(k, place.col + j), b_.row_stride, lanes} : lane_operand<T>{at.right + j * depth, panel, lanes};
      for (index_t i = 0; i < place.rows; i += columns) {
        const index_t height = std::min(columns, place.rows - i);
        T* sums = at.one_run ? at.sums : at.sums + j * rows_ + i * panel;
        micro_tile<multiply_add>(static_cast<int>((width + lanes - 1) / lanes), depth, lane,
                                 scalars_of(place.row + i, height, k, depth, at, i),
                                 partial_sums<T>{sums, k == 0 || k >= longest_chain, k >= longest_chain});
        if (last) finish(sums, {&c_(place.row + i, place.col + j), height, width, c_.row_stride, c_.col_stride});
      }
    }
  }

  /// The rows of a tile: where they lie, or their copy.
  broadcast_operand<T> scalars_of(index_t row, index_t height, index_t k, index_t depth, const buffers& at, index_t place) const {
    if (at.packs_left) return {at.left + place * depth, 1, columns};
    if (height == columns) return {&a_(row, k), a_.row_stride, 1};
    return {at.left, 1, columns};
  }

  /// Copies rows of a so that the scalars of one depth are neighbours; rows that there are not are 0.
  void pack_left(index_t k, index_t depth, index_t row, index_t height, T* to) const {
    const T* from = &a_(row, k);
    if (height == columns && a_.row_stride == 1) {
      for (index_t d = 0; d < depth; ++d) std::memcpy(to + d * columns, from + d * a_.col_stride, columns * sizeof(T));
      return;
    }
    for (index_t d = 0; d < depth; ++d) {
      for (index_t i = 0; i < height; ++i) to[d * columns + i] = from[i * a_.row_stride + d * a_.col_stride];
      for (index_t i = height; i < columns; ++i) to[d * columns + i] = T(0);
    }
  }

  /// Whole registers: std::copy calls a function for so few.
  template <int Count>
  static void copy_registers(const T* from, T* to) {
    dalib::detail::unroll<Count>([&](auto v) { std::memcpy(to + v * lanes, from + v * lanes, lanes * sizeof(T)); });
  }

  /// Copies a block of b, panel by panel, so that the lanes of one depth are neighbours; lanes that there are not are 0.
  void pack_right(index_t k, index_t depth, index_t col, index_t cols, T* to) const {
    const T* from = &b_(k, col);
    const index_t whole = b_.col_stride == 1 ? cols / panel * panel : 0;
    for (index_t d = 0; d < depth; ++d) // along b's rows: their pages are visited once
      for (index_t j = 0; j < whole; j += panel) copy_registers<tile_vectors>(from + d * b_.row_stride + j, to + j * depth + d * panel);
    for (index_t j = whole; j < cols; j += panel)
      for (index_t l = 0; l < panel; l += lanes)
        pack_lanes(from + (j + l) * b_.col_stride, depth, std::clamp<index_t>(cols - j - l, 0, lanes), to + j * depth + l);
  }
  void pack_lanes(const T* from, index_t depth, index_t width, T* to) const {
    if (width == lanes && b_.col_stride == 1) {
      for (index_t d = 0; d < depth; ++d) copy_registers<1>(from + d * b_.row_stride, to + d * panel);
      return;
    }
    index_t done = 0;
    if (width == lanes && b_.row_stride == 1)
      for (; done + lanes <= depth; done += lanes) transpose_square(from + done, b_.col_stride, to + done * panel, panel);
    for (index_t d = done; d < depth; ++d) {
      for (index_t j = 0; j < width; ++j) to[d * panel + j] = from[d * b_.row_stride + j * b_.col_stride];
      std::fill(to + d * panel + width, to + d * panel + lanes, T(0));
    }
  }

  /// Writes a tile's sums to c.
  void finish(const T* sums, const matrix_view<T>& to) const {
    for (index_t i = 0; i < to.rows; ++i, sums += panel) {
      if (to.col_stride == 1 && to.cols == panel)
        finish_row(sums, &to(i, 0), panel, 1);
      else if (to.col_stride == 1)
        finish_row(sums, &to(i, 0), to.cols, 1);
      else
        finish_row(sums, &to(i, 0), to.cols, to.col_stride);
    }
  }
  [[gnu::always_inline]] void finish_row(const T* sums, T* to, index_t count, index_t step) const {
    const T alpha = scale_.alpha, beta = scale_.beta;
    if (beta == T(0))
      for (index_t j = 0; j < count; ++j) to[j * step] = alpha * sums[j];
    else if (beta == T(1))
      for (index_t j = 0; j < count; ++j) to[j * step] += alpha * sums[j];
    else
      for (index_t j = 0; j < count; ++j) to[j * step] = beta * to[j * step] + alpha * sums[j];
  }
  /// A product over no terms.
  void finish_empty(const block& place, T* sums) const {
    std::fill_n(sums, columns * panel, T(0));
    for (index_t i = 0; i < place.rows; i += columns)
      for (index_t j = 0; j < place.cols; j += panel)
        finish(sums, {&c_(place.row + i, place.col + j), std::min(columns, place.rows - i), std::min(panel, place.cols - j), c_.row_stride,
                      c_.col_stride});
  }

  view a_, b_;
  matrix_view<T> c_;
  product_scale<T> scale_;
  index_t rows_ = 0, cols_ = 0; ///< of c that one task computes
};

} // namespace detail
} // namespace dalib::engine
