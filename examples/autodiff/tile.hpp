#pragma once
#include <array>

#include "parallel.hpp"
#include "simd.hpp"

/// The one kernel under linear layers, convolutions and their gradients: a small product with gathered rows,
///
///   C(r, n) (+)= sum over runs, i < count:  A_r[run.a + i * a_step] * B[run.b + i * b_step + n].
///
/// Row r of A is a pointer of its own, so patches of images are read where they lie: nothing is copied into a patch matrix.
namespace dalib::ad::tile {

/// `count` consecutive terms of the sum, from offset `a` in every row of A and offset `b` in B.
struct run {
  index_t a;
  index_t b;
  index_t count;
};

/// Most rows of a tile.
inline constexpr int max_rows = 8;

/// Most columns of a tile: what keeps the accumulators in registers.
template <class Scalar>
inline constexpr index_t max_columns = (simd::registers == 32 ? 4 : 2) * simd::native_lanes<Scalar>;

template <class Scalar>
struct arguments {
  std::array<const Scalar*, max_rows> a{};
  std::array<Scalar*, max_rows> c{};
  int rows = 0;
  index_t a_step = 1;
  const Scalar* b = nullptr;
  index_t b_step = 0;
  const run* runs = nullptr;
  index_t run_count = 0;
  index_t columns = 0;            // 1 .. max_columns; whole vectors are read from B, so it needs readable slack
  bool accumulate = false;      // add to C instead of overwriting it
  const Scalar* bias = nullptr; // added to every row, null for none
  bool relu = false;            // applied last
};

namespace detail {

/// Adds, clips and stores `valid` lanes of a finished sum at column `column` of a row of C.
template <int Lanes, class Scalar>
[[gnu::always_inline]] inline void finish(const arguments<Scalar>& t, simd::vector<Scalar, Lanes> sum, Scalar* c, index_t column,
                                          bool whole) {
  if (t.accumulate) {
    if (whole)
      sum += simd::load<Lanes>(c + column);
    else
      for (index_t i = 0; i < t.columns - column; ++i) sum[i] += c[column + i];
  }
  if (t.bias) sum += simd::load<Lanes>(t.bias + column);
  if (t.relu) sum = sum < 0 ? simd::vector<Scalar, Lanes>{} : sum;
  if (whole)
    simd::store<Lanes>(c + column, sum);
  else
    simd::store_first<Lanes>(c + column, sum, t.columns - column);
}

/// Rows x (Full native vectors and one of TailLanes lanes).
template <class Scalar, int Rows, int Full, int TailLanes>
void kernel(const arguments<Scalar>& t) {
  constexpr int lanes = simd::native_lanes<Scalar>;
  constexpr int tail = TailLanes == 0 ? lanes : TailLanes; // a valid type even where there is no tail
  using wide = simd::vector<Scalar, lanes>;
  using narrow = simd::vector<Scalar, tail>;
  wide sum[Rows][Full == 0 ? 1 : Full] = {};
  narrow rest[Rows] = {};
  const Scalar* rows[Rows];
  for (int r = 0; r < Rows; ++r) rows[r] = t.a[static_cast<std::size_t>(r)];

  for (index_t s = 0; s < t.run_count; ++s) {
    const run& part = t.runs[s];
    const Scalar* b = t.b + part.b;
    index_t a = part.a;
    for (index_t i = 0; i < part.count; ++i, a += t.a_step, b += t.b_step) {
      wide columns[Full == 0 ? 1 : Full];
      for (int v = 0; v < Full; ++v) columns[v] = simd::load<lanes>(b + v * lanes);
      narrow last{};
      if constexpr (TailLanes > 0) last = simd::load<tail>(b + Full * lanes);
      for (int r = 0; r < Rows; ++r) {
        const Scalar factor = rows[r][a];
        for (int v = 0; v < Full; ++v) sum[r][v] += factor * columns[v];
        if constexpr (TailLanes > 0) rest[r] += factor * last;
      }
    }
  }
  const bool whole = t.columns == Full * lanes + TailLanes; // no lanes too many in the last vector
  for (int r = 0; r < Rows; ++r) {
    Scalar* c = t.c[static_cast<std::size_t>(r)];
    for (int v = 0; v < Full; ++v) finish<lanes>(t, sum[r][v], c, v * lanes, whole || TailLanes > 0 || v + 1 < Full);
    if constexpr (TailLanes > 0) finish<tail>(t, rest[r], c, Full * lanes, whole);
  }
}

template <class Scalar>
using kernel_pointer = void (*)(const arguments<Scalar>&);

/// Tiles of full height have 8 rows, or 6 where 4 vectors per row would not leave 8 rows in registers.
constexpr int full_rows(int vectors) { return vectors > (simd::registers == 32 ? 3 : 1) ? 6 : 8; }

template <class Scalar, int Full, int TailLanes>
kernel_pointer<Scalar> select(int rows) {
  if (rows <= 1) return kernel<Scalar, 1, Full, TailLanes>;
  if (rows <= 4) return kernel<Scalar, 4, Full, TailLanes>;
  return kernel<Scalar, full_rows(Full + (TailLanes > 0 ? 1 : 0)), Full, TailLanes>;
}

template <class Scalar, int Full>
kernel_pointer<Scalar> select(int tail_lanes, int rows) {
  constexpr int lanes = simd::native_lanes<Scalar>;
  constexpr int smallest = 16 / static_cast<int>(sizeof(Scalar)); // one 16-byte register
  if constexpr ((Full + 1) * lanes <= max_columns<Scalar>) {
    if constexpr (lanes > smallest)
      if (tail_lanes == smallest) return select<Scalar, Full, smallest>(rows);
    if constexpr (lanes > 2 * smallest)
      if (tail_lanes == 2 * smallest) return select<Scalar, Full, 2 * smallest>(rows);
  }
  if constexpr (Full > 0)
    return select<Scalar, Full, 0>(rows);
  else
    return nullptr;
}

} // namespace detail

/// How many columns of B are read for `columns` columns of C: whole vectors, the last one as narrow as possible.
template <class Scalar>
index_t padded_columns(index_t columns) {
  constexpr index_t lanes = simd::native_lanes<Scalar>;
  index_t tail = 16 / static_cast<index_t>(sizeof(Scalar));
  const index_t rest = columns % lanes;
  if (rest == 0) return columns;
  while (tail < rest) tail *= 2;
  return columns - rest + tail;
}

/// Rows of a full tile with `columns` columns.
template <class Scalar>
int tile_rows(index_t columns) {
  constexpr index_t lanes = simd::native_lanes<Scalar>;
  return detail::full_rows(static_cast<int>((columns + lanes - 1) / lanes));
}

/// Runs the kernel for t.rows <= tile_rows(t.columns) rows; the pointers behind them are used up.
template <class Scalar>
void compute(arguments<Scalar>& t) {
  constexpr index_t lanes = simd::native_lanes<Scalar>;
  const index_t padded = padded_columns<Scalar>(t.columns);
  const int full = static_cast<int>(padded / lanes);
  const int tail = static_cast<int>(padded % lanes);
  detail::kernel_pointer<Scalar> run_kernel = nullptr;
  switch (full) {
  case 0:
    run_kernel = detail::select<Scalar, 0>(tail, t.rows);
    break;
  case 1:
    run_kernel = detail::select<Scalar, 1>(tail, t.rows);
    break;
  case 2:
    run_kernel = detail::select<Scalar, 2>(tail, t.rows);
    break;
  case 3:
    if constexpr (max_columns<Scalar> >= 3 * lanes) run_kernel = detail::select<Scalar, 3>(tail, t.rows);
    break;
  default:
    if constexpr (max_columns<Scalar> >= 4 * lanes) run_kernel = detail::select<Scalar, 4>(tail, t.rows);
  }
  if (t.rows == tile_rows<Scalar>(t.columns)) return run_kernel(t);
  // A kernel has 1, 4 or all rows; the rows it has too many repeat the first one and write to memory nobody reads.
  std::array<Scalar, static_cast<std::size_t>(max_columns<Scalar>)> unused{};
  for (auto r = static_cast<std::size_t>(t.rows); r < max_rows; ++r) {
    t.a[r] = t.a[0];
    t.c[r] = unused.data();
  }
  run_kernel(t);
}

} // namespace dalib::ad::tile
