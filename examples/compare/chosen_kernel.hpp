#pragma once
// A kernel chosen by name when the program runs: one type, so that each test is compiled once.

#include <dalib/dalib.hpp>

#include <stdexcept>
#include <string>

namespace dalib::compare {

using chosen_kernel = kernel::any<kernel::gaussian<bandwidth::fixed>, kernel::laplacian<bandwidth::fixed>, kernel::laplacian_l1,
                                  kernel::inverse_multiquadric<bandwidth::fixed>, kernel::energy>;

/// @throws std::invalid_argument for a name that is no kernel's.
inline chosen_kernel kernel_named(const std::string& name, double length) {
  const bandwidth::fixed width{length};
  if (name == "gaussian") return kernel::gaussian{width};
  if (name == "laplacian") return kernel::laplacian{width};
  if (name == "laplacian-l1") return kernel::laplacian_l1{length};
  if (name == "inverse-multiquadric") return kernel::inverse_multiquadric{width};
  if (name == "energy") return kernel::energy{};
  throw std::invalid_argument("unknown kernel '" + name + "'");
}

} // namespace dalib::compare
