/// Power on three benchmarks that need no data: shifted Gaussians, blobs (Gretton et al. 2012b), perturbed uniforms (Schrab et al. 2023).
#include "problems.hpp"
#include "samples.hpp"

#include "dalib/dalib.hpp"
#include "dalib/inference/aggregated_test.hpp"
#include "dalib/inference/linear_time_test.hpp"

#include <doctest/doctest.h>

#include <string>

namespace {

using namespace dalib;
using namespace dalib::inference;
using matrix = Eigen::MatrixXd;
using test::blobs;
using test::waves;

constexpr int repetitions = 100;

/// Share of rejections at 0.05.
template <class Make, class Rejects>
double power(const Make& make, const Rejects& rejects) {
  int count = 0;
  for (int i = 0; i < repetitions; ++i) {
    const auto [x, y] = make(static_cast<std::uint64_t>(2 * i + 1));
    count += rejects(x, y, test_options{.draws = 199, .seed = static_cast<std::uint64_t>(i)}) ? 1 : 0;
  }
  return count / static_cast<double>(repetitions);
}

const auto median = [](const auto&... a) { return permutation_test<>{}(a...).reject; };
const auto energy = [](const auto&... a) { return energy_test{}(a...).reject; };
const auto linear = [](const auto&... a) { return linear_time_test<>{}(a...).reject; };
const auto aggregated = [](const matrix& x, const matrix& y, const test_options& options) {
  aggregated_test test{mmdagg_kernel(x, y, 5)};
  test.level_draws = 200;
  return test(x, y, options).reject;
};
const auto fused = [](const matrix& x, const matrix& y, const test_options& options) {
  return fuse_test{fuse_kernel(x, y, 5)}(x, y, options).reject;
};

struct powers {
  double median, energy, linear, aggregated, fused;
};

template <class Make>
powers measure(const std::string& name, const Make& make) {
  const powers p{power(make, median), power(make, energy), power(make, linear), power(make, aggregated), power(make, fused)};
  MESSAGE(name << ": median " << p.median << ", energy " << p.energy << ", linear " << p.linear << ", MMDAgg " << p.aggregated << ", FUSE "
               << p.fused);
  return p;
}

} // namespace

TEST_CASE("Shifted Gaussians: all quadratic tests see them, the linear-time one hardly") {
  const powers p = measure("shift 0.4, n = 100, F = 2", [](std::uint64_t seed) {
    return std::pair{test::normal_rows(seed, 100, 2), test::normal_rows(seed + 1, 100, 2, 0.4)};
  });
  CHECK(p.median > 0.8);
  CHECK(p.energy > 0.8);
  CHECK(p.aggregated > 0.7);
  CHECK(p.linear < 0.5);
}

TEST_CASE("Blobs: the median bandwidth is blind, the aggregated tests are not") {
  const powers p = measure("blobs, stretched 6, n = 150", [](std::uint64_t seed) {
    return std::pair{blobs(seed, 150, 1), blobs(seed + 1, 150, 6)};
  });
  CHECK(p.median < 0.3);
  CHECK(p.aggregated > p.median + 0.2);
}

TEST_CASE("Perturbed uniforms: a narrow difference needs a narrow kernel") {
  const powers p = measure("uniform against three waves, n = 150", [](std::uint64_t seed) {
    return std::pair{waves(seed, 150, 3, 0), waves(seed + 1, 150, 3, 1)};
  });
  CHECK(p.aggregated > p.median + 0.2);
}
