/// The Nystrom test: what it is with all rows as landmarks, laws, ties, threads, bad input.
#include "samples.hpp"

#include "dalib/dalib.hpp"
#include "dalib/inference/nystrom_test.hpp"

#include <doctest/doctest.h>

namespace {

using namespace dalib;
using namespace dalib::inference;
using matrix = Eigen::MatrixXd;

const test::gaussian_of_width width_one{{1}};

} // namespace

TEST_CASE("With all rows as landmarks the Nystrom statistic is the biased MMD") {
  const matrix x = test::normal_rows(1, 30, 3), y = test::normal_rows(2, 25, 3, 0.4);
  const nystrom_result r = nystrom_test{width_one, 100, 1e-12}(x, y, {.draws = 199, .seed = 2});
  CHECK(r.landmarks == 55);
  CHECK(r.statistic == doctest::Approx(mmd{width_one, estimator::biased{}}(x, y)).epsilon(1e-8));
  const test_result whole = permutation_test{width_one, estimator::biased{}}(x, y, {.draws = 199, .seed = 2});
  CHECK(r.p_value == whole.p_value);
}

TEST_CASE("Landmarks do not depend on the rows' order; equal rows count once") {
  const matrix x = test::normal_rows(1, 200, 2), y = test::normal_rows(2, 150, 2, 0.2), backwards = x.colwise().reverse();
  const nystrom_test test{width_one, 20};
  CHECK(test(x, y, {.draws = 1}).statistic == doctest::Approx(test(backwards, y, {.draws = 1}).statistic).epsilon(1e-9));
  CHECK(test(x, y, {.draws = 1}).statistic == doctest::Approx(test(y, x, {.draws = 1}).statistic).epsilon(1e-9));
  matrix few = matrix::Constant(60, 2, 1);
  few.row(3).setConstant(2);
  few.row(7).setConstant(-1);
  CHECK(test(few, few, {.draws = 19}).landmarks == 3);
  const nystrom_result constant = test(matrix::Constant(40, 2, 0.1).eval(), matrix::Constant(30, 2, 0.1).eval(), {.draws = 99});
  CHECK((constant.landmarks == 1 && constant.p_value == 1 && !constant.reject));
}

TEST_CASE("The Nystrom test sees a shift; the identity is a tie, also in single precision; threads do not matter") {
  const auto x = test::normal_rows<float>(1, 700, 4), y = test::normal_rows<float>(2, 500, 4, 0.4);
  const nystrom_test test{width_one, 40};
  const test_options options{.draws = 199, .keep_null = true};
  const nystrom_result one = test(exec::openmp{1}, x, y, options);
  CHECK(one.p_value == 1.0 / 200);
  for (const int threads : {2, 3, 8}) {
    const nystrom_result other = test(exec::openmp{threads}, x, y, options);
    CHECK(other.statistic == one.statistic);
    CHECK(other.null_sample == one.null_sample);
  }
  std::vector<std::int64_t> identity(40 * 1200);
  for (std::size_t i = 0; i < identity.size(); ++i) identity[i] = static_cast<std::int64_t>(i % 1200);
  test_options given;
  given.given.permutations = {identity.data(), 40, 1200};
  CHECK(test(x, y, given).p_value == 1);
}

TEST_CASE("Bad input of the Nystrom test") {
  const matrix x = test::normal_rows(1, 10, 3), y = test::normal_rows(2, 8, 3);
  CHECK_THROWS_WITH_AS(nystrom_test(width_one, -1)(x, y), doctest::Contains("nystrom_test: needs at least one landmark"),
                       std::invalid_argument);
  CHECK_THROWS_AS(nystrom_test(width_one, 5, 0)(x, y), std::invalid_argument);
  CHECK_THROWS_AS(nystrom_test{width_one}(x, y.leftCols(2).eval()), std::invalid_argument);
}
