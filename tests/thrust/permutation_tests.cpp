// Permutation tests of device tensors beside the same of host tensors.
#include "conformance/samples.hpp"

#include <dalib/inference/permutation_test.hpp>
#include <dalib/thrust.hpp>

#include <doctest/doctest.h>
#include <limits>
#include <numeric>
#include <vector>

using namespace dalib;
using conformance::normal_rows;

TEST_CASE("device: permutation tests have the host's statistic, null sample and p; the identity is a tie") {
  const auto x = normal_rows<float>(150, 9, 1), y = normal_rows<float>(90, 9, 2, 1.0, 0.15);
  const device_matrix dx(x), dy(y);
  const inference::test_options options{.draws = 99, .seed = 5, .keep_null = true};
  const inference::permutation_test test{kernel::gaussian{bandwidth::median{}}};
  const inference::test_result host = test(x, y, options), device = test(exec::thrust{}, dx, dy, options);
  CHECK(device.statistic == doctest::Approx(host.statistic).epsilon(1e-4));
  CHECK(device.p_value == doctest::Approx(host.p_value).epsilon(0.021)); // at most two draws may change sides by rounding
  REQUIRE(device.null_sample.size() == 99);
  for (std::size_t b = 0; b < 99; ++b) CHECK(std::abs(device.null_sample[b] - host.null_sample[b]) < 1e-5);
  CHECK(inference::energy_test{}(exec::thrust{}, dx, dy, options).p_value ==
        doctest::Approx(inference::energy_test{}(x, y, options).p_value).epsilon(0.021));

  std::vector<std::int64_t> identity(40 * 240);
  for (std::size_t i = 0; i < identity.size(); ++i) identity[i] = static_cast<std::int64_t>(i % 240);
  inference::test_options given;
  given.given.permutations = {identity.data(), 40, 240};
  CHECK(test(exec::thrust{}, dx, dy, given).p_value == 1);
}

TEST_CASE("device: permutation tests refuse rows that are not finite") {
  auto x = normal_rows<float>(20, 3, 1);
  const auto y = normal_rows<float>(30, 3, 2);
  x(4, 1) = std::numeric_limits<float>::quiet_NaN();
  const device_matrix dx(x), dy(y);
  CHECK_THROWS_AS(inference::permutation_test{}(exec::thrust{}, dx, dy), std::invalid_argument);
}
