#include "io/random.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <doctest/doctest.h>
#include <numeric>
#include <random>
#include <stdexcept>
#include <vector>

using dalib::io::random_generator;

static_assert(std::uniform_random_bit_generator<random_generator>);

TEST_CASE("splitmix64 gives its published values") {
  CHECK(dalib::io::splitmix64(0) == 0xe220a8397b1dcdafU);
  CHECK(dalib::io::splitmix64(0x9E3779B97F4A7C15U) == 0x6e789e6aa1b965f4U); // second output of the generator seeded with 0
  CHECK(dalib::io::to_uniform01(0) == 0.0);
  CHECK(dalib::io::to_uniform01(~std::uint64_t{0}) == 1.0 - 0x1p-53);
}

TEST_CASE("equal seeds give equal numbers, other seeds and streams give others") {
  random_generator a(7), b(7), c(8);
  const random_generator child = a.stream(3);
  CHECK(a() == b());
  CHECK(a() != c());
  CHECK(a.at(0) == b.at(0));
  CHECK(a.stream(3) == child); // independent of the position
  CHECK_FALSE(a.stream(4) == child);
}

TEST_CASE("moments of uniform and normal numbers") {
  random_generator random(1);
  constexpr int n = 200000;
  double uniform_sum = 0, sum = 0, squares = 0, fourth = 0;
  for (int i = 0; i < n; ++i) {
    const double u = random.uniform(2, 4);
    REQUIRE(u >= 2);
    REQUIRE(u < 4);
    uniform_sum += u;
    const double x = random.normal();
    sum += x;
    squares += x * x;
    fourth += x * x * x * x;
  }
  // Limits of five standard deviations of the respective mean.
  CHECK(uniform_sum / n == doctest::Approx(3).epsilon(5 * 0.58 / std::sqrt(n) / 3));
  CHECK(std::abs(sum / n) < 5 / std::sqrt(n));
  CHECK(std::abs(squares / n - 1) < 5 * std::sqrt(2.0 / n));
  CHECK(std::abs(fourth / n - 3) < 5 * std::sqrt(96.0 / n));
}

TEST_CASE("uniform_int covers its range evenly and refuses an empty one") {
  random_generator random(2);
  std::array<int, 5> counts{};
  for (int i = 0; i < 50000; ++i) ++counts[static_cast<std::size_t>(random.uniform_int(5))];
  for (const int count : counts) CHECK(std::abs(count - 10000) < 5 * 90);
  CHECK(random.uniform_int(1) == 0);
  CHECK(random.uniform_int(~std::uint64_t{0}) < ~std::uint64_t{0});
  CHECK_THROWS_AS(random.uniform_int(0), std::invalid_argument);
}

TEST_CASE("every order of three is equally likely") {
  random_generator random(3);
  std::array<int, 27> counts{};
  for (int i = 0; i < 60000; ++i) {
    const std::vector<std::size_t> order = random.permutation(3);
    ++counts[order[0] * 9 + order[1] * 3 + order[2]];
  }
  CHECK(std::count_if(counts.begin(), counts.end(), [](int count) { return count > 0; }) == 6);
  CHECK(std::all_of(counts.begin(), counts.end(), [](int count) { return count == 0 || std::abs(count - 10000) < 5 * 92; }));
}
