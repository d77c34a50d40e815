#include "conformance/check_policies.hpp"
#include "support/foreign.hpp"

#include <doctest/doctest.h>

using namespace dalib;

TEST_CASE("conformance: bandwidth rules") {
  auto found = conformance::check_bandwidth(bandwidth::mean{});
  found.add(conformance::check_bandwidth(bandwidth::mean{0.25}));
  found.add(conformance::check_bandwidth(bandwidth::median{}));
  found.add(conformance::check_bandwidth(foreign::twice_mean{}));
  CHECK_MESSAGE(found.passed(), found.text());
}
