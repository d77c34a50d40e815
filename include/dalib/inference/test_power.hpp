/// @file
/// Criteria of a test's power as differentiable measures: what kernels, and networks in front of them, are trained by.
#pragma once

#include "dalib/core/gradients.hpp"
#include "dalib/inference/row_sums.hpp"
#include "dalib/kernel/gaussian.hpp"
#include "dalib/measure/call.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace dalib::inference {

/// The variance of U_h as one number of n rows (Liu et al. 2020, eq. 5):
///
///     mmd = sum_{i != j} h_ij / (n (n - 1)),   variance = 4 / n^3 sum_i (sum_j h_ij)^2 - 4 / n^4 (sum_ij h_ij)^2,   J = mmd /
///     sqrt(variance + lambda)
///
/// h_ij = k(x_i, x_j) + k(y_i, y_j) - k(x_i, y_j) - k(x_j, y_i). Never negative; the choice for training.
struct liu_variance {
  static constexpr index_t least_rows = 2;
  static constexpr bool needs_squares = false;

  static detail::power_slopes slopes(const detail::kernel_row_sums& k, double lambda) {
    const auto rows = k.paired.size();
    const auto n = static_cast<double>(rows);
    std::vector<double> h(rows);
    double total = 0, own = 0, squares = 0;
    for (std::size_t i = 0; i < rows; ++i) {
      const std::size_t y = rows + i;
      h[i] = (k.within[i] + k.own[i] - k.across[i]) + (k.within[y] + k.own[y] - k.across[y]);
      total += h[i];
      squares += h[i] * h[i];
      own += k.own[i] + k.own[y] - 2 * k.paired[i];
    }
    detail::power_slopes r;
    r.mmd = (total - own) / (n * (n - 1));
    r.variance = std::max(0.0, 4 / (n * n * n) * squares - 4 / (n * n * n * n) * total * total);
    const double scale = 1 / std::sqrt(r.variance + lambda);
    r.value = r.mmd * scale;
    const double of_mmd = scale / (n * (n - 1)), of_variance = -r.value / (2 * (r.variance + lambda));
    for (int sample = 0; sample < 2; ++sample)
      for (std::size_t i = 0; i < rows; ++i) {
        r.within_rows.push_back(of_variance * 4 / (n * n * n) * h[i]);
        r.across_rows.push_back(-r.within_rows.back());
      }
    r.within_source = r.within_target = of_mmd - of_variance * 8 / (n * n * n * n) * total;
    r.across = -r.within_source;
    r.same_index = -of_mmd; // sum_{i != j} has no pair of equal places
    return r;
  }
};

/// The unbiased estimate of the variance of MMD_U, the mmd of this criterion (Sutherland et al. 2017, eq. 5), J = mmd / sqrt(max(variance,
/// lambda)). It can be negative near the hypothesis: then J = mmd / sqrt(lambda) and no gradient flows through the variance. For reporting;
/// do not train on it there.
struct sutherland_variance {
  static constexpr index_t least_rows = 3;
  static constexpr bool needs_squares = true;

