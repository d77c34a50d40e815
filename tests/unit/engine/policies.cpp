// Compiled with -O3 in every build: code that is inlined into each execution policy's own function is contracted differently there.
#include "conformance/check_execution.hpp"

#include <doctest/doctest.h>

using namespace dalib;
using conformance::normal_rows;

namespace {

/// The serial policy under another name, so that everything is instantiated once more.
struct other_serial {
  using memory = host_memory;
  int workers() const { return 1; }
  template <class Task>
  void run(dalib::index_t count, const Task& task) const {
    for (dalib::index_t i = count; i-- > 0;) task(i, 0);
  }
};

template <class T, class Measure>
void check_policies(const Measure& measure) {
  for (const dalib::index_t rows : {2, 7, 66, 130, 300})
    for (const dalib::index_t features : {1, 3, 17, 65}) {
      const auto zs = normal_rows<T>(rows, features, 1), zt = normal_rows<T>(rows, features, 2, 1.2, 0.3);
      auto found = conformance::check_same_bits(exec::openmp{1}, measure, zs, zt, "openmp{1}");
      found.add(conformance::check_same_bits(exec::openmp{2}, measure, zs, zt, "openmp{2}"));
      found.add(conformance::check_same_bits(other_serial{}, measure, zs, zt, "a user's policy"));
      CHECK_MESSAGE(found.passed(), found.text());
    }
}

} // namespace

TEST_CASE("estimators of few pairs: the bits of the serial run with every policy, optimised") {
  check_policies<float>(mmd{kernel::gaussian_ladder{} + kernel::laplacian_l1{9}, estimator::linear_time{}});
  check_policies<double>(mmd{kernel::gaussian_ladder{}, estimator::linear_time{}});
  check_policies<double>(mmd{kernel::rational_quadratic{} * kernel::cosine{}, compat::ring{}});
}
