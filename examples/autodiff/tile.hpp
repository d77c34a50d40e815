#pragma once
#include <array>

#include "register_split.hpp"
#include "tensor.hpp"

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
inline constexpr index_t max_columns = (simd_registers == 32 ? 4 : 2) * simd_lanes<Scalar>;

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
  index_t columns = 0;          // 1 .. max_columns; whole vectors are read from B, so it needs readable slack
  bool accumulate = false;      // add to C instead of overwriting it
  const Scalar* bias = nullptr; // added to every row, null for none
  bool relu = false;            // applied last
};

namespace detail {

/// Adds, clips and stores `valid` lanes of a finished sum at column `column` of a row of C.
template <int Lanes, class Scalar>
[[gnu::always_inline]] inline void finish(const arguments<Scalar>& t, simd_vector<Scalar, Lanes> sum, Scalar* c, index_t column,
                                          bool whole) {
  if (t.accumulate) {
    if (whole)
      sum += load_vector<Lanes>(c + column);
    else
      for (index_t i = 0; i < t.columns - column; ++i) sum[i] += c[column + i];
  }
  if (t.bias) sum += load_vector<Lanes>(t.bias + column);
  const simd_vector<Scalar, Lanes> zero{};
  if (t.relu) sum = sum < zero ? zero : sum;
  if (whole)
    store_vector<Lanes>(sum, c + column);
  else
    store_first<Lanes>(sum, t.columns - column, c + column);
}

/// Rows x (Full native vectors and one of TailLanes lanes). Unrolled, or -O2 keeps the sums in memory: half as fast.
template <class Scalar, int Rows, int Full, int TailLanes>
void kernel(const arguments<Scalar>& t) {
  constexpr int lanes = simd_lanes<Scalar>;
  constexpr int tail = TailLanes == 0 ? lanes : TailLanes; // a valid type even where there is no tail
  using wide = simd_vector<Scalar, lanes>;
  using narrow = simd_vector<Scalar, tail>;
  wide sum[Rows][Full == 0 ? 1 : Full] = {};
  narrow rest[Rows] = {};
  const Scalar* rows[Rows];
#pragma GCC unroll 8
  for (int r = 0; r < Rows; ++r) rows[r] = t.a[static_cast<std::size_t>(r)];

  for (index_t s = 0; s < t.run_count; ++s) {
    const run& part = t.runs[s];
    const Scalar* b = t.b + part.b;
    index_t a = part.a;
    for (index_t i = 0; i < part.count; ++i, a += t.a_step, b += t.b_step) {
      wide columns[Full == 0 ? 1 : Full];
#pragma GCC unroll 8
      for (int v = 0; v < Full; ++v) columns[v] = load_vector<lanes>(b + v * lanes);
      narrow last{};
      if constexpr (TailLanes > 0) last = load_vector<tail>(b + Full * lanes);
#pragma GCC unroll 8
      for (int r = 0; r < Rows; ++r) {
        const Scalar factor = rows[r][a];
#pragma GCC unroll 8
        for (int v = 0; v < Full; ++v) sum[r][v] += factor * columns[v];
        if constexpr (TailLanes > 0) rest[r] += factor * last;
      }
    }
  }
  const bool whole = t.columns == Full * lanes + TailLanes; // no lanes too many in the last vector
#pragma GCC unroll 8
  for (int r = 0; r < Rows; ++r) {
    Scalar* c = t.c[static_cast<std::size_t>(r)];
#pragma GCC unroll 8
    for (int v = 0; v < Full; ++v) finish<lanes>(t, sum[r][v], c, v * lanes, whole || TailLanes > 0 || v + 1 < Full);
    if constexpr (TailLanes > 0) finish<tail>(t, rest[r], c, Full * lanes, whole);
  }
}

template <class Scalar>
using kernel_pointer = void (*)(const arguments<Scalar>&);

/// Tiles of full height have 8 rows, or 6 where 4 vectors per row would not leave 8 rows in registers.
constexpr int full_rows(int vectors) { return vectors > (simd_registers == 32 ? 3 : 1) ? 6 : 8; }

/// The kernel for at most `rows` rows and the columns of a split; kernels have 1, 4 or all rows.
template <class Scalar>
kernel_pointer<Scalar> select(const register_split<Scalar>& columns, int rows) {
  return compiled_for<Scalar, max_columns<Scalar> / simd_lanes<Scalar>>(columns, [&](auto full, auto tail) -> kernel_pointer<Scalar> {
    if (rows <= 1) return kernel<Scalar, 1, full, tail>;
    if (rows <= 4) return kernel<Scalar, 4, full, tail>;
    return kernel<Scalar, full_rows(full + (tail > 0 ? 1 : 0)), full, tail>;
  });
}

} // namespace detail

/// Rows of a full tile with `columns` columns.
template <class Scalar>
int tile_rows(index_t columns) {
  return detail::full_rows(register_split<Scalar>(columns).registers());
}

/// Runs the kernel for t.rows <= tile_rows(t.columns) rows; the pointers behind them are used up.
template <class Scalar>
void compute(arguments<Scalar>& t) {
  const register_split<Scalar> columns(t.columns);
  const detail::kernel_pointer<Scalar> run_kernel = detail::select(columns, t.rows);
  if (t.rows == detail::full_rows(columns.registers())) return run_kernel(t);
  // The rows that a kernel has too many repeat the first one and write to memory nobody reads.
  std::array<Scalar, static_cast<std::size_t>(max_columns<Scalar>)> unused{};
  for (auto r = static_cast<std::size_t>(t.rows); r < max_rows; ++r) {
    t.a[r] = t.a[0];
    t.c[r] = unused.data();
  }
  run_kernel(t);
}

} // namespace dalib::ad::tile
