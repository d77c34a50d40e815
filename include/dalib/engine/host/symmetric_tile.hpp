/// @file
/// All pairs of the rows of one packed block: the lower triangle is evaluated, the upper one follows by symmetry.
#pragma once

#include "dalib/engine/host/pair_problem.hpp"
#include "dalib/simd/transpose_square.hpp"

#include <algorithm>
#include <array>

namespace dalib::engine {

/// A block's tile, cut into stripes of columns. First every stripe evaluates its columns against the rows from its own diagonal square
/// downwards; then every stripe completes its columns above the diagonal from the lanes that stripes before it left there, and pulls its
/// rows towards all others in one product. Stripes of one phase are independent: none writes what another one reads or writes. Where the
/// coefficients leave out blocks of pairs (knows_empty_blocks), both phases go through the runs of panels, row_unit rows each, whose pairs
/// with the stripe count.
template <class Problem>
class lower_triangle {
  using T = typename Problem::scalar;
  static constexpr std::size_t layers = Problem::layer_count;

public:
  using blocks = typename Problem::blocks;

  /// What one thread needs while it works on a stripe.
  struct stripe_memory {
    T* coefficients = nullptr;
    T* gradient = nullptr;
    T* self = nullptr;
    T* shift = nullptr;
    unsigned char* has_close = nullptr;

    void allocate(workspace& scratch, index_t rows, index_t width, index_t widest) {
      coefficients = scratch.template allocate<T>(rows * Problem::lane_numbers);
      if (Problem::with_gradient) gradient = scratch.template allocate<T>(width * widest);
      const index_t sums = Problem::leaves_out ? static_cast<index_t>(layers) * width : width;
      self = scratch.template allocate<T>(sums);
      shift = scratch.template allocate<T>(sums);
      if (Problem::leaves_out) has_close = scratch.template allocate<unsigned char>(sums);
    }
  };

  /// Memory for blocks of at most `most_rows` rows, in stripes of `width` columns; both multiples of row_unit.
  void allocate(workspace& scratch, index_t most_rows, index_t width) {
    width_ = width;
    stride_ = most_rows;
    const index_t most_stripes = (most_rows + width - 1) / width;
    // Every stripe has its own lane sums: the rows below receive from many stripes, and add them up in order in the second phase.
    Problem::for_each_layer([&](auto l) {
      using profile = typename Problem::template profile_of<l>;
      tiles_[l] = allocate_tile<profile, T>(scratch, most_rows, most_rows);
      tiles_[l].lane_self = scratch.template allocate<T>(most_stripes * most_rows);
      tiles_[l].lane_shift = scratch.template allocate<T>(most_stripes * most_rows);
    });
  }

  /// The tile's buffers, for a tile of other pairs in between.
  const layer_tile<T>& tile(std::size_t layer) const { return tiles_[layer]; }

  index_t stripes(const blocks& all) const { return (all[0].padded + width_ - 1) / width_; }

  /// First phase of one stripe: what the visitor adds up.
  typename Problem::numbers evaluate(const Problem& problem, const blocks& all, index_t stripe, const stripe_memory& own) const {
    const span_of_rows columns = rows_of(all, stripe);
    const index_t rows = all[0].padded;
    typename Problem::numbers total{};
    index_t done = columns.first;
    for_each_run(problem, all, columns, {columns.first, rows - columns.first}, [&](span_of_rows lanes) {
      const index_t skipped = lanes.first - columns.first;
      typename Problem::parts parts;
      for (std::size_t l = 0; l < layers; ++l) {
        parts[l] = {&all[l], &all[l], shifted(from_diagonal(tiles_[l], stripe), skipped, 0, stride_)};
        if (skipped > 0) use_own_sums(parts[l].buffers, own, static_cast<index_t>(l) * width_);
      }
      const auto added =
          problem.evaluate(parts, {lanes, columns, std::max<index_t>(columns.count - skipped, 0), stride_, own.coefficients});
      for (std::size_t l = 0; skipped > 0 && l < layers; ++l)
        add_columns(from_diagonal(tiles_[l], stripe), parts[l].buffers, columns.count, {done - columns.first, skipped, lanes.count});
      for (int i = 0; i < Problem::number_count; ++i) total[i] = skipped > 0 ? total[i] + added[i] : added[i];
      done = lanes.first + lanes.count;
    });
    for (std::size_t l = 0; done < rows && l < layers; ++l)
      clear_near(from_diagonal(tiles_[l], stripe), columns.count, {done - columns.first, rows - done});
    return total;
  }