  static detail::power_slopes slopes(const detail::kernel_row_sums& k, double lambda) {
    const auto rows = k.paired.size();
    const auto n = static_cast<double>(rows), m = n - 1, n3 = n * n * n;
    const double *a = k.within.data(), *b = a + rows, *c = k.across.data(), *d = c + rows;
    const auto dot = [&](const double* x, const double* y) { return std::inner_product(x, x + rows, y, 0.0); };
    const double p1 = 2 / (n * n * m * m), p2 = (4 * n - 6) / (n3 * m * m * m), p3 = 4 * (n - 2) / (n3 * m * m),
                 p4 = 4 * (n - 3) / (n3 * m * m), p5 = (8 * n - 12) / (n3 * n * n * m), p6 = 8 / (n3 * m);
    const double A = k.within_source, B = k.within_target, C = k.across_all;
    detail::power_slopes r;
    r.mmd = (A + B) / (n * m) - 2 * C / (n * n);
    r.variance = p1 * (2 * dot(a, a) - k.squares_source + 2 * dot(b, b) - k.squares_target) - p2 * (A * A + B * B) +
                 p3 * (dot(c, c) + dot(d, d)) - p4 * k.squares_across - p5 * C * C + p6 * ((A + B) * C / n - dot(a, c) - dot(b, d));
    const double scale = 1 / std::sqrt(std::max(r.variance, lambda));
    r.value = r.mmd * scale;
    r.distinct = true;
    r.within_source = r.within_target = scale / (n * m);
    r.across = -scale / (n * n);
    if (!(r.variance > lambda)) return r;
    const double v = -r.value / (2 * r.variance); // dJ / d variance
    r.within_source += v * (p6 * C / n - 2 * p2 * A);
    r.within_target += v * (p6 * C / n - 2 * p2 * B);
    r.across += v * (p6 * (A + B) / (2 * n) - p5 * C); // half: each pair across stands twice in the sum
    for (std::size_t i = 0; i < 2 * rows; ++i) {
      r.within_rows.push_back(v * (2 * p1 * a[i] - p6 / 2 * c[i]));
      r.across_rows.push_back(v * (p3 * c[i] - p6 / 2 * a[i]));
    }
    r.squares_within = -v * p1;
    r.squares_across = -v * p4 / 2;
    return r;
  }
};

/// What a criterion is made of.
struct power_parts {
  double mmd = 0, variance = 0, value = 0;
};

/// Estimated power of an MMD test as a measure of two samples of n rows each: J = mmd / sqrt(variance), which a test at a large n rejects
/// with a probability that grows with sqrt(n) J. A larger value is better: train with scale -1. `Variance` says by which formula:
/// liu_variance or sutherland_variance.
///
/// All forms of a measure; gradients to both samples in O(n^2 F) time and O(n F) memory, and `log_length_gradient` to the logarithm of the
/// kernel's length, for any kernel of distances. Rows of x and y are paired by place. Bandwidth rules are resolved on both samples and
/// detached. @throws std::invalid_argument as mmd does, and unless n_s = n_t.
///
/// @code{.cpp}
/// const Eigen::MatrixXd x = Eigen::MatrixXd::Random(40, 3), y = Eigen::MatrixXd::Random(40, 3).array() + 0.4;
/// const inference::test_power power{kernel::gaussian{0.8}, inference::liu_variance{}};
/// const auto [value, gx, gy] = value_and_gradient(power, x, y);
/// const inference::power_parts parts = power.parts(x, y);
/// assert(std::abs(parts.mmd / std::sqrt(parts.variance + power.lambda) - value) < 1e-12 && gx.norm() > 0);
/// const double wider = power.log_length_gradient(x, y); // > 0: a wider kernel would see more
/// assert(std::isfinite(wider) && inference::test_power(kernel::gaussian{0.8}, inference::sutherland_variance{})(x, y) > 0);
/// @endcode
template <class Kernel = kernel::gaussian<bandwidth::median>, class Variance = liu_variance>
struct test_power : call_forms<test_power<Kernel, Variance>> {
  static constexpr const char* name = "test_power";
  static constexpr std::size_t arity = 2;

  Kernel kernel{};
  double lambda = 1e-8; ///< added to the variance, or its least value

  test_power() = default;
  explicit test_power(Kernel k, Variance = {}, double least = 1e-8) : kernel(k), lambda(least) {}

  /// The operation that every form of call comes down to.
  template <class Call, class ZS, class ZT>
  auto evaluate(const Call& call, const ZS& zs, const ZT& zt) const {
    using types = two_sample_types<ZS, ZT>;
    using T = typename types::value_type;
    require_execution<typename Call::execution_type, typename types::memory>();
    const auto out = call.template output<0>(no_gradients<T, typename types::memory>());
    require_gradient_types<types>(out);
    const auto source = sample_of(zs), target = sample_of(zt);
    require_gradients(name, require(source, target), target, out);
    const workspace_scope scope(call.scratch);
    const auto profile = detail::bind_on(call.execution, kernel, source, target, call.scratch);
    const detail::power_slopes slopes = slopes_of(call.execution, profile, source, target, call.scratch);
    if constexpr (Call::wants_gradient) {
      detail::pair_gradient<T> to{out.source, out.target, static_cast<double>(out.scale), out.mode};
      sum<true>(call.execution, profile, slopes, source, target, to, call.scratch);
    }
    return static_cast<T>(slopes.value);
  }

