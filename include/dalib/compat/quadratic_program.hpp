/// @file
/// DALIB's weights for the kernels of MK-MMD.
#pragma once

#include "dalib/measure/multi_kernel.hpp"

#include <algorithm>
#include <numeric>
#include <span>
#include <vector>

namespace dalib::compat {

/// DALIB's quadratic program for the kernel weights: min |beta|^2 subject to v . beta = 1, beta >= 0, solved exactly: beta = v+ / |v+|^2
/// where v+ = max(v, 0). It has the identity in place of the covariance of the paper (Gretton et al. 2012b, eq. 11). If no v is positive
/// DALIB switches to a concave program, which its solver rejects; here its exact global minimiser is taken: all weight on the kernel with
/// the smallest |v|. As in DALIB the loss uses beta scaled to sum K, the number of kernels.
///
/// @code{.cpp}
/// const kernel_weights beta = compat::quadratic_program{}.weights({3, -1, 4});
/// assert(beta.raw[0] == 3.0 / 25 && beta.raw[1] == 0 && std::abs(beta.normalised[2] - 12.0 / 7) < 1e-14);
/// @endcode
struct quadratic_program {
  kernel_weights weights(const std::vector<double>& values) const {
    kernel_weights result{std::vector<double>(values.size()), std::vector<double>(values.size())};
    raw(values, result.raw);
    normalised(values, result.normalised);
    return result;
  }
  /// The weights that the loss uses, into the caller's memory.
  void normalised(std::span<const double> values, std::span<double> to) const {
    raw(values, to);
    const double total = std::accumulate(to.begin(), to.end(), 0.0);
    for (double& w : to) w *= static_cast<double>(values.size()) / total;
  }

private:
  static void raw(std::span<const double> values, std::span<double> to) {
    std::fill(to.begin(), to.end(), 0.0);
    double norm = 0;
    for (double v : values) norm += v > 0 ? v * v : 0;
    if (norm > 0) {
      for (std::size_t k = 0; k < values.size(); ++k) to[k] = std::max(values[k], 0.0) / norm;
    } else {
      const auto smallest = std::max_element(values.begin(), values.end()); // all are <= 0
      const auto k = static_cast<std::size_t>(smallest - values.begin());
      to[k] = values[k] < 0 ? -1 / values[k] : 1;
    }
  }
};

} // namespace dalib::compat
