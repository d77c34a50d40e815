#include "conformance/check_execution.hpp"
#include "conformance/check_policies.hpp"
#include "support/foreign.hpp"

#include <doctest/doctest.h>

using namespace dalib;

TEST_CASE("conformance: serial execution") {
  const auto found = conformance::check_execution(exec::serial{});
  CHECK_MESSAGE(found.passed(), found.text());
}

#if defined(_OPENMP)
TEST_CASE("conformance: OpenMP execution with 1, 2, 3 and 8 threads, and as it comes") {
  for (const int threads : {0, 1, 2, 3, 8}) {
    const auto found = conformance::check_execution(exec::openmp{threads});
    CHECK_MESSAGE(found.passed(), threads, " threads: ", found.text());
  }
}
#endif

TEST_CASE("conformance: a user's execution policy that runs tasks backwards") {
  for (const int threads : {1, 2, 3}) {
    const auto found = conformance::check_execution(foreign::reversed_threads{threads});
    CHECK_MESSAGE(found.passed(), threads, " threads: ", found.text());
  }
}

TEST_CASE("conformance: accumulators") {
  auto found = conformance::check_accumulator<accumulator::plain>();
  found.add(conformance::check_accumulator<accumulator::compensated>());
  found.add(conformance::check_accumulator<foreign::extended>());
  CHECK_MESSAGE(found.passed(), found.text());
}
