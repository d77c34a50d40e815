// The conformance suite's laws of measures, over the ranks of the world.
#include "conformance/check_measure.hpp"
#include "mpi/dealt.hpp"

#include <doctest/doctest.h>

using namespace dalib;

namespace {
/// Where the measures run.
struct on_ranks {
  template <class Measure>
  static dealt::over_world<Measure> measure(const Measure& m) {
    return dealt::over_world<Measure>(m);
  }
};
} // namespace

TEST_CASE("conformance over ranks: pairs shared") {
  const auto found = conformance::check_measure(mmd{kernel::gaussian{bandwidth::fixed{1.5}}, estimator::unbiased{}}, {}, on_ranks{});
  CHECK_MESSAGE(found.passed(), found.text());
  conformance::measure_options detached;
  detached.detached_parts = true; // the kernel weights
  const auto weighted = conformance::check_measure(
      weighted_mmd{kernel::gaussian_ladder{}, estimator::unbiased{}, compat::quadratic_program{}}, detached, on_ranks{});
  CHECK_MESSAGE(weighted.passed(), weighted.text());
}

TEST_CASE("conformance over ranks: rows gathered, sums over rows") {
  const auto few = conformance::check_measure(mmd{kernel::gaussian{bandwidth::fixed{1.5}}, estimator::linear_time{}}, {}, on_ranks{});
  CHECK_MESSAGE(few.passed(), few.text());
  conformance::measure_options one;
  one.features = 1;
  const auto adversarial = conformance::check_measure(domain_adversarial<>{}, one, on_ranks{});
  CHECK_MESSAGE(adversarial.passed(), adversarial.text());
}
