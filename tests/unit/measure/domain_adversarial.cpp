#include "conformance/samples.hpp"

#include <cmath>
#include <doctest/doctest.h>
#include <limits>
#include <stdexcept>
#include <vector>

using namespace dalib;
using conformance::matrix;

namespace {

template <class T>
matrix<T> column(std::vector<T> values) {
  return Eigen::Map<matrix<T>>(values.data(), static_cast<dalib::index_t>(values.size()), 1);
}

} // namespace

TEST_CASE("reductions: mean gives each domain half of the weight; sum; none gives one value per sample, source first") {
  const auto ls = column<double>({0.5, -1}), lt = column<double>({2, 0.25, -3});
  const auto log1pexp = [](double x) { return std::log(1 + std::exp(x)); };
  const double source[] = {log1pexp(-0.5), log1pexp(1)}, target[] = {log1pexp(2), log1pexp(0.25), log1pexp(-3)};
  const double mean_s = (source[0] + source[1]) / 2, mean_t = (target[0] + target[1] + target[2]) / 3;
  CHECK(domain_adversarial<>{}(ls, lt) == doctest::Approx((mean_s + mean_t) / 2).epsilon(1e-14));
  CHECK(domain_adversarial<reduction::sum>{}(ls, lt) == doctest::Approx(mean_s + 1.5 * mean_t).epsilon(1e-14));
  const std::vector<double> each = domain_adversarial<reduction::none>{}(ls, lt);
  REQUIRE(each.size() == 5);
  CHECK(each[1] == doctest::Approx(source[1] / 2).epsilon(1e-14));
  CHECK(each[2] == doctest::Approx(target[0] / 2).epsilon(1e-14));

  matrix<double> gs(2, 1), gt(3, 1);
  domain_adversarial<reduction::none>{}.value_and_gradient(ls, lt, gradients{gs, gt});
  CHECK(gs(0, 0) == doctest::Approx(-0.5 / (1 + std::exp(0.5))).epsilon(1e-14));
  CHECK(gt(2, 0) == doctest::Approx(0.5 / (1 + std::exp(3.0))).epsilon(1e-14));
}

TEST_CASE_TEMPLATE("logits of 1e4 and -1e4: exact value, gradient alive on the wrong side", T, float, double) {
  const auto ls = column<T>({T(1e4), T(-1e4)}), lt = column<T>({T(1e4), T(-1e4)});
  matrix<T> gs(2, 1), gt(2, 1);
  const T value = domain_adversarial<>{}.value_and_gradient(ls, lt, gradients{gs, gt});
  CHECK(value == T(5000));
  CHECK(gs(0, 0) == T(0));
  CHECK(gs(1, 0) == T(-0.25));
  CHECK(gt(0, 0) == T(0.25));
  CHECK(gt(1, 0) == T(0));
}

TEST_CASE("saturated by 20 in float the gradient is still right, where DALIB's form has lost it") {
  const auto ls = column<float>({-20}), lt = column<float>({-20});
  matrix<float> gs(1, 1), gt(1, 1);
  domain_adversarial<>{}.value_and_gradient(ls, lt, gradients{gs, gt});
  CHECK(gs(0, 0) == doctest::Approx(-0.5).epsilon(1e-6));
  CHECK(gt(0, 0) == doctest::Approx(0.5 * std::exp(-20.0)).epsilon(1e-6));
  float slope = 1;
  CHECK(compat::binary_cross_entropy(20.0f, false, slope) == 100.0f);
  CHECK(slope == 0.0f);
}

TEST_CASE("DALIB's binary cross-entropy equals ours where both are exact") {
  for (const double logit : {-3.0, -0.5, 0.0, 2.0})
    for (const bool label : {false, true}) {
      double slope = 0, expected_slope = 0;
      const double value = compat::binary_cross_entropy(logit, label, slope);
      CHECK(value == doctest::Approx(binary_cross_entropy(logit, label, expected_slope)).epsilon(1e-13));
      CHECK(slope == doctest::Approx(expected_slope).epsilon(1e-13));
    }
}

TEST_CASE("logits have one column") {
  const matrix<double> wide = matrix<double>::Zero(3, 2);
  CHECK_THROWS_WITH_AS(domain_adversarial<>{}(wide, wide), doctest::Contains("one logit per sample"), std::invalid_argument);
}

TEST_CASE("domain accuracy is the mean of both domains' shares, in percent") {
  CHECK(domain_accuracy(column<float>({1, -1, 2, 0}), column<float>({-1})) == doctest::Approx(87.5));
  CHECK(domain_accuracy(column<float>({-1}), column<float>({1, 2})) == 0);
}
