#include <dalib/simd/transpose.hpp>
#include <dalib/simd/vector_memory.hpp>

#include <doctest/doctest.h>
#include <numeric>
#include <vector>

using namespace dalib;

TEST_CASE_TEMPLATE("transpose moves every element and nothing else, whatever the size and the distance of rows", T, float, double) {
  constexpr index_t lanes = simd_lanes<T>;
  for (const index_t rows : {index_t{0}, index_t{1}, lanes - 1, lanes, 2 * lanes + 3})
    for (const index_t cols : {index_t{0}, index_t{1}, lanes - 1, lanes, 3 * lanes + 1})
      for (const index_t gap : {0, 5}) {
        CAPTURE(rows);
        CAPTURE(cols);
        CAPTURE(gap);
        std::vector<T> from(static_cast<std::size_t>(rows * (cols + gap) + 1)), to(static_cast<std::size_t>(cols * (rows + gap) + 1), T(-1));
        std::iota(from.begin(), from.end(), T(1));
        const matrix_view<T> source(from.data(), rows, cols, cols + gap, 1), target(to.data(), cols, rows, rows + gap, 1);
        transpose(source, target);
        for (index_t i = 0; i < rows; ++i)
          for (index_t j = 0; j < cols; ++j) REQUIRE(target(j, i) == source(i, j));
        index_t left = 0;
        for (const T x : to) left += x == T(-1) ? 1 : 0;
        CHECK(left == static_cast<index_t>(to.size()) - rows * cols);
      }
}

namespace {
/// Registers of `Lanes` lanes keep to their memory: all lanes read and written, or the first ones.
template <int Lanes, class T>
void check_memory() {
  T from[Lanes + 1], to[Lanes + 1];
  std::iota(from, from + Lanes + 1, T(1));
  for (index_t count = 0; count <= Lanes; ++count) {
    std::fill(to, to + Lanes + 1, T(0));
    store_first<Lanes>(load_vector<Lanes>(from + 1), count, to);
    for (index_t i = 0; i <= Lanes; ++i) CHECK(to[i] == (i < count ? from[i + 1] : T(0)));
  }
  store_vector<Lanes>(load_vector<Lanes>(from), to + 1);
  CHECK(to[0] == from[1]);
  for (int i = 0; i < Lanes; ++i) CHECK(to[i + 1] == from[i]);
}
} // namespace

TEST_CASE_TEMPLATE("registers of every width are read and written at any address", T, float, double) {
  static_assert(sizeof(simd_vector<T, fewest_lanes<T>>) == 16 && sizeof(simd_vector<T>) == simd_bytes);
  static_assert(sizeof(simd_integer<T>) == sizeof(T));
  check_memory<fewest_lanes<T>, T>();
  check_memory<simd_lanes<T>, T>();
}
