#include "conformance/check_kernel.hpp"

#include <doctest/doctest.h>

using namespace dalib;

TEST_CASE("conformance: gaussian") {
  const auto found = conformance::check_kernel(kernel::gaussian{});
  CHECK_MESSAGE(found.passed(), found.text());
}

TEST_CASE("conformance: gaussian ladder") {
  const auto found = conformance::check_kernel(kernel::gaussian_ladder{0.125, 5});
  CHECK_MESSAGE(found.passed(), found.text());
}

TEST_CASE("conformance: laplacian") {
  const auto found = conformance::check_kernel(kernel::laplacian{});
  CHECK_MESSAGE(found.passed(), found.text());
}

TEST_CASE("conformance: energy") {
  conformance::kernel_options options;
  options.positive_definite = false; // only conditionally
  const auto found = conformance::check_kernel(kernel::energy{}, options);
  CHECK_MESSAGE(found.passed(), found.text());
}
