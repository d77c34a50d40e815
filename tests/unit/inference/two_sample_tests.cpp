/// Two-sample tests: exact ties, laws under changes of the data, threads, bad input.
#include "samples.hpp"

#include "dalib/dalib.hpp"
#include "dalib/inference/aggregated_test.hpp"
#include "dalib/inference/linear_time_test.hpp"
#include "dalib/inference/spectrum_test.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <numeric>
#include <vector>

namespace {

using namespace dalib;
using namespace dalib::inference;
using matrix = Eigen::MatrixXd;

const test::gaussian_of_width width_one{{1}}, median_width{};

template <class Test>
void check_threads(const Test& run) {
  std::vector<test_result> results;
  for (const int threads : {1, 2, 3, 8}) results.push_back(run(exec::openmp{threads}));
  const test_result& one = results.front();
  for (const test_result& other : results) {
    CHECK(other.statistic == one.statistic);
    CHECK(other.p_value == one.p_value);
    CHECK(other.null_sample == one.null_sample);
  }
}

} // namespace

TEST_CASE("Any number of threads gives the same bits, over several blocks of rows") {
  const matrix x = test::normal_rows(1, 150, 5), y = test::normal_rows(2, 170, 5, 0.1), z = test::normal_rows(3, 150, 5);
  const test_options options{.draws = 99, .seed = 4, .keep_null = true};
  check_threads([&](const exec::openmp& e) { return permutation_test{width_one}(e, x, y, options); });
  check_threads([&](const exec::openmp& e) { return wild_bootstrap_test{width_one, wild_form::separate, 3}(e, x, y, options); });
  check_threads([&](const exec::openmp& e) { return wild_bootstrap_test{width_one}(e, x, z, options); });
  check_threads([&](const exec::openmp& e) { return spectrum_test{width_one}(e, x, y, options); });
  check_threads([&](const exec::openmp& e) { return gamma_test{width_one}(e, x, z, options); });
  check_threads([&](const exec::openmp& e) { return linear_time_test{width_one}(e, x, y, options); });
  check_threads([&](const exec::openmp& e) { return block_test{width_one, 10}(e, x, y, options); });
  check_threads([&](const exec::openmp& e) { return fuse_test{fuse_kernel(x, y, 2)}(e, x, y, options); });
}

TEST_CASE("The identity is an exact tie also in single precision, wherever it stands among the draws") {
  const auto x = test::normal_rows<float>(1, 151, 7), y = test::normal_rows<float>(2, 140, 7);
  for (const index_t count : {1, 2, 37, 501}) {
    std::vector<std::int64_t> rows(static_cast<std::size_t>(count * 291));
    for (index_t b = 0; b < count; ++b) std::iota(rows.begin() + b * 291, rows.begin() + (b + 1) * 291, std::int64_t{0});
    test_options options{.keep_null = true};
    options.given.permutations = {rows.data(), count, 291};
    const test_result r = permutation_test{width_one}(x, y, options);
    CHECK(r.p_value == 1);
    CHECK(std::all_of(r.null_sample.begin(), r.null_sample.end(), [&](double t) { return t == r.statistic; }));
  }
}

TEST_CASE("A draw is a function of seed, number and row alone") {
  const matrix x = test::normal_rows(1, 20, 2), y = test::normal_rows(2, 25, 2);
  const test_options few{.draws = 50, .seed = 9, .keep_null = true}, more{.draws = 99, .seed = 9, .keep_null = true};
  const auto a = permutation_test{width_one}(x, y, few).null_sample, b = permutation_test{width_one}(x, y, more).null_sample;
  CHECK(std::equal(a.begin(), a.end(), b.begin()));
  test_options other = few;
  other.seed = 10;
  CHECK(permutation_test{width_one}(x, y, other).null_sample != a);
}

TEST_CASE("The statistic is the library's MMD, and a sum of kernels is one statistic") {
  const matrix x = test::normal_rows(1, 200, 6), y = test::normal_rows(2, 130, 6, 0.3);
  const auto sum = kernel::gaussian{2.0} + 0.5 * kernel::laplacian_l1{3} + kernel::linear{};
  CHECK(permutation_test{sum}(x, y, {.draws = 1}).statistic == doctest::Approx(mmd{sum, estimator::unbiased{}}(x, y)).epsilon(1e-10));
  CHECK(permutation_test{sum, estimator::biased{}}(x, y, {.draws = 1}).statistic ==
        doctest::Approx(mmd{sum, estimator::biased{}}(x, y)).epsilon(1e-10));
  const double n = 200.0 * 130 / 330;
  CHECK(energy_test{}(x, y, {.draws = 1}).statistic ==
        doctest::Approx(n * mmd{kernel::energy{}, estimator::biased{}}(x, y)).epsilon(1e-10));
}

