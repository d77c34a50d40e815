#include "conformance/check_estimator.hpp"
#include "support/foreign.hpp"

#include <doctest/doctest.h>

using namespace dalib;
using conformance::estimator_options;

TEST_CASE("conformance: linear time") {
  estimator_options options;
  options.unbiased = options.zero_on_equal = true;
  const auto found = conformance::check_estimator(estimator::linear_time{}, options);
  CHECK_MESSAGE(found.passed(), found.text());
}

TEST_CASE("conformance: a user's quadruple estimator") {
  estimator_options options;
  options.unbiased = options.zero_on_equal = true;
  const auto found = conformance::check_estimator(foreign::first_quadruple{}, options);
  CHECK_MESSAGE(found.passed(), found.text());
}

TEST_CASE("conformance: drawn pairs") {
  estimator_options options;
  options.unbiased = true;
  const auto found = conformance::check_estimator(estimator::incomplete{40, 5}, options);
  CHECK_MESSAGE(found.passed(), found.text());
}

TEST_CASE("conformance: a user's list of quadruples") {
  estimator_options options;
  options.unbiased = true;
  const auto found = conformance::check_estimator(foreign::neighbours{}, options);
  CHECK_MESSAGE(found.passed(), found.text());
}

TEST_CASE("conformance: blocks of U statistics and of V statistics") {
  estimator_options options;
  options.unbiased = true;
  auto found = conformance::check_estimator(estimator::block{4}, options);
  options.unbiased = false;
  options.zero_on_equal = true;
  found.add(conformance::check_estimator(estimator::block{3, estimator::biased{}}, options));
  CHECK_MESSAGE(found.passed(), found.text());
}

TEST_CASE("conformance: DALIB's ring, even and odd") {
  for (const dalib::index_t rows : {8, 9}) {
    estimator_options options;
    options.source_rows = options.target_rows = rows;
    const auto found = conformance::check_estimator(compat::ring{}, options);
    CHECK_MESSAGE(found.passed(), found.text());
  }
}
