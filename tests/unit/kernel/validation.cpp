#include "conformance/samples.hpp"

#include <cmath>
#include <doctest/doctest.h>
#include <limits>
#include <stdexcept>

using namespace dalib;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

template <class Kernel>
double loss(const Kernel& kernel) {
  const auto zs = conformance::normal_rows<double>(4, 2, 1), zt = conformance::normal_rows<double>(3, 2, 2);
  return mmd{kernel, estimator::biased{}}(zs, zt);
}

} // namespace

TEST_CASE("a polynomial needs a degree of at least 1 and finite coefficients") {
  for (const int bad : {0, -1})
    CHECK_THROWS_WITH_AS(loss(kernel::polynomial{.degree = bad}), doctest::Contains("kernel::polynomial"), std::invalid_argument);
  CHECK_THROWS_AS(loss(kernel::polynomial{.gamma = not_a_number}), std::invalid_argument);
  CHECK_THROWS_AS(loss(kernel::polynomial{.gamma = 1, .coef0 = infinity}), std::invalid_argument);
  CHECK(std::isfinite(loss(kernel::polynomial{.degree = 1})));
}

TEST_CASE("the laplacian of the l1 distance needs a positive, finite scale") {
  for (const double bad : {0.0, -2.0, not_a_number, infinity})
    CHECK_THROWS_WITH_AS(loss(kernel::laplacian_l1{bad}), doctest::Contains("kernel::laplacian_l1"), std::invalid_argument);
}

TEST_CASE("the rational quadratic needs a positive, finite alpha") {
  for (const double bad : {0.0, -2.0, not_a_number, infinity})
    CHECK_THROWS_WITH_AS(loss(kernel::rational_quadratic{bad}), doctest::Contains("kernel::rational_quadratic"), std::invalid_argument);
}

TEST_CASE("a ladder needs 1 to 16 terms and a positive, finite first alpha") {
  for (const int bad : {0, -1, 17})
    CHECK_THROWS_WITH_AS((kernel::gaussian_ladder{0.125, bad}), doctest::Contains("count must be in 1..16"), std::invalid_argument);
  for (const double bad : {0.0, -2.0, not_a_number, infinity})
    CHECK_THROWS_WITH_AS((kernel::gaussian_ladder{bad, 5}), doctest::Contains("first_alpha"), std::invalid_argument);
}

TEST_CASE("a bad bandwidth inside a sum, a product or a multiple is refused") {
  const auto bad = kernel::gaussian{bandwidth::fixed{0}};
  CHECK_THROWS_AS(loss(kernel::linear{} + bad), std::invalid_argument);
  CHECK_THROWS_AS(loss(kernel::linear{} * bad), std::invalid_argument);
  CHECK_THROWS_AS(loss(2 * bad), std::invalid_argument);
  CHECK_THROWS_AS(loss(kernel::polynomial{.degree = 0} + kernel::linear{}), std::invalid_argument);
}
