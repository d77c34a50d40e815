/// @file
/// DALIB's estimators of the squared MMD, where they differ from its documentation and from the papers.
#pragma once

#include "dalib/estimator/estimators.hpp"

#include <string>

namespace dalib::compat {

namespace detail {
inline void require_equal_sizes(const sample_sizes& n, const char* name) {
  if (n.has_weights) fail(n, std::string(name) + " takes no sample weights");
  if (n.source != n.target || n.source < 2) fail(n, std::string(name) + " needs n_s = n_t >= 2");
}
} // namespace detail

/// DALIB's non-linear MK-MMD and JMMD: sum_{i != j} (k_ss + k_tt) / (n (n-1)) - 2 sum_{ij} k_st / n^2 + 2 / (n-1). Needs n_s = n_t >= 2.
struct nonlinear {
  pair_coefficients coefficients(const sample_sizes& n) const {
    detail::require_equal_sizes(n, "compat::nonlinear");
    const double size = static_cast<double>(n.source);
    return {1 / (size * (size - 1)), 1 / (size * (size - 1)), -1 / (size * size), true, 2 / (size - 1)};
  }
};

/// DALIB's linear form: the ring of overlapping pairs (i, i+1 mod n), plus 2 / (n-1); O(n F) here. At n = 2 its cross terms have half
/// weight, since DALIB overwrites matrix entries there, unless `accumulate` is set. Needs n_s = n_t >= 2.
///
/// @code{.cpp}
/// const Eigen::MatrixXd zs = Eigen::MatrixXd::Random(16, 4), zt = Eigen::MatrixXd::Random(16, 4);
/// const double whole = mmd(kernel::gaussian{}, compat::nonlinear{})(zs, zt);
/// assert(std::abs(whole - mmd(kernel::gaussian{}, estimator::unbiased{})(zs, zt) - 2.0 / 15) < 1e-14); // DALIB's constant
/// assert(std::isfinite(mmd(kernel::gaussian{}, compat::ring{})(zs, zt)));
/// @endcode
struct ring {
  bool accumulate = false;

  quadruple_plan plan(const sample_sizes& n) const {
    detail::require_equal_sizes(n, "compat::ring");
    const double size = static_cast<double>(n.source);
    return {n.source, true, 1 / size, (n.source == 2 && !accumulate ? 0.5 : 1) / size, 2 / (size - 1)};
  }
};

} // namespace dalib::compat
