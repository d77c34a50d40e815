// Which views share elements, against a count of every address.
#include "conformance/samples.hpp"

#include <doctest/doctest.h>
#include <map>
#include <vector>

using namespace dalib;

namespace {

/// Elements [0, count) of which the view's places are written into `hits`.
std::map<const double*, int> places_of(const matrix_view<double>& view) {
  std::map<const double*, int> result;
  for (dalib::index_t i = 0; i < view.rows; ++i)
    for (dalib::index_t j = 0; j < view.cols; ++j) ++result[&view(i, j)];
  return result;
}

bool share(const std::map<const double*, int>& a, const std::map<const double*, int>& b) {
  for (const auto& [place, count] : a)
    if (b.count(place)) return true;
  return false;
}

/// A view of random shape and strides in the middle of a buffer: positive, negative or no stride, dense and sparse.
matrix_view<double> random_view(conformance::normal_numbers& next, std::vector<double>& buffer) {
  const auto below = [&](int count) { return static_cast<dalib::index_t>(next.uniform() * count); };
  const dalib::index_t rows = 1 + below(7), cols = 1 + below(7);
  dalib::index_t strides[2] = {1 + below(9), 1 + below(9)};
  if (next.uniform() < 0.4) strides[0] = strides[1] * cols;          // row by row
  if (next.uniform() < 0.3) strides[1] = strides[0] * rows;          // column by column
  if (next.uniform() < 0.2) strides[below(2)] *= -1;
  if (next.uniform() < 0.05) strides[below(2)] = 0;
  return {buffer.data() + buffer.size() / 2 + below(90), rows, cols, strides[0], strides[1]};
}

} // namespace

TEST_CASE("overlaps and repeats are exact for any strides") {
  std::vector<double> buffer(2000);
  conformance::normal_numbers next(7);
  int shared = 0, apart = 0, repeated = 0;
  for (int i = 0; i < 20000; ++i) {
    const matrix_view<double> a = random_view(next, buffer), b = random_view(next, buffer);
    const auto places_a = places_of(a), places_b = places_of(b);
    bool repeats = false;
    for (const auto& [place, count] : places_a) repeats = repeats || count > 1;
    CAPTURE(i);
    REQUIRE(element_grid(a).repeats() == repeats);
    const bool expected = share(places_a, places_b);
    REQUIRE(element_grid(a).overlaps(b) == expected);
    REQUIRE(element_grid(b).overlaps(a) == expected);
    ++(expected ? shared : apart);
    repeated += repeats;
  }
  CHECK(shared > 2000);
  CHECK(apart > 2000);
  CHECK(repeated > 500);
}

TEST_CASE("columns, interleaved rows and halves of one buffer are apart; their neighbours are not") {
  std::vector<float> buffer(40000);
  const matrix_view<float> whole(buffer.data(), 200, 200);
  const auto columns = [&](dalib::index_t first, dalib::index_t count) {
    return matrix_view<float>(buffer.data() + first, 200, count, 200, 1);
  };
  CHECK_FALSE(element_grid(columns(0, 100)).overlaps(columns(100, 100)));
  CHECK(element_grid(columns(0, 101)).overlaps(columns(100, 100)));
  const matrix_view<float> even(buffer.data(), 100, 200, 400, 1), odd(buffer.data() + 200, 100, 200, 400, 1);
  CHECK_FALSE(element_grid(even).overlaps(odd));
  CHECK(element_grid(even).overlaps(whole));
  CHECK_FALSE(element_grid(whole.rows_from(0, 100)).overlaps(whole.rows_from(100, 100)));
  CHECK(element_grid(whole.rows_from(0, 101)).overlaps(whole.rows_from(100, 100)));
  const matrix_view<double> other(reinterpret_cast<double*>(buffer.data()), 100, 200);
  CHECK(element_grid(whole).overlaps(other)); // another type in the same memory
  CHECK_FALSE(element_grid(matrix_view<float>{}).overlaps(whole));
}