  /// Second phase of one stripe, after all have finished the first: writes its rows' gradients or adds to them.
  void pull(const Problem& problem, const blocks& all, index_t stripe, const stripe_memory& own, write_mode mode) const {
    Problem::for_each_layer([&](auto l) { pull_layer<l>(problem, all, stripe, own, mode); });
  }

  /// After the pulls, if no rows outside the block are to come.
  void pull_to_centres(const Problem& problem, const blocks& all, index_t stripe, const stripe_memory& own) const {
    Problem::for_each_layer([&](auto l) { problem.template pull_to_centres<l>(all[l], rows_of(all, stripe), own.gradient); });
  }

private:
  span_of_rows rows_of(const blocks& all, index_t stripe) const {
    const index_t first = stripe * width_;
    return {first, std::min(width_, all[0].padded - first)};
  }

  /// Calls use(rows) for the runs of panels in `of` that have pairs with a stripe's rows, each as long as can be: for all of them at once
  /// where no pair is left out. A stripe has pairs with itself.
  template <class Use>
  void for_each_run(const Problem& problem, const blocks& all, span_of_rows stripe, span_of_rows of, const Use& use) const {
    const index_t last = of.first + of.count;
    for (index_t begin = of.first; begin < last;) {
      index_t end = begin;
      while (end < last && counts(problem, all, stripe, end)) end = Problem::leaves_out ? end + row_unit<T> : last;
      if (end > begin) use(span_of_rows{begin, end - begin});
      begin = std::max(end, begin + row_unit<T>);
    }
  }
  /// Whether any pair of a stripe's row and one of the panel that begins with this row counts.
  bool counts(const Problem& problem, const blocks& all, span_of_rows stripe, index_t panel) const {
    if (!Problem::leaves_out || (panel >= stripe.first && panel < stripe.first + stripe.count)) return true;
    const auto rows = [&](index_t first, index_t count) { return joint_rows{all[0].first + first, std::min(count, all[0].count - first)}; };
    return problem.counts(rows(stripe.first, stripe.count), rows(panel, row_unit<T>));
  }

  /// A run that is not the columns' first finds their sums, and whether it has near pairs, in memory of its own.
  static void use_own_sums(layer_tile<T>& buffers, const stripe_memory& own, index_t first) {
    buffers.column_self = own.self + first;
    buffers.column_shift = own.shift + first;
    if (buffers.has_close) buffers.has_close = own.has_close + first;
  }
  /// Where a run of lanes lies, and the one before it ended.
  struct run_place {
    index_t before, first, count;
  };
  /// Adds these to what is known of the columns. A column with near pairs has coefficients of such in all its lanes.
  void add_columns(const layer_tile<T>& whole, const layer_tile<T>& run, index_t columns, run_place at) const {
    for (index_t c = 0; c < columns; ++c) {
      whole.column_self[c] += run.column_self[c];
      whole.column_shift[c] += run.column_shift[c];
      if (whole.has_close == nullptr || !(whole.has_close[c] || run.has_close[c])) continue;
      T* const close = whole.close + c * stride_;
      const index_t from = whole.has_close[c] ? at.before : 0, to = run.has_close[c] ? at.first : at.first + at.count;
      std::fill(close + from, close + to, T(0));
      whole.has_close[c] = 1;
    }
  }
  void clear_near(const layer_tile<T>& whole, index_t columns, span_of_rows lanes) const {
    for (index_t c = 0; whole.has_close && c < columns; ++c)
      if (whole.has_close[c]) std::fill_n(whole.close + c * stride_ + lanes.first, lanes.count, T(0));
  }

