/// @file
/// Kernel selection: weights for the kernels of a sum, from data.
#pragma once

#include "dalib/execution/openmp.hpp"
#include "dalib/kernel_selection/kernel_statistics.hpp"
#include "dalib/kernel_selection/least_variance.hpp"
#include "dalib/measure/multi_kernel.hpp"

#include <algorithm>
#include <cmath>
#include <concepts>
#include <numeric>
#include <string>

namespace dalib {

namespace selection {

/// All weight on the kernel with the largest squared MMD (Sriperumbudur et al. 2009). Ignores how uncertain the estimate is.
///
/// @code{.cpp}
/// const selection::kernel_statistics found{{0.1, 0.3}, {1e-4, 0, 0, 1}};
/// const kernel_weights w = selection::maximum_mmd{}.weights(found);
/// assert(w.normalised[0] == 0 && w.normalised[1] == 1);
/// @endcode
struct maximum_mmd {
  kernel_weights weights(const kernel_statistics& statistics) const {
    kernel_weights result{std::vector<double>(statistics.values.size(), 0.0), {}};
    const auto largest = std::max_element(statistics.values.begin(), statistics.values.end());
    result.raw[static_cast<std::size_t>(largest - statistics.values.begin())] = 1;
    result.normalised = result.raw;
    return result;
  }
};

/// The weights of the most powerful two-sample test (Gretton et al. 2012b, eq. 11): with eta the kernels' squared MMDs and Q their
/// covariance,
///
///     min beta^T (Q + ridge I) beta   subject to   eta . beta = 1, beta >= 0
///
/// raw holds that beta, normalised the same scaled to sum 1. If no eta is positive the program has no solution; then all weight is on the
/// kernel with the largest eta_k / sqrt(Q_kk + ridge), as in the paper's section 4.
/// Take other samples for the selection than for the test or loss that uses the weights.
///
/// @code{.cpp}
/// const selection::kernel_statistics found{{0.1, 0.3}, {1e-4, 0, 0, 1}}; // the second is larger, but very uncertain
/// const kernel_weights w = selection::maximum_power{}.weights(found);
/// assert(w.normalised[0] > 0.99 && std::abs(w.normalised[0] + w.normalised[1] - 1) < 1e-15);
/// static_assert(selection_rule<selection::maximum_power> && selection_rule<selection::maximum_mmd>);
/// @endcode
struct maximum_power {
  double ridge = 1e-4; ///< of the paper; kernels are at most 1

  /// @throws std::invalid_argument unless the ridge is positive and finite, or if the statistics are not finite.
  kernel_weights weights(const kernel_statistics& statistics) const {
    if (!(ridge > 0) || !is_finite(ridge)) fail("selection::maximum_power", "ridge must be positive and finite");
    require_finite_statistics(statistics);
    std::vector<double> matrix = statistics.covariance;
    const auto size = statistics.values.size();
    for (std::size_t k = 0; k < size; ++k) matrix[k * size + k] += ridge;
    if (*std::max_element(statistics.values.begin(), statistics.values.end()) <= 0) return best_ratio(statistics, matrix);
    kernel_weights result{least_variance(matrix, statistics.values).solve().beta, {}};
    const double total = std::accumulate(result.raw.begin(), result.raw.end(), 0.0);
    result.normalised = result.raw;
    for (double& w : result.normalised) w /= total;
    return result;
  }

private:
  static void require_finite_statistics(const kernel_statistics& statistics) {
    const auto finite = [](double x) { return is_finite(x); };
    if (statistics.values.empty() || !std::all_of(statistics.values.begin(), statistics.values.end(), finite) ||
        !std::all_of(statistics.covariance.begin(), statistics.covariance.end(), finite))
      fail("selection::maximum_power", "needs finite statistics of at least one kernel");
  }
  static kernel_weights best_ratio(const kernel_statistics& statistics, const std::vector<double>& matrix) {
    const std::size_t size = statistics.values.size();
    const auto ratio = [&](std::size_t k) { return statistics.values[k] / std::sqrt(matrix[k * size + k]); };
    std::size_t best = 0;
    for (std::size_t k = 1; k < size; ++k)
      if (ratio(k) > ratio(best)) best = k;
    kernel_weights result{std::vector<double>(size, 0.0), {}};
    result.raw[best] = 1;
    result.normalised = result.raw;
    return result;
  }
};

} // namespace selection

/// A rule that turns the statistics of each kernel of a sum into weights for them.
template <class R>
concept selection_rule = requires(const R& rule, const selection::kernel_statistics& statistics) {
  { rule.weights(statistics) } -> std::same_as<kernel_weights>;
};

/// Weights for the kernels of the loss's sum, to be put into the same sum:
///
///     auto loss = mmd{kernel::gaussian_ladder{}, estimator::linear_time{}};
///     auto w = select_kernel_weights(loss, zs_validation, zt_validation, selection::maximum_power{});
///     auto selected = mmd{kernel::weighted_terms{loss.kernel, w.normalised}, estimator::linear_time{}};
///
/// Cost and errors as for kernel_statistics_of.
template <class Exec, class Kernel, class Estimator, class Accumulator, sample_like ZS, sample_like ZT, selection_rule Rule>
kernel_weights select_kernel_weights(const Exec& exec, const mmd<Kernel, Estimator, Accumulator>& loss, const ZS& zs, const ZT& zt,
                                     const Rule& rule) {
  return rule.weights(kernel_statistics_of(exec, loss, zs, zt));
}
template <class Kernel, class Estimator, class Accumulator, sample_like ZS, sample_like ZT, selection_rule Rule>
kernel_weights select_kernel_weights(const mmd<Kernel, Estimator, Accumulator>& loss, const ZS& zs, const ZT& zt, const Rule& rule) {
  return select_kernel_weights(exec::default_policy{}, loss, zs, zt, rule);
}

} // namespace dalib
