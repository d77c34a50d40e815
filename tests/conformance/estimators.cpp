#include "conformance/check_estimator.hpp"
#include "support/foreign.hpp"

#include <doctest/doctest.h>

using namespace dalib;
using conformance::estimator_options;

TEST_CASE("conformance: biased") {
  estimator_options options;
  options.zero_on_equal = options.takes_weights = true;
  const auto found = conformance::check_estimator(estimator::biased{}, options);
  CHECK_MESSAGE(found.passed(), found.text());
}

TEST_CASE("the z test has power: it sees the bias of the V statistic") {
  const mmd measure{kernel::gaussian{bandwidth::fixed{1.5}}, estimator::biased{}};
  CHECK(conformance::null_score(measure, {}) > 10);
}

TEST_CASE("conformance: unbiased") {
  estimator_options options;
  options.unbiased = options.takes_weights = true;
  const auto found = conformance::check_estimator(estimator::unbiased{}, options);
  CHECK_MESSAGE(found.passed(), found.text());
}

TEST_CASE("conformance: a user's full-pair estimator") {
  estimator_options options;
  options.takes_weights = true;
  const auto found = conformance::check_estimator(foreign::affine_biased{}, options);
  CHECK_MESSAGE(found.passed(), found.text());
}

TEST_CASE("conformance: DALIB's non-linear estimator") {
  estimator_options options;
  options.target_rows = options.source_rows;
  const auto found = conformance::check_estimator(compat::nonlinear{}, options);
  CHECK_MESSAGE(found.passed(), found.text());
}