  /// The buffers of a stripe, starting at its diagonal square.
  layer_tile<T> from_diagonal(const layer_tile<T>& all, index_t stripe) const {
    const index_t first = stripe * width_;
    layer_tile<T> part = shifted(all, first, first, stride_);
    part.lane_self += stripe * stride_;
    part.lane_shift += stripe * stride_;
    return part;
  }

  /// A stripe's columns receive their entries above its diagonal square from the lanes of the columns there: the tile of a block with
  /// itself is symmetric. What the stripe there has left out is 0.
  void complete(T* entries, const Problem& problem, const blocks& all, span_of_rows columns, span_of_rows lanes) const {
    if (entries == nullptr) return;
    for (index_t column = columns.first; column < columns.first + columns.count; column += row_unit<T>)
      for (index_t lane = lanes.first; lane < lanes.first + lanes.count; lane += row_unit<T>) {
        T* const to = entries + column * stride_ + lane;
        if (counts(problem, all, rows_of(all, lane / width_), column))
          transpose_square(entries + lane * stride_ + column, stride_, to, stride_);
        else
          for (index_t c = 0; c < row_unit<T>; ++c) std::fill_n(to + c * stride_, row_unit<T>, T(0));
      }
  }

  template <std::size_t L>
  void pull_layer(const Problem& problem, const blocks& all, index_t stripe, const stripe_memory& own, write_mode mode) const {
    const packed_rows<T>& block = all[L];
    span_of_rows rows = rows_of(all, stripe);
    const index_t first = rows.first;
    rows.count = std::min(rows.count, round_up(block.count - first, tile_columns<T>));
    if (!problem.template wanted<L>(block, rows)) return;
    const layer_tile<T>& tile = tiles_[L];
    for (index_t i = 0; i < rows.count; ++i) {
      own.self[i] = tile.column_self[first + i];
      own.shift[i] = tile.column_shift[first + i];
      for (index_t before = 0; before < stripe; ++before) {
        if (!counts(problem, all, rows_of(all, before), (first + i) / row_unit<T> * row_unit<T>)) continue;
        own.self[i] += tile.lane_self[before * stride_ + first + i];
        own.shift[i] += tile.lane_shift[before * stride_ + first + i];
      }
    }
    const span_of_rows columns = rows_of(all, stripe);
    for_each_run(problem, all, columns, {0, first}, [&](span_of_rows lanes) {
      complete(tile.gram, problem, all, columns, lanes);
      complete(tile.added, problem, all, columns, lanes);
    });
    for_each_run(problem, all, columns, {0, block.padded}, [&](span_of_rows others) {
      others.count = std::min(others.count, block.count - others.first);
      problem.template pull<L>({shifted(tile, others.first, first, stride_), {stride_, 1}, block, rows, block, others},
                               {own.self, own.shift}, own.gradient, mode);
      mode = write_mode::accumulate; // and the row itself has been counted
      std::fill_n(own.self, rows.count, T(0));
      std::fill_n(own.shift, rows.count, T(0));
    });
    const layer_tile<T> below = from_diagonal(tile, stripe), above = shifted(tile, first, 0, stride_);
    problem.template pull_near<L>({below, {stride_, 1}, block, rows, block, {first, block.count - first}}, own.gradient);
    problem.template pull_near<L>({above, {1, stride_}, block, rows, block, {0, first}}, own.gradient);
  }

  index_t width_ = 0;
  index_t stride_ = 0;
  std::array<layer_tile<T>, layers> tiles_;
};

} // namespace dalib::engine
