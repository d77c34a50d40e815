#include "conformance/check_policies.hpp"
#include "support/oracle.hpp"

#include <doctest/doctest.h>
#include <limits>
#include <stdexcept>
#include <string>
#include <type_traits>
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

TEST_CASE("a call that is refused, whatever for, leaves every running average as it was") {
  const matrix<double> a = normal_rows<double>(6, 2, 1), b = normal_rows<double>(5, 2, 2, 3);
  matrix<double> g(6, 2);
  bandwidth::running_state first, second;
  const auto rule = [](bandwidth::running_state& state) { return kernel::gaussian{bandwidth::running_average{&state, 0.25}}; };
  const mmd seen{rule(first) + rule(second)};
  seen(a, a);
  const auto check = [&](const auto& measure, const auto& zs, const auto& zt) {
    const bandwidth::running_state before[2] = {first, second};
    CHECK_THROWS_AS(measure(zs, zt), std::invalid_argument);
    CHECK(first.value == before[0].value);
    CHECK(first.updates == before[0].updates);
    CHECK(second.value == before[1].value);
    CHECK(second.updates == before[1].updates);
  };
  const auto both = rule(first) + rule(second);
  const matrix<double> one = b.topRows(1), empty(0, 2), wide = normal_rows<double>(5, 3, 2);
  check(mmd{both, estimator::unbiased{}}, one, b);
  check(mmd{both, estimator::linear_time{}}, one, b);
  check(mmd{both, compat::ring{}}, a, b);
  check(mmd{both, estimator::block{6}}, a, b);
  check(seen, empty, b);
  check(seen, a, wide);
  check(mmd{both + kernel::gaussian{bandwidth::fixed{-1}}}, a, b);
  check(mmd{kernel::polynomial{.degree = 0} + both}, a, b);
  check(mmd{both + rule(first) + kernel::laplacian_l1{-1}}, a, b);
  check(weighted_mmd{kernel::gaussian_ladder{0.5, 2, bandwidth::running_average{&first}}, estimator::unbiased{}, compat::quadratic_program{}}, one,
        b);
  check(joint_mmd{layer_kernels(rule(first), kernel::gaussian{bandwidth::mean{-1}})}, layers(a, a), layers(b, b));
  CHECK_THROWS_AS(seen.value_and_gradient(b, a, gradients{g, g}), std::invalid_argument);
  CHECK(first.updates == 1);
  seen(b, b);
  CHECK(first.updates == 2);
}

TEST_CASE("a batch that is not finite: a running average refuses it, and the other rules give no number that looks right") {
  const matrix<double> good = normal_rows<double>(6, 2, 1);
  for (const double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(), 1e200}) {
    matrix<double> batch = good;
    batch(3, 1) = bad;
    bandwidth::running_state state;
    const mmd measure{kernel::gaussian{bandwidth::running_average{&state, 0.25}}};
    measure(good, good);
    const double before = state.value;
    CHECK_THROWS_WITH_AS(measure(good, batch), doctest::Contains("not finite"), std::invalid_argument);
    CHECK(state.value == before);
    CHECK(state.updates == 1);
    state.training = false;
    CHECK_NOTHROW(measure(good, good));
    CHECK_FALSE(std::isfinite(mmd{kernel::gaussian{}}(good, batch)));
    CHECK_FALSE(std::isfinite(mmd{kernel::gaussian_ladder{}, estimator::linear_time{}}(good, batch)));
    CHECK_FALSE(std::isfinite(mmd{kernel::laplacian{bandwidth::median{}}}(good, batch)));
  }
  // Squares of doubles of these scales are no doubles: no finite answer for what should be the one of scale 1.
  for (const double scale : {1e-170, 1e-160, 1e160, 1e200}) {
    const matrix<double> zs = scale * good, zt = scale * normal_rows<double>(6, 2, 2);
    CAPTURE(scale);
    CHECK_FALSE(std::isfinite(mmd{kernel::gaussian{}, estimator::linear_time{}}(zs, zt)));
    CHECK_FALSE(std::isfinite(mmd{}(zs, zt)));
    CHECK_THROWS_AS((mmd{kernel::gaussian{bandwidth::fixed{scale}}}(zs, zt)), std::invalid_argument);
  }
}

TEST_CASE("a number in a rule's place is a fixed length, for every kernel that has one") {
  const matrix<double> a = normal_rows<double>(6, 2, 1), b = normal_rows<double>(5, 2, 2, 3);
  const auto same = [&](const auto& number, const auto& rule) {
    static_assert(std::is_same_v<decltype(number), decltype(rule)>);
    CHECK(mmd{number}(a, b) == mmd{rule}(a, b));
  };
  const bandwidth::fixed two{2};
  same(kernel::gaussian{2.0}, kernel::gaussian{two});
  same(kernel::gaussian{2}, kernel::gaussian{two});
  same(kernel::gaussian{2.f}, kernel::gaussian{two});
  same(kernel::gaussian_ladder{0.5, 3, 2.0}, kernel::gaussian_ladder{0.5, 3, two});
  same(kernel::laplacian{2.0}, kernel::laplacian{two});
  same(kernel::rational_quadratic{1.5, 2.0}, kernel::rational_quadratic{1.5, two});
  same(kernel::inverse_multiquadric{2.0}, kernel::inverse_multiquadric{two});
  same(kernel::matern{2.0}, kernel::matern<kernel::matern_order::five_halves, bandwidth::fixed>{two});
  static_assert(std::is_same_v<decltype(kernel::gaussian{}), kernel::gaussian<bandwidth::mean>>);
  static_assert(std::is_same_v<decltype(kernel::gaussian_ladder{0.125f, 5}), kernel::gaussian_ladder<>>);
}
