// Known limits: the promised accuracy of 1e-5 (float) and 1e-12 (double) is missed here, for the reason each case names. The day one of
// these turns red, the engine has become better: make it a plain test then.
#include "support/accuracy.hpp"

#include <doctest/doctest.h>

using namespace dalib;
using support::gradient_bound;
using support::plain_rows;

namespace {

template <class Kernel>
support::formula_case<Kernel> of_inner_product(Kernel kernel, std::function<oracle::complex(oracle::complex)> f) {
  return {kernel, oracle::of(oracle::inner, std::move(f))};
}

} // namespace

// Kernels of the raw inner product are far from translation invariant in floating point: x . y of data at 1e4 is 1e8 per feature.
TEST_CASE("float, cosine kernel: data shifted by 1e4" * doctest::should_fail()) {
  const support::formula_case<kernel::cosine> cosine{{}, oracle::of(oracle::cosine, [](oracle::complex s) { return s; })};
  CHECK(support::gradient_error<float>(cosine, plain_rows<float>(40, 1e4)) < gradient_bound<float>);
}
TEST_CASE("float, polynomial kernel: data shifted by 1e4" * doctest::should_fail()) {
  const auto cubic = of_inner_product(kernel::polynomial{.gamma = 1.0 / 64, .coef0 = 1, .degree = 3}, [](oracle::complex s) {
    const oracle::complex base = s / 64.0L + 1.0L;
    return base * base * base;
  });
  CHECK(support::gradient_error<float>(cubic, plain_rows<float>(40, 1e4)) < gradient_bound<float>);
}
