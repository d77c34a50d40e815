#include "conformance/check_measure.hpp"

#include <doctest/doctest.h>

using namespace dalib;

TEST_CASE("conformance: mmd") {
  const auto found = conformance::check_measure(mmd{kernel::gaussian{bandwidth::fixed{1.5}}, estimator::unbiased{}});
  CHECK_MESSAGE(found.passed(), found.text());
}

TEST_CASE("conformance: checked") {
  const auto found = conformance::check_measure(checked{mmd{kernel::gaussian{bandwidth::fixed{1.5}}, estimator::unbiased{}}});
  CHECK_MESSAGE(found.passed(), found.text());
}

TEST_CASE("conformance: weighted_mmd") {
  conformance::measure_options options;
  options.detached_parts = true; // the kernel weights
  const auto found =
      conformance::check_measure(weighted_mmd{kernel::gaussian_ladder{}, estimator::unbiased{}, compat::quadratic_program{}}, options);
  CHECK_MESSAGE(found.passed(), found.text());
}

TEST_CASE("conformance: domain_adversarial") {
  conformance::measure_options options;
  options.features = 1;
  const auto found = conformance::check_measure(domain_adversarial<>{}, options);
  CHECK_MESSAGE(found.passed(), found.text());
}
