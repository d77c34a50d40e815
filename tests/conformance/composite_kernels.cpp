#include "conformance/check_kernel.hpp"
#include "support/foreign.hpp"

#include <doctest/doctest.h>

using namespace dalib;

namespace {
/// A named type and no lambda: nvcc compiles this file too, and would ask for an extended lambda.
struct decay {
  template <class T>
  DALIB_HD T operator()(const T& s) const {
    using std::exp;
    return exp(-0.1f * s);
  }
};
} // namespace

TEST_CASE("conformance: a user's kernel with a user's bandwidth") {
  const auto found = conformance::check_kernel(foreign::cauchy{foreign::twice_mean{}});
  CHECK_MESSAGE(found.passed(), found.text());
}

TEST_CASE("conformance: a kernel given by its value alone") {
  const auto found = conformance::check_kernel(kernel::from_value(decay{}));
  CHECK_MESSAGE(found.passed(), found.text());
}

TEST_CASE("conformance: products and multiples of kernels of all four statistics") {
  const auto k = kernel::gaussian{} * kernel::polynomial{.gamma = 0.2} + 0.5 * (kernel::cosine{} * kernel::laplacian_l1{3.0});
  const auto found = conformance::check_kernel(k);
  CHECK_MESSAGE(found.passed(), found.text());
}
