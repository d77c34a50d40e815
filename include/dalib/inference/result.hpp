/// @file
/// What a test is asked, what it answers, and the one decision rule of all tests that count.
#pragma once

#include "dalib/core/check.hpp"
#include "dalib/core/matrix_view.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace dalib::inference {

/// Draws that the caller gives in place of random ones: one row for each draw. None by default.
///
/// @code{.cpp}
/// const std::vector<std::int64_t> identity = {0, 1, 2, 3};
/// const inference::given_draws one{.permutations = {identity.data(), 1, 4}};
/// const inference::test_options options{.alpha = 0.1, .keep_null = true, .given = one};
/// const Eigen::MatrixXd zs = Eigen::MatrixXd::Random(2, 3), zt = Eigen::MatrixXd::Random(2, 3);
/// const inference::test_result r = inference::permutation_test{kernel::gaussian{1.0}}(zs, zt, options);
/// assert(r.null_sample[0] == r.statistic && r.p_value == 1 && !r.warning.empty()); // a tie counts; one draw cannot give p = 0.1
/// @endcode
struct given_draws {
  matrix_view<const std::int64_t> permutations{}; ///< B x N: the permuted source is rows 0 .. n_s - 1 of a permutation of the joint sample
  matrix_view<const double> weights{};            ///< B x n: signs, other multipliers, or normal numbers
  matrix_view<const double> target_weights{};     ///< B x n_t, where the samples have multipliers of their own
};

/// What every test is asked.
struct test_options {
  double alpha = 0.05;    ///< level: the probability of rejecting a true hypothesis is at most this
  index_t draws = 999;    ///< number of permutations, sign vectors or null samples; the smallest p is 1 / (1 + draws)
  std::uint64_t seed = 0; ///< of the draws; the same seed gives the same draws on every machine
  bool keep_null = false; ///< whether the result has the null sample
  given_draws given{};    ///< draws of your own: then `draws` and `seed` are not looked at
  given_draws second{};   ///< of the aggregated test: the draws that its level is estimated from
};

/// What every test answers.
///
/// @code{.cpp}
/// const inference::test_result r = inference::decide(2.0, {0.5, 3.0, 2.0, 1.0}, {.alpha = 0.25});
/// assert(r.p_value == 3.0 / 5 && !r.reject && r.threshold == 2); // two of four are as large, and the observed value is one of the five
/// @endcode
struct test_result {
  double statistic = 0;
  double p_value = 1;
  double threshold = 0; ///< the test rejects if the statistic is above
  bool reject = false;
  std::vector<double> null_sample{}; ///< of the draws, in their order, if `keep_null`
  std::string warning{};             ///< what stands in the way of a meaningful answer; empty: nothing
};

/// Place (from 1) of the (1 - level) quantile among `count` sorted values: max(1, ceil(count (1 - level))), where the last bit of
/// count (1 - level) must not decide.
inline index_t quantile_place(index_t count, double level) {
  const auto above = static_cast<index_t>(std::floor(static_cast<double>(count) * level + 1e-9));
  return std::clamp<index_t>(count - above, 1, count);
}

/// @throws std::invalid_argument unless 0 < alpha < 1.
inline void require_alpha(const char* test, double alpha) {
  if (!(alpha > 0 && alpha < 1)) fail(test, "alpha must be in (0, 1) (got " + std::to_string(alpha) + ")");
}

namespace detail {
inline constexpr const char* not_finite = "a statistic is not finite: the kernel does not suit the scale of the data, nothing can be said";

inline bool all_finite(double statistic, const std::vector<double>& null_sample) {
  return is_finite(statistic) && std::all_of(null_sample.begin(), null_sample.end(), [](double t) { return is_finite(t); });
}
} // namespace detail

/// The rule of every test that counts, with the observed value T as one of the B + 1:
///
///     p = (1 + #{b : T_b >= T}) / (1 + B),   threshold = the ceil((B + 1)(1 - alpha))-th smallest of {T_1 .. T_B, T},   reject = T >
///     threshold
///
/// p is never 0, ties count, and reject is the same as p <= alpha (Schrab et al. 2023, algorithm 1). Where a kernel overflowed and a value
/// is not finite nothing can be said: p = 1 and a warning. O(B).
inline test_result decide(double statistic, std::vector<double> null_sample, const test_options& options) {
  const auto count = static_cast<index_t>(null_sample.size());
  test_result result;
  result.statistic = statistic;
  if (!detail::all_finite(statistic, null_sample)) {
    result.threshold = std::numeric_limits<double>::infinity();
    result.warning = detail::not_finite;
    if (options.keep_null) result.null_sample = std::move(null_sample);
    return result;
  }
  const auto as_large = std::count_if(null_sample.begin(), null_sample.end(), [&](double t) { return t >= statistic; });
  result.p_value = static_cast<double>(1 + as_large) / static_cast<double>(1 + count);
  std::vector<double> all(null_sample);
  all.push_back(statistic);
  const auto place = all.begin() + (quantile_place(count + 1, options.alpha) - 1);
  std::nth_element(all.begin(), place, all.end());
  result.threshold = *place;
  result.reject = statistic > result.threshold;
  if (static_cast<double>(count + 1) * options.alpha < 1 - 1e-9)
    result.warning = "with " + std::to_string(count) + " draws no p value can be as small as alpha = " + std::to_string(options.alpha) +
                     ": the test cannot reject";
  if (options.keep_null) result.null_sample = std::move(null_sample);
  return result;
}

} // namespace dalib::inference
