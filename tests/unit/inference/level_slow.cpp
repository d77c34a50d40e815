/// Level: how often each test rejects a true hypothesis, over laws with ties and heavy tails.
#include "samples.hpp"

#include "dalib/dalib.hpp"
#include "dalib/inference/aggregated_test.hpp"
#include "dalib/inference/independence_test.hpp"
#include "dalib/inference/linear_time_test.hpp"
#include "dalib/inference/mean_embedding_test.hpp"
#include "dalib/inference/nystrom_test.hpp"
#include "dalib/inference/spectrum_test.hpp"
#include "dalib/inference/stein_test.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace {

using namespace dalib;
using namespace dalib::inference;
using matrix = Eigen::MatrixXd;

constexpr int repetitions = 2000;

/// 2000 p values are counted; 99.9 % of such counts of a probability 0.05 are within 68 .. 135.
constexpr int most_rejections = 135, fewest_rejections = 68;

matrix rows_of(const std::string& law, std::uint64_t seed, index_t rows) {
  matrix result = test::normal_rows(seed, rows, 2);
  if (law == "cauchy") result = result.array() / test::normal_rows(seed + 500000, rows, 2).array();
  if (law == "ties") result = (1.5 * result).array().round();
  return result;
}

/// Largest distance between the p values' distribution and the uniform one on {1 / (B + 1), ..., 1}, in units of 1 / sqrt(count). With ties
/// p may only be larger.
double distance_above_uniform(std::vector<double> p, bool both_sides) {
  std::sort(p.begin(), p.end());
  double most = 0;
  const auto n = static_cast<double>(p.size());
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (i + 1 == p.size() || p[i + 1] > p[i]) most = std::max(most, (static_cast<double>(i) + 1) / n - p[i]);
    if (both_sides && (i == 0 || p[i - 1] < p[i])) most = std::max(most, p[i] - 1.0 / 100 - static_cast<double>(i) / n);
  }
  return most * std::sqrt(n);
}

template <class P>
std::vector<double> p_values(const std::string& law, index_t n_s, index_t n_t, const P& p) {
  std::vector<double> result;
  for (int i = 0; i < repetitions; ++i)
    result.push_back(p(rows_of(law, static_cast<std::uint64_t>(2 * i), n_s), rows_of(law, static_cast<std::uint64_t>(2 * i + 1), n_t),
                       test_options{.draws = 99, .seed = static_cast<std::uint64_t>(i)}));
  return result;
}

int rejections(const std::vector<double>& p) {
  return static_cast<int>(std::count_if(p.begin(), p.end(), [](double one) { return one <= 0.05; }));
}

} // namespace

TEST_CASE("Permutation tests are exact at every size and law") {
  for (const std::string law : {"normal", "cauchy", "ties"})
    for (const auto& sizes : {std::pair{20, 20}, std::pair{35, 15}}) {
      const int n_s = sizes.first, n_t = sizes.second; // clang 14 captures no bindings
      CAPTURE(law);
      CAPTURE(n_s);
      const auto mmd_p = p_values(law, n_s, n_t, [](const auto&... a) { return permutation_test<>{}(a...).p_value; });
      const auto energy_p = p_values(law, n_s, n_t, [](const auto&... a) { return energy_test{}(a...).p_value; });
      for (const auto& p : {mmd_p, energy_p}) {
        CHECK(rejections(p) <= most_rejections);
        if (law != "ties") CHECK(rejections(p) >= fewest_rejections);
        CHECK(distance_above_uniform(p, law != "ties") < 1.95); // Kolmogorov and Smirnov, 0.001
      }
    }
}

TEST_CASE("The aggregated test keeps its level") {
  int rejected = 0;
  for (int i = 0; i < repetitions; ++i) {
    const matrix x = rows_of("normal", static_cast<std::uint64_t>(2 * i), 20),
                 y = rows_of("normal", static_cast<std::uint64_t>(2 * i + 1), 20);
    aggregated_test test{fuse_kernel(x, y, 3)};
    test.level_draws = 200;
    rejected += test(x, y, {.draws = 200, .seed = static_cast<std::uint64_t>(i)}).reject ? 1 : 0;
  }
  CHECK(rejected <= most_rejections);
  CHECK(rejected >= 30);
}

