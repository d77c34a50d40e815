#include "conformance/check_policies.hpp"
#include "support/oracle.hpp"

#include <doctest/doctest.h>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

using namespace dalib;
using conformance::matrix;
using conformance::normal_rows;
using conformance::squared_scale;

namespace {

double mean_by_pairs(const matrix<double>& zs, const matrix<double>& zt) {
  return static_cast<double>(oracle::mean_squared_distance(oracle::joint(zs, zt)));
}
double median_by_pairs(const matrix<double>& zs, const matrix<double>& zt) {
  return static_cast<double>(oracle::median_squared_distance(oracle::joint(zs, zt)));
}

} // namespace

TEST_CASE("mean: the mean over all ordered pairs, zero distances included, in any layout and size") {
  for (const dalib::index_t rows : {1, 2, 5, 300}) {
    const matrix<double> zs = normal_rows<double>(rows, 4, 1, 2, 3), zt = normal_rows<double>(rows + 1, 4, 2);
    CHECK(squared_scale(bandwidth::mean{}, zs, zt) == doctest::Approx(mean_by_pairs(zs, zt)).epsilon(1e-13));
    CHECK(squared_scale(bandwidth::mean{0.25}, Eigen::MatrixXd(zs), zt) == doctest::Approx(mean_by_pairs(zs, zt) / 4).epsilon(1e-13));
  }
  const matrix<double> a = matrix<double>::Zero(1, 1), b = matrix<double>::Constant(1, 1, 3);
  CHECK(squared_scale(bandwidth::mean{}, a, b) == 4.5); // (0 + 9 + 9 + 0) / 4
}

TEST_CASE("mean: data shifted by 1e4 in float keep their spread") {
  const matrix<float> zs = normal_rows<float>(40, 8, 1, 1, 1e4), zt = normal_rows<float>(30, 8, 2, 1, 1e4);
  const double expected = static_cast<double>(oracle::mean_squared_distance(oracle::joint(zs, zt)));
  CHECK(squared_scale(bandwidth::mean{}, zs, zt) == doctest::Approx(expected).epsilon(1e-12));
}

TEST_CASE("median: of the pairs i < j, the middle two averaged when their number is even") {
  for (const dalib::index_t rows : {1, 2, 3, 4, 20}) {
    const matrix<double> zs = normal_rows<double>(rows, 3, 4), zt = normal_rows<double>(rows + rows % 2, 3, 5);
    CHECK(squared_scale(bandwidth::median{}, zs, zt) == doctest::Approx(median_by_pairs(zs, zt)).epsilon(1e-14));
  }
  matrix<double> a(3, 1), b(1, 1);
  a << 0, 1, 3;
  b << 7;
  // Distances 1, 2, 3, 4, 6, 7.
  CHECK(squared_scale(bandwidth::median{}, a, b) == (9.0 + 16.0) / 2);
}

TEST_CASE("median: beyond 1024 rows, 1024 rows at equal steps stand for all") {
  matrix<double> zs = normal_rows<double>(1500, 1, 6), zt = normal_rows<double>(548, 1, 7);
  matrix<double> every_second(1024, 1);
  for (dalib::index_t i = 0; i < 1024; ++i) every_second(i, 0) = 2 * i < 1500 ? zs(2 * i, 0) : zt(2 * i - 1500, 0);
  const matrix<double> none(0, 1);
  CHECK(squared_scale(bandwidth::median{}, zs, zt) == squared_scale(bandwidth::median{}, every_second, none));
}

TEST_CASE("identical rows: data-driven rules give 1") {
  const matrix<double> flat = matrix<double>::Constant(5, 3, 0.1);
  CHECK(squared_scale(bandwidth::mean{}, flat, flat) == bandwidth::degenerate_scale);
  CHECK(squared_scale(bandwidth::median{}, flat, flat) == bandwidth::degenerate_scale);
}

TEST_CASE("running average: first batch whole, then a moving mean; frozen in evaluation; state can be saved") {
  const matrix<double> a = normal_rows<double>(5, 2, 1), b = normal_rows<double>(5, 2, 2, 3);
  bandwidth::running_state state;
  const bandwidth::running_average rule{&state, 0.25};
  const double first = mean_by_pairs(a, a), second = mean_by_pairs(b, b);
  CHECK(squared_scale(rule, a, a) == doctest::Approx(first));
  CHECK(squared_scale(rule, b, b) == doctest::Approx(0.75 * first + 0.25 * second));
  CHECK(state.updates == 2);

  bandwidth::running_state saved = state;
  state.training = false;
  CHECK(squared_scale(rule, b, b) == state.value);
  CHECK(state.updates == 2);
  const bandwidth::running_average restored{&saved, 0.25};
  CHECK(squared_scale(restored, a, a) == doctest::Approx(0.75 * state.value + 0.25 * first));

  bandwidth::running_state untrained;
  untrained.training = false;
  CHECK(squared_scale(bandwidth::running_average{&untrained, 0.1, 2.0, bandwidth::median{}}, a, b) ==
        doctest::Approx(2 * median_by_pairs(a, b)));
  CHECK(untrained.updates == 0);
}

TEST_CASE("running average moves once per loss, not once per kernel of a ladder or thread") {
  const matrix<double> a = normal_rows<double>(200, 2, 1), b = normal_rows<double>(150, 2, 2);
  bandwidth::running_state state;
  const mmd measure{kernel::gaussian_ladder{0.125, 5, bandwidth::running_average{&state}}, estimator::unbiased{}};
  CHECK(measure(a, b) == doctest::Approx(mmd{}(a, b)));
  CHECK(state.updates == 1);
}

TEST_CASE("parameters that are not positive and finite are refused with the rule's name") {
  const matrix<double> a = normal_rows<double>(3, 2, 1);
  const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
  for (const double bad : {0.0, -1.0, nan, infinity}) {
    CHECK_THROWS_WITH_AS(squared_scale(bandwidth::fixed{bad}, a, a), doctest::Contains("bandwidth::fixed"), std::invalid_argument);
    CHECK_THROWS_WITH_AS(squared_scale(bandwidth::mean{bad}, a, a), doctest::Contains("bandwidth::mean"), std::invalid_argument);
    CHECK_THROWS_WITH_AS(squared_scale(bandwidth::median{bad}, a, a), doctest::Contains("bandwidth::median"), std::invalid_argument);
    bandwidth::running_state state;
    CHECK_THROWS_AS(squared_scale(bandwidth::running_average{&state, 0.1, bad}, a, a), std::invalid_argument);
  }
  bandwidth::running_state state;
  CHECK_THROWS_WITH_AS(squared_scale(bandwidth::running_average{&state, 1.5}, a, a), doctest::Contains("momentum"), std::invalid_argument);
  CHECK_THROWS_WITH_AS(squared_scale(bandwidth::running_average<>{}, a, a), doctest::Contains("running_state"), std::invalid_argument);
}
