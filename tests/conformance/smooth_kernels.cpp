#include "conformance/check_kernel.hpp"
#include "support/foreign.hpp"

#include <doctest/doctest.h>

using namespace dalib;

TEST_CASE("conformance: rational quadratic") {
  const auto found = conformance::check_kernel(kernel::rational_quadratic{0.7});
  CHECK_MESSAGE(found.passed(), found.text());
}

TEST_CASE("conformance: inverse multiquadric") {
  const auto found = conformance::check_kernel(kernel::inverse_multiquadric{});
  CHECK_MESSAGE(found.passed(), found.text());
}

TEST_CASE("conformance: Matern 3/2 and 5/2") {
  auto found = conformance::check_kernel(kernel::matern<kernel::matern_order::three_halves>{});
  found.add(conformance::check_kernel(kernel::matern<kernel::matern_order::five_halves>{}));
  CHECK_MESSAGE(found.passed(), found.text());
}
