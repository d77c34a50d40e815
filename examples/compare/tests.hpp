#pragma once
// The tests that the program runs.

#include "chosen_kernel.hpp"
#include "comparison.hpp"

#include <dalib/inference/result.hpp>

#include <string>

namespace dalib::compare {

/// Everything that one test needs.
struct setting {
  const options& asked;
  watched policy;
  inference::test_options test;
  chosen_kernel kernel{};
  double bandwidth = 1; ///< of the kernel
};

/// The test of this name.
finding run_test(const std::string& name, const setting& s, const loaded_sample::matrix& x, const loaded_sample::matrix& y);

} // namespace dalib::compare