  /// The estimate, its variance and the criterion.
  template <sample_like ZS, sample_like ZT, class Exec = exec::default_policy>
  power_parts parts(const ZS& zs, const ZT& zt, const Exec& exec = {}) const {
    return with_slopes(exec, zs, zt, [](const auto& slopes, const auto&...) {
      return power_parts{slopes.mmd, slopes.variance, slopes.value};
    });
  }
  /// dJ / d log length, all lengths of the kernel in one proportion. For kernels of distances.
  template <sample_like ZS, sample_like ZT, class Exec = exec::default_policy>
  double log_length_gradient(const ZS& zs, const ZT& zt, const Exec& exec = {}) const {
    return with_slopes(exec, zs, zt, [&](const auto& slopes, const auto& profile, const auto& source, const auto& target, auto& scratch) {
      using profile_type = std::remove_cvref_t<decltype(profile)>;
      using T = sample_value<ZS>;
      const index_t n = source.rows.rows;
      double total = detail::pair_sum<false>(name, exec, detail::log_length_derivative<profile_type>{profile}, source, target,
                                             slopes.template coefficients<T>(n), detail::pair_gradient<T>{}, scratch);
      if (slopes.squares_within != 0) {
        using squared = detail::squared_kernel<profile_type>;
        total += detail::pair_sum<false>(name, exec, detail::log_length_derivative<squared>{{profile}}, source, target,
                                         slopes.template square_coefficients<T>(n), detail::pair_gradient<T>{}, scratch);
      }
      return total;
    });
  }

private:
  template <class S>
  static const S& require(const S& source, const S& target) {
    require_two_samples(name, source.rows, target.rows);
    detail::require_paired(name, source, target, Variance::least_rows);
    if (source.weights != nullptr || target.weights != nullptr) fail(name, "takes no sample weights");
    return source;
  }
  template <class Exec, class T, class Profile>
  detail::power_slopes slopes_of(const Exec& exec, const Profile& profile, const sample<T>& source, const sample<T>& target,
                                 workspace& scratch) const {
    const workspace_mark mark(scratch);
    return detail::with_kernel<false>(
        name, exec, detail::bound_already<Profile>{profile}, source, target, scratch,
        [&](const auto& values) { return Variance::slopes(detail::row_sums_of<Variance::needs_squares>(exec, values, scratch), lambda); });
  }
  template <bool Gradient, class Exec, class T, class Profile>
  static void sum(const Exec& exec, const Profile& profile, const detail::power_slopes& slopes, const sample<T>& source,
                  const sample<T>& target, detail::pair_gradient<T> to, workspace& scratch) {
    const index_t n = source.rows.rows;
    detail::pair_sum<Gradient>(name, exec, profile, source, target, slopes.template coefficients<T>(n), to, scratch);
    if (slopes.squares_within == 0) return;
    to.mode = write_mode::accumulate;
    detail::pair_sum<Gradient>(name, exec, detail::squared_kernel<Profile>{profile}, source, target,
                               slopes.template square_coefficients<T>(n), to, scratch);
  }
  template <class Exec, class ZS, class ZT, class Use>
  auto with_slopes(const Exec& exec, const ZS& zs, const ZT& zt, const Use& use) const {
    const auto source = sample_of(zs), target = sample_of(zt);
    require(source, target);
    workspace scratch;
    const auto profile = detail::bind_on(exec, kernel, source, target, scratch);
    return use(slopes_of(exec, profile, source, target, scratch), profile, source, target, scratch);
  }
};

} // namespace dalib::inference
