#include "conformance/check_kernel.hpp"

#include <doctest/doctest.h>

using namespace dalib;

TEST_CASE("conformance: linear") {
  const auto found = conformance::check_kernel(kernel::linear{});
  CHECK_MESSAGE(found.passed(), found.text());
}

TEST_CASE("conformance: polynomial") {
  const auto found = conformance::check_kernel(kernel::polynomial{.gamma = 0.5, .coef0 = 1, .degree = 3});
  CHECK_MESSAGE(found.passed(), found.text());
}

TEST_CASE("conformance: cosine") {
  const auto found = conformance::check_kernel(kernel::cosine{});
  CHECK_MESSAGE(found.passed(), found.text());
}

TEST_CASE("conformance: laplacian of the l1 distance") {
  const auto found = conformance::check_kernel(kernel::laplacian_l1{2.0});
  CHECK_MESSAGE(found.passed(), found.text());
}
