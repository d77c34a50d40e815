#include "conformance/samples.hpp"

#include <doctest/doctest.h>
#include <numeric>
#include <vector>

using namespace dalib;
using conformance::normal_rows;

namespace {

/// A user's rule: equal weights.
struct equal_weights {
  kernel_weights weights(const std::vector<double>& values) const {
    const double share = 1 / static_cast<double>(values.size());
    return {std::vector<double>(values.size(), 1.0), std::vector<double>(values.size(), share)};
  }
};

} // namespace

TEST_CASE("DALIB's quadratic program: the positive parts over their square") {
  const kernel_weights w = compat::quadratic_program{}.weights({0.3, -0.2, 0.1, 0.0});
  CHECK(w.raw[0] == doctest::Approx(0.3 / 0.1));
  CHECK(w.raw[1] == 0);
  CHECK(w.raw[2] == doctest::Approx(0.1 / 0.1));
  CHECK(w.raw[3] == 0);
  CHECK(w.normalised[0] == doctest::Approx(3));
  CHECK(w.normalised[2] == doctest::Approx(1));
  // The solution of min |beta|^2 with v . beta = 1: no admissible step makes it smaller.
  CHECK(0.3 * w.raw[0] + 0.1 * w.raw[2] == doctest::Approx(1));
}

TEST_CASE("with no positive value, all weight goes to the smallest in size") {
  CHECK(compat::quadratic_program{}.weights({-0.5, -0.1, -2}).normalised == std::vector<double>{0, 3, 0});
  CHECK(compat::quadratic_program{}.weights({-0.5, 0, -2}).normalised == std::vector<double>{0, 3, 0});
  CHECK(compat::quadratic_program{}.weights({0, 0}).normalised == std::vector<double>{2, 0});
}

TEST_CASE("weighted_mmd is the mmd of the weighted sum; its terms are the kernels' own MMDs") {
  const auto zs = normal_rows<double>(9, 4, 1), zt = normal_rows<double>(9, 4, 2, 1.3, 0.6);
  const auto sum = kernel::gaussian_ladder{0.5, 3} + kernel::linear{};
  const weighted_mmd measure{sum, compat::nonlinear{}, compat::quadratic_program{}};
  const std::vector<double> values = measure.term_values(exec::serial{}, zs, zt);
  REQUIRE(values.size() == 4);
  CHECK(values[1] == doctest::Approx(mmd{kernel::gaussian{bandwidth::mean{1}}, compat::nonlinear{}}(zs, zt)).epsilon(1e-13));
  CHECK(values[3] == doctest::Approx(mmd{kernel::linear{}, compat::nonlinear{}}(zs, zt)).epsilon(1e-13));

  const std::vector<double> beta = compat::quadratic_program{}.weights(values).normalised;
  const auto expected = value_and_gradient(mmd{kernel::weighted_terms{sum, beta}, compat::nonlinear{}}, zs, zt);
  const auto result = value_and_gradient(measure, zs, zt);
  // DALIB's constant 2 / (n - 1) belongs to each of the four terms, whose weights sum to 4; the plain mmd has it once.
  const double value = expected.value + 3 * 2.0 / 8;
  CHECK(result.value == doctest::Approx(value).epsilon(1e-13));
  CHECK(measure(zs, zt) == doctest::Approx(value).epsilon(1e-13));
  CHECK(conformance::relative_difference(result.source, expected.source) < 1e-14);
  CHECK(conformance::relative_difference(result.target, expected.target) < 1e-14);
}

TEST_CASE("equal weights give the plain mmd over the number of kernels") {
  const auto zs = normal_rows<double>(6, 3, 1), zt = normal_rows<double>(8, 3, 2, 1.3, 0.6);
  const weighted_mmd measure{kernel::gaussian_ladder{}, estimator::unbiased{}, equal_weights{}};
  CHECK(measure(zs, zt) == doctest::Approx(mmd{}(zs, zt) / 5).epsilon(1e-13));
}
