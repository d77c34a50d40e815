/// Matrix products over views: values, scale, strides, sizes around every block, threads, errors.
#include "support/loss_checks.hpp"

#include <dalib/engine/product.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <vector>

using namespace dalib;

namespace {

/// A matrix somewhere inside larger memory: by rows, by columns, or with gaps both ways.
enum class place { rows, columns, gaps };

template <class T>
struct placed {
  std::vector<T> memory;
  matrix_view<T> view;

  placed(index_t rows, index_t cols, std::uint64_t seed, place where) {
    const index_t row_stride = where == place::rows ? cols + 1 : where == place::columns ? 1 : 3 * cols + 2;
    const index_t col_stride = where == place::rows ? 1 : where == place::columns ? rows + 2 : 3;
    memory.assign(static_cast<std::size_t>(1 + rows * row_stride + cols * col_stride), T(7));
    view = {memory.data() + 1, rows, cols, row_stride, col_stride};
    const checks::matrix numbers = checks::random_matrix(rows, cols, seed, 1);
    for (index_t i = 0; i < rows; ++i)
      for (index_t j = 0; j < cols; ++j) view(i, j) = static_cast<T>(numbers(i, j));
  }
  /// Elements of the memory that are not the matrix's and are no longer 7.
  index_t spoilt() const {
    std::vector<T> rest = memory;
    for (index_t i = 0; i < view.rows; ++i)
      for (index_t j = 0; j < view.cols; ++j) rest[static_cast<std::size_t>(&view(i, j) - memory.data())] = T(7);
    return static_cast<index_t>(rest.size()) - std::count(rest.begin(), rest.end(), T(7));
  }
};

template <class T>
checks::extended numbers_of(const matrix_view<T>& v) {
  return checks::extended::NullaryExpr(v.rows, v.cols, [&](auto i, auto j) { return static_cast<long double>(v(i, j)); });
}

template <class T>
double error_of(index_t m, index_t k, index_t n, place where_a, place where_b, place where_c, engine::product_scale<T> scale, int threads) {
  const placed<T> a(m, k, 1, where_a), b(k, n, 2, where_b);
  placed<T> c(m, n, 3, where_c);
  const checks::extended expected = static_cast<long double>(scale.alpha) * numbers_of(a.view) * numbers_of(b.view) +
                                    static_cast<long double>(scale.beta) * numbers_of(c.view);
  if (scale.beta == T(0))
    for (index_t i = 0; i < m; ++i)
      for (index_t j = 0; j < n; ++j) c.view(i, j) = std::numeric_limits<T>::quiet_NaN(); // is not read
  workspace scratch;
  engine::product(exec::openmp{threads}, a.view, b.view, c.view, scale, scratch);
  CHECK(c.spoilt() == 0);
  return checks::relative_error(numbers_of(c.view), expected);
}

constexpr place all_places[] = {place::rows, place::columns, place::gaps};

template <class T>
void check_sizes() {
  constexpr double tolerance = std::is_same_v<T, float> ? 4e-6 : 1e-14;
  for (const index_t m : {1, 3, 8, 9, 41, 130})
    for (const index_t n : {1, 7, 16, 33, 70, 259})
      for (const index_t k : {1, 17, 300})
        CHECK(error_of<T>(m, k, n, place::rows, place::rows, place::rows, {}, 2) < tolerance);
  CHECK(error_of<T>(40, 5000, 30, place::rows, place::columns, place::rows, {}, 2) < 4 * tolerance); // more terms than one chain has
  for (const place a : all_places)
    for (const place b : all_places)
      for (const place c : all_places)
        for (const engine::product_scale<T> scale : {engine::product_scale<T>{T(1), T(0)}, {T(-2), T(1)}, {T(0.5), T(-3)}}) {
          CHECK(error_of<T>(37, 290, 45, a, b, c, scale, 3) < tolerance);
          CHECK(error_of<T>(5, 21, 90, a, b, c, scale, 1) < tolerance);
          CHECK(error_of<T>(90, 21, 5, a, b, c, scale, 1) < tolerance);
        }
}

} // namespace

TEST_CASE_TEMPLATE("product: any sizes, any strides, alpha and beta", T, float, double) { check_sizes<T>(); }

TEST_CASE("product: the same bits for any number of threads and any strides") {
  const placed<float> a(150, 2500, 1, place::rows), b(2500, 300, 2, place::rows);
  std::vector<float> first;
  workspace scratch;
  for (const int threads : {1, 2, 5})
    for (const place where : all_places) {
      const placed<float> x(150, 2500, 1, where), y(2500, 300, 2, where);
      const placed<float> c(150, 300, 3, where);
      engine::product(exec::openmp{threads}, x.view, y.view, c.view, {}, scratch);
      std::vector<float> found;
      for (index_t i = 0; i < 150; ++i)
        for (index_t j = 0; j < 300; ++j) found.push_back(c.view(i, j));
      if (first.empty()) first = found;
      CHECK(std::memcmp(first.data(), found.data(), found.size() * sizeof(float)) == 0);
      scratch.release();
    }
}

TEST_CASE("product: no terms give 0 or what was there; wrong shapes are refused before anything is written") {
  const placed<double> a(3, 0, 1, place::rows), b(0, 4, 2, place::rows);
  const placed<double> c(3, 4, 3, place::rows);
  const checks::extended before = numbers_of(c.view);
  workspace scratch;
  engine::product(exec::serial{}, a.view, b.view, c.view, {1, 2}, scratch);
  CHECK(numbers_of(c.view) == checks::extended(2 * before));
  const auto of = [&](const matrix_view<double>& x, const matrix_view<double>& y) {
    return checks::message_of([&] { engine::product(exec::serial{}, x, y, c.view, {}, scratch); });
  };
  const placed<double> d(3, 5, 1, place::rows), e(5, 3, 1, place::rows);
  CHECK(of(d.view, b.view) == "product: the first factor must have as many columns as the second has rows (got 3 x 5 and 0 x 4)");
  CHECK(of(d.view, e.view) == "product: the result of 3 x 5 and 5 x 3 must be 3 x 3 (got 3 x 4)");
  CHECK(numbers_of(c.view) == checks::extended(2 * before));
  engine::product(exec::serial{}, a.view, b.view, c.view, {}, scratch);
  CHECK(numbers_of(c.view).isZero(0));
}
