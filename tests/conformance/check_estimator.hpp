/// @file
/// Laws of every estimator: `conformance::check_estimator(my_estimator{}, options)`.
#pragma once

#include "differences.hpp"
#include "place.hpp"
#include "report.hpp"

#include <cmath>
#include <type_traits>
#include <vector>

namespace conformance {

/// What an estimator promises, and on which sizes it is tried.
struct estimator_options {
  bool unbiased = false;      ///< its mean is 0 when both laws are equal
  bool zero_on_equal = false; ///< exactly 0 for X against X
  bool takes_weights = false; ///< and then an integer weight is a repeated row
  dalib::index_t source_rows = 12;
  dalib::index_t target_rows = 9;
  dalib::index_t features = 3;
  int draws = 600; ///< of the z test
  std::uint64_t seed = 1;
};

/// Standard scores of the mean of `measure` over `draws` pairs of samples of one law: near N(0, 1) if the estimator is unbiased.
template <class Measure>
double null_score(const Measure& measure, const estimator_options& options) {
  double sum = 0, square = 0;
  for (int draw = 0; draw < options.draws; ++draw) {
    const std::uint64_t seed = options.seed * 100003 + static_cast<std::uint64_t>(2 * draw);
    const matrix<double> zs = normal_rows<double>(options.source_rows, options.features, seed);
    const matrix<double> zt = normal_rows<double>(options.target_rows, options.features, seed + 1);
    const double value = measure(dalib::exec::serial{}, zs, zt);
    sum += value;
    square += value * value;
  }
  const double n = options.draws, mean = sum / n;
  return mean / std::sqrt((square / n - mean * mean) / n);
}

namespace detail {

template <class Measure>
void check_weights(report& found, const Measure& measure, const matrix<double>& zs, const matrix<double>& zt) {
  std::vector<double> ws(static_cast<std::size_t>(zs.rows())), wt(static_cast<std::size_t>(zt.rows()));
  for (std::size_t i = 0; i < ws.size(); ++i) ws[i] = static_cast<double>((i * 7 + 1) % 4);
  for (std::size_t i = 0; i < wt.size(); ++i) wt[i] = static_cast<double>((i * 5 + 2) % 3);
  const matrix<double> many_s = repeated_rows(zs, ws), many_t = repeated_rows(zt, wt);
  const auto weighted = dalib::value_and_gradient(measure, dalib::weighted(zs, ws), dalib::weighted(zt, wt));
  const auto repeated = dalib::value_and_gradient(measure, many_s, many_t);
  found.require_small(weighted.value - repeated.value, 1e-13 * (1 + std::abs(repeated.value)), "integer weights = repeated rows: value");
  const auto sum_of_copies = [](const matrix<double>& gradient, const std::vector<double>& weights) {
    matrix<double> sums = matrix<double>::Zero(static_cast<dalib::index_t>(weights.size()), gradient.cols());
    dalib::index_t from = 0;
    for (std::size_t i = 0; i < weights.size(); ++i)
      for (int copy = 0; copy < static_cast<int>(weights[i]); ++copy) sums.row(static_cast<dalib::index_t>(i)) += gradient.row(from++);
    return sums;
  };
  found.require_small(relative_difference(weighted.source, sum_of_copies(repeated.source, ws)), 1e-12,
                      "integer weights = repeated rows: gradient of the source");
  found.require_small(relative_difference(weighted.target, sum_of_copies(repeated.target, wt)), 1e-12,
                      "integer weights = repeated rows: gradient of the target");

  const std::vector<double> ones_s(ws.size(), 1.0), ones_t(wt.size(), 1.0);
  found.require_small(measure(dalib::weighted(zs, ones_s), dalib::weighted(zt, ones_t)) - measure(zs, zt), 1e-14,
                      "weights of 1 = no weights");
}

} // namespace detail

/// Gradient against differences and not zero; mean 0 under the null where promised, by a z test; 0 for X against X where promised; integer
/// weights as repeated rows where promised, with the mean bandwidth.
/// @param place  where the measures run; see place.hpp
template <class Estimator, class Place = tested_place>
report check_estimator(const Estimator& estimator, const estimator_options& options, Place place = {}) {
  report found;
  const auto measure = place.measure(dalib::mmd{dalib::kernel::gaussian{}, estimator});
  const matrix<double> zs = normal_rows<double>(options.source_rows, options.features, options.seed);
  const matrix<double> zt = normal_rows<double>(options.target_rows, options.features, options.seed + 1, 1.3, 0.8);
  const auto result = dalib::value_and_gradient(measure, zs, zt);
  const auto expected = central_differences(dalib::mmd{frozen(dalib::kernel::gaussian{}, zs, zt), estimator}, zs, zt);
  found.require_small(relative_difference(result.source, expected.source), 1e-7, "gradient of the source against differences");
  found.require_small(relative_difference(result.target, expected.target), 1e-7, "gradient of the target against differences");
  found.require(result.source.norm() > 1e-6 && result.target.norm() > 1e-6, "the gradient is not identically zero");
  found.require_small(result.value - measure(zs, zt), 1e-15, "the value alone is the value");

  if (options.zero_on_equal) {
    const auto same = dalib::value_and_gradient(measure, zs, zs);
    found.require_small(same.value, 1e-14, "0 for X against X");
    found.require_small(same.source.norm() + same.target.norm(), 1e-13, "gradient 0 for X against X");
  }
  if (options.unbiased) {
    const auto fixed = place.measure(dalib::mmd{dalib::kernel::gaussian{dalib::bandwidth::fixed{1.5}}, estimator});
    found.require_small(null_score(fixed, options), 3.5, "mean 0 under the null, in standard errors");
  }
  if (options.takes_weights) detail::check_weights(found, measure, zs, zt);
  return found;
}

} // namespace conformance
