#include "golden/weights.hpp"

#include <cmath>
#include <doctest/doctest.h>

using namespace golden;

// The check values of the format's description (golden/set/README.md).
TEST_CASE("hash, generator and weights are those of the format") {
  CHECK(splitmix64(0) == 0xe220a8397b1dcdafU);
  CHECK(fnv1a64("conv1.weight") == 0x69a29a2cee47d254U);
  CHECK(unit_weight("conv1.weight", 0) == 0.09014995783428947);
  CHECK(unit_weight("conv1.weight", 1) == -0.8503704580602125);
  CHECK(unit_weight("conv1.weight", 2) == 0.9200377729443874);
}

TEST_CASE("initial values are scaled by the fan-in, or 0.1 for vectors") {
  const array weight = initial_weight("conv1.weight", {2, 4, 1, 2}, "uniform");
  CHECK(weight.values[1] == std::sqrt(2.0 / 8.0) * unit_weight("conv1.weight", 1));
  CHECK(initial_weight("b", {3}, "uniform").values[2] == 0.1 * unit_weight("b", 2));
  CHECK(initial_weight("b", {2}, "one").values == std::vector<double>{1, 1});
  CHECK(initial_weight("b", {2}, "zero").values == std::vector<double>{0, 0});
  CHECK(initial_weight("b", {2, 2}, "eye").values == std::vector<double>{1, 0, 0, 1});
  CHECK_THROWS_AS(initial_weight("b", {2}, "normal"), std::runtime_error);
}