TEST_CASE("Asymptotic tests keep their level from the sizes on that the page names") {
  const auto level = [](index_t n, const auto& p) { return rejections(p_values("normal", n, n, p)); };
  CHECK(level(40, [](const auto&... a) { return wild_bootstrap_test<>{}(a...).p_value; }) <= most_rejections);
  CHECK(level(40, [](const auto&... a) { return spectrum_test<>{}(a...).p_value; }) <= most_rejections);
  CHECK(level(60, [](const auto&... a) { return gamma_test<>{}(a...).p_value; }) <= most_rejections);
  CHECK(level(200, [](const auto&... a) { return linear_time_test<>{}(a...).p_value; }) <= most_rejections);
  CHECK(level(200, [](const auto&... a) { return block_test{kernel::gaussian{bandwidth::median{}}, 6}(a...).p_value; }) <= most_rejections);
}

TEST_CASE("MMD-FUSE and the Nystrom test are exact at every law") {
  for (const std::string law : {"normal", "cauchy", "ties"}) {
    CAPTURE(law);
    const auto fuse_p = p_values(law, 25, 20, [](const matrix& x, const matrix& y, const test_options& options) {
      return fuse_test{fuse_kernel(x, y, 2)}(x, y, options).p_value;
    });
    const auto nystrom_p = p_values(law, 30, 40, [](const matrix& x, const matrix& y, const test_options& options) {
      return nystrom_test{kernel::gaussian{bandwidth::median{}}, 10}(x, y, options).p_value;
    });
    for (const auto& p : {fuse_p, nystrom_p}) {
      CHECK(rejections(p) <= most_rejections);
      if (law != "ties") CHECK(rejections(p) >= fewest_rejections);
      CHECK(distance_above_uniform(p, law != "ties") < 1.95);
    }
  }
}

TEST_CASE("The permutation test of independence is exact at every law, its gamma test from 60 rows on") {
  const auto permuted = [](const auto&... a) { return independence_test<>{}(a...).p_value; };
  for (const std::string law : {"normal", "cauchy", "ties"}) {
    CAPTURE(law);
    const auto p = p_values(law, 20, 20, permuted); // two samples that know nothing of each other
    CHECK(rejections(p) <= most_rejections);
    if (law != "ties") CHECK(rejections(p) >= fewest_rejections);
    CHECK(distance_above_uniform(p, law != "ties") < 1.95);
  }
  const auto gamma = [](const auto&... a) { return independence_gamma_test<>{}(a...).p_value; };
  CHECK(rejections(p_values("normal", 60, 60, gamma)) <= most_rejections);
}

TEST_CASE("The mean-embedding test keeps its level from 200 rows on, at places that it does not know from the rows") {
  const matrix places = test::normal_rows(99, 3, 2);
  const auto p = p_values("normal", 200, 200, [&](const matrix& x, const matrix& y, const test_options& options) {
    return mean_embedding_test{kernel::gaussian{1.0}}(x, y, places, options).p_value;
  });
  CHECK(rejections(p) <= most_rejections);
  CHECK(rejections(p) >= 50);
}

TEST_CASE("The Stein test keeps its level: normal rows against their own law, all three bootstraps") {
  for (const stein_form form : {stein_form::biased, stein_form::unbiased, stein_form::multinomial}) {
    int rejected = 0;
    for (int i = 0; i < repetitions; ++i) {
      const matrix x = test::normal_rows(static_cast<std::uint64_t>(i), 100, 2), score = -x;
      rejected += stein_test{stein_multiquadric{}, form}(x, score, {.draws = 99, .seed = static_cast<std::uint64_t>(i)}).reject ? 1 : 0;
    }
    CAPTURE(static_cast<int>(form));
    CHECK(rejected <= most_rejections);
    CHECK(rejected >= 30);
  }
}