TEST_CASE("Scaling the data with the bandwidth keeps p; exchanging the samples keeps the statistic") {
  const matrix x = test::normal_rows(1, 30, 3), y = test::normal_rows(2, 25, 3, 0.2), larger = 4 * x, larger_y = 4 * y;
  const test_options options{.draws = 199, .seed = 3};
  const permutation_test median{median_width};
  CHECK(median(x, y, options).p_value == median(larger, larger_y, options).p_value);
  CHECK(permutation_test{test::gaussian_of_width{{0.5}}}(x, y, options).p_value ==
        permutation_test{test::gaussian_of_width{{2.0}}}(larger, larger_y, options).p_value);
  CHECK(median(x, y, options).statistic == doctest::Approx(median(y, x, options).statistic).epsilon(1e-12));
}

TEST_CASE("Constant data: p = 1, and nothing is rejected") {
  const matrix x = matrix::Constant(12, 3, 2), y = matrix::Constant(12, 3, 2);
  CHECK(permutation_test{median_width}(x, y, {.draws = 99}).p_value == 1);
  CHECK(wild_bootstrap_test{median_width}(x, y, {.draws = 99}).p_value == 1);
  CHECK(spectrum_test{median_width}(x, y, {.draws = 99}).p_value == 1);
  CHECK(energy_test{}(x, y, {.draws = 99}).p_value == 1);
  const gamma_result gamma = gamma_test{median_width}(x, y);
  CHECK((gamma.p_value == 1 && !gamma.reject && !gamma.warning.empty()));
  const normal_result linear = linear_time_test{median_width}(x, y);
  CHECK((linear.p_value == 1 && !linear.reject && !linear.warning.empty()));
  CHECK(!aggregated_test{mmdagg_kernel(x, y, 2)}(x, y, {.draws = 100}).reject);
}

TEST_CASE("Bad input is refused with the test's name before anything is computed") {
  const matrix x = test::normal_rows(1, 10, 3), y = test::normal_rows(2, 8, 3), other = test::normal_rows(2, 8, 2);
  matrix nan = x;
  nan(4, 1) = std::numeric_limits<double>::quiet_NaN();
  const permutation_test test{width_one};
  CHECK_THROWS_WITH_AS(test(x, other), doctest::Contains("permutation_test: source and target must have the same number of features"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(test(nan, y), doctest::Contains("row 4, column 1"), std::invalid_argument);
  CHECK_THROWS_WITH_AS(test(x, y, {.alpha = 0}), doctest::Contains("alpha"), std::invalid_argument);
  CHECK_THROWS_WITH_AS(test(x, y, {.alpha = 1}), doctest::Contains("alpha"), std::invalid_argument);
  CHECK_THROWS_WITH_AS(test(x, y, {.draws = 0}), doctest::Contains("at least one permutation"), std::invalid_argument);
  CHECK_THROWS_AS(test(matrix(0, 3), y), std::invalid_argument);
  CHECK_THROWS_AS(test(x.topRows(1).eval(), y), std::invalid_argument);
  CHECK_THROWS_AS(gamma_test{width_one}(x, y), std::invalid_argument);
  CHECK_THROWS_AS(wild_bootstrap_test{width_one}(x, y), std::invalid_argument);
  CHECK_THROWS_AS(linear_time_test{width_one}(x.topRows(3).eval(), y), std::invalid_argument);
  CHECK_THROWS_AS(block_test(width_one, 5)(x, y), std::invalid_argument);
  CHECK_THROWS_AS(aggregated_test(mmdagg_kernel(x, y, 2), resampling::permutations, {0.5, 0.5})(x, y), std::invalid_argument);
  const std::vector<double> weights(10, 1.0);
  CHECK_THROWS_WITH_AS(test(weighted(x, weights), y), doctest::Contains("no sample weights"), std::invalid_argument);
  std::vector<std::int64_t> twice(18, 0);
  test_options given;
  given.given.permutations = {twice.data(), 1, 18};
  CHECK_THROWS_WITH_AS(test(x, y, given), doctest::Contains("not a permutation"), std::invalid_argument);
  CHECK(test(x, y, {.alpha = 0.01, .draws = 50}).warning.find("cannot reject") != std::string::npos);
}

TEST_CASE("Tails and quantiles far out, against numbers of a computer algebra system") {
  CHECK(normal_upper_tail(10) / 7.619853024160527e-24 == doctest::Approx(1).epsilon(1e-12));
  CHECK(normal_upper_quantile(1e-11) == doctest::Approx(6.706023155495).epsilon(1e-11));
  CHECK(chi_squared_upper_tail(2, 60) / 9.357622968840175e-14 == doctest::Approx(1).epsilon(1e-12)); // exp(-30)
  for (const double shape : {0.05, 0.7, 3.0, 80.0})
    for (const double p : {0.9, 0.05, 1e-6, 1e-12})
      CHECK(gamma_upper_tail(shape, gamma_upper_quantile(shape, p)) / p == doctest::Approx(1).epsilon(1e-10));
}
