// DANN with the discriminator inside, on plain Eigen matrices, and its reversal schedule.
#include "conformance/samples.hpp"

#include <cmath>
#include <doctest/doctest.h>
#include <limits>
#include <stdexcept>

using namespace dalib;
using conformance::matrix;
using conformance::normal_rows;

namespace {

/// Logit = w . z.
struct linear_discriminator {
  matrix<double> weights;
  matrix<double> operator()(const matrix<double>& z) const { return z * weights; }
};

} // namespace

TEST_CASE("the loss runs the discriminator on both domains as one batch and advances the schedule in training only") {
  const auto zs = normal_rows<double>(5, 3, 1), zt = normal_rows<double>(4, 3, 2, 1, 0.5);
  const linear_discriminator discriminator{normal_rows<double>(3, 1, 3)};
  domain_adversarial_loss loss{discriminator};
  const matrix<double> ls = zs * discriminator.weights, lt = zt * discriminator.weights;
  const auto result = loss(zs, zt);
  CHECK(result.loss == doctest::Approx(domain_adversarial<>{}(ls, lt)).epsilon(1e-14));
  CHECK(result.accuracy == domain_accuracy(ls, lt));
  CHECK(loss.reversal.iteration == 1);
  loss.reversal.training = false;
  loss(zs, zt);
  CHECK(loss.reversal.iteration == 1);
}

TEST_CASE("shapes: empty domains, other feature counts, a discriminator that gives two columns") {
  domain_adversarial_loss loss{linear_discriminator{normal_rows<double>(3, 2, 3)}};
  const auto zs = normal_rows<double>(5, 3, 1), wide = normal_rows<double>(5, 4, 1);
  const matrix<double> none(0, 3);
  CHECK_THROWS_WITH_AS(loss(zs, zs), doctest::Contains("one logit per sample (got 10 x 2"), std::invalid_argument);
  CHECK_THROWS_WITH_AS(loss(zs, wide), doctest::Contains("5 x 3 and 5 x 4"), std::invalid_argument);
  CHECK_THROWS_WITH_AS(loss(zs, none), doctest::Contains("domain_adversarial_loss"), std::invalid_argument);
}

TEST_CASE("the warm-start schedule: low at the start, the paper's and DALIB's curves, plain data to save") {
  warm_start_reversal schedule{.alpha = 10, .low = 0, .high = 1, .iterations = 100};
  CHECK(schedule.coefficient() == 0);
  schedule.iteration = 50;
  CHECK(schedule.coefficient() == doctest::Approx(2 / (1 + std::exp(-5.0)) - 1).epsilon(1e-14));
  const warm_start_reversal dalib_default{.iterations = 1000, .iteration = 1000};
  CHECK(dalib_default.coefficient() == doctest::Approx(0.46211716).epsilon(1e-7));
  const warm_start_reversal shifted{.alpha = 1, .low = 0.1, .high = 0.5, .iterations = 10, .iteration = 0};
  CHECK(shifted.coefficient() == doctest::Approx(0.1).epsilon(1e-14));
  CHECK_THROWS_AS(warm_start_reversal{.iterations = 0}.coefficient(), std::invalid_argument);
  CHECK_THROWS_AS(warm_start_reversal{.alpha = std::numeric_limits<double>::infinity()}.coefficient(), std::invalid_argument);
}
