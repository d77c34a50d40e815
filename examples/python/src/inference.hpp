/// @file
/// A test as it comes from Python, and its answer. Rows are in double.
#pragma once

#include "plan.hpp"

namespace dalib_python {

/// Which test; what counts depends on it.
struct test_request {
  std::string name;
  std::vector<kernel_choice> kernels{}; ///< of the squared distance
  std::span<const array> inputs{};
  int threads = 0;
  double alpha = 0.05;
  index_t draws = 999;
  std::uint64_t seed = 0;
  bool keep_null = false;
  bool biased = false;             ///< the estimator of a permutation test or of HSIC
  int form = 0;                    ///< of a wild bootstrap
  double length = 0;               ///< of its dependence
  int kernel_count = 10;           ///< of an aggregated test, of each kind
  array permutations{}, weights{}; ///< draws of the caller's, as int64 and double; none: random ones
};

struct test_answer {
  double statistic = 0, p_value = 1, threshold = 0;
  bool reject = false;
  std::vector<double> null_sample{};
  std::string warning{};
  std::vector<double> values{}; ///< p values of the kernels of an aggregated test; the witness at its points
};

/// @throws std::invalid_argument for an unknown test and whatever the test refuses.
test_answer run_test(const test_request& r);

} // namespace dalib_python
