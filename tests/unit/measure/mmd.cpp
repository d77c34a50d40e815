#include "conformance/samples.hpp"
#include "support/foreign.hpp"

#include <doctest/doctest.h>
#include <limits>
#include <stdexcept>
#include <type_traits>
#include <vector>

using namespace dalib;
using conformance::matrix;
using conformance::normal_rows;

TEST_CASE("the default is MK-MMD: five Gaussians by the mean rule, U statistic") {
  const auto zs = normal_rows<float>(8, 5, 1), zt = normal_rows<float>(7, 5, 2, 1.3, 0.5);
  const mmd explicit_form{kernel::gaussian_ladder{0.125, 5, bandwidth::mean{}}, estimator::unbiased{}};
  CHECK(mmd{}(zs, zt) == explicit_form(zs, zt));
  static_assert(std::is_same_v<decltype(mmd{}(zs, zt)), float>);
  static_assert(std::is_trivially_copyable_v<mmd<>>);
}

TEST_CASE("the linear kernel's V statistic is the squared distance of the means") {
  const auto zs = normal_rows<double>(9, 4, 1), zt = normal_rows<double>(5, 4, 2, 1, 0.7);
  const double expected = (zs.colwise().mean() - zt.colwise().mean()).squaredNorm();
  CHECK(mmd{kernel::linear{}, estimator::biased{}}(zs, zt) == doctest::Approx(expected).epsilon(1e-13));
}

TEST_CASE("the energy kernel's V statistic of two points is twice their distance") {
  const matrix<double> x = matrix<double>::Zero(1, 2);
  matrix<double> y(1, 2);
  y << 3, 4;
  const auto result = value_and_gradient(mmd{kernel::energy{}, estimator::biased{}}, x, y);
  CHECK(result.value == doctest::Approx(10));
  CHECK(result.target(0, 0) == doctest::Approx(2 * 0.6));
  CHECK(result.source(0, 1) == doctest::Approx(-2 * 0.8));
}

TEST_CASE("distant samples: V is 2 for a normalised kernel, and the gradient has died, in any precision") {
  const matrix<float> x = matrix<float>::Zero(3, 2), y = matrix<float>::Constant(3, 2, 1e6f);
  const auto result = value_and_gradient(mmd{kernel::gaussian{bandwidth::fixed{1}}, estimator::biased{}}, x, y);
  CHECK(result.value == doctest::Approx(2));
  CHECK(result.source.isZero(0));
}

TEST_CASE("accumulators agree; the compensated one keeps what plain sums lose") {
  const auto zs = normal_rows<float>(150, 5, 1), zt = normal_rows<float>(140, 5, 2, 1.3, 0.5);
  const kernel::gaussian<> k;
  const float plain = mmd{k, estimator::unbiased{}, accumulator::plain{}}(zs, zt);
  CHECK(mmd{k, estimator::unbiased{}, accumulator::compensated{}}(zs, zt) == doctest::Approx(plain).epsilon(1e-6));
  CHECK(mmd{k, estimator::unbiased{}, foreign::extended{}}(zs, zt) == doctest::Approx(plain).epsilon(1e-6));

  accumulator::plain::state lost;
  accumulator::compensated::state kept;
  for (const double term : {1.0, 1e100, 1.0, -1e100}) {
    accumulator::plain::add(lost, term);
    accumulator::compensated::add(kept, term);
  }
  CHECK(accumulator::plain::result(lost) == 0);
  CHECK(accumulator::compensated::result(kept) == 2);
}

TEST_CASE("checked: NaN and infinity are named with their place, before anything is written") {
  auto zs = normal_rows<double>(6, 3, 1), zt = normal_rows<double>(5, 3, 2);
  matrix<double> gs = matrix<double>::Constant(6, 3, 42), gt = matrix<double>::Constant(5, 3, 42);
  const checked measure{mmd{}};
  CHECK(measure(zs, zt) == mmd{}(zs, zt));
  zt(4, 1) = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_WITH_AS(measure(zs, zt), doctest::Contains("mmd: the target (5 x 3) has a value that is not finite at row 4, column 1"),
                       std::invalid_argument);
  CHECK_THROWS_AS(measure.value_and_gradient(zs, zt, gradients{gs, gt}), std::invalid_argument);
  CHECK_THROWS_AS(measure.value_and_gradient(exec::serial{}, zs, zt, gradients{gs, gt}), std::invalid_argument);
  zs(0, 2) = std::numeric_limits<double>::infinity();
  CHECK_THROWS_WITH_AS(measure(exec::serial{}, zs, zt), doctest::Contains("the source (6 x 3)"), std::invalid_argument);
  CHECK((gs.array() == 42).all());
  CHECK((gt.array() == 42).all());
}

TEST_CASE("a column of samples: Eigen vectors are n samples of one feature") {
  Eigen::VectorXd zs(4), zt(3);
  zs << 0, 1, 2, 3;
  zt << 5, 6, 8;
  const double expected = (zs.mean() - zt.mean()) * (zs.mean() - zt.mean());
  CHECK(mmd{kernel::linear{}, estimator::biased{}}(zs, zt) == doctest::Approx(expected));
}

TEST_CASE("one weighted row is many equal ones for the U statistic, fractional weights are allowed") {
  const auto zs = normal_rows<double>(3, 2, 1), zt = normal_rows<double>(4, 2, 2);
  const mmd measure{kernel::gaussian{bandwidth::fixed{1}}, estimator::unbiased{}};
  const std::vector<double> half(3, 0.5), ones(4, 1.0), tiny(3, 0.2);
  CHECK(std::isfinite(measure(weighted(zs, half), weighted(zt, ones))));
  CHECK_THROWS_WITH_AS(measure(weighted(zs, tiny), zt), doctest::Contains("by weight"), std::invalid_argument);
}
