/// @file
/// Laws of bandwidth rules, accumulators and reductions.
#pragma once

#include "differences.hpp"
#include "place.hpp"
#include "report.hpp"

#include <cmath>
#include <vector>

namespace conformance {

/// A data-driven rule: positive and finite, also on identical rows; unmoved by a shift; times c^2 when the data are times c; integer
/// weights as repeated rows.
/// @param place  where the rule's numbers are found; see place.hpp
template <class Rule, class Place = tested_place>
report check_bandwidth(const Rule& rule, Place place = {}) {
  report found;
  const matrix<double> zs = normal_rows<double>(9, 3, 1), zt = normal_rows<double>(6, 3, 2, 2, 0.5);
  const double scale = place.squared_scale(rule, zs, zt);
  found.require(std::isfinite(scale) && scale > 0, "positive and finite");
  const matrix<double> shifted_s = zs.array() + 256, shifted_t = zt.array() + 256;
  found.require_small(place.squared_scale(rule, shifted_s, shifted_t) / scale - 1, 1e-12, "unmoved by a shift");
  const matrix<double> times_s = zs * 4, times_t = zt * 4;
  found.require_small(place.squared_scale(rule, times_s, times_t) / scale - 16, 1e-11, "grows with the square of the data");
  const matrix<double> flat = matrix<double>::Constant(3, 2, 0.1);
  const double degenerate = place.squared_scale(rule, flat, flat);
  found.require(std::isfinite(degenerate) && degenerate > 0, "positive and finite on identical rows");
  const std::vector<double> ws = {1, 2, 0, 3, 1, 1, 2, 1, 1}, wt = {2, 1, 1, 4, 0, 1};
  const matrix<double> many_s = repeated_rows(zs, ws), many_t = repeated_rows(zt, wt);
  found.require_small(
      place.squared_scale(rule, dalib::weighted(zs, ws), dalib::weighted(zt, wt)) / place.squared_scale(rule, many_s, many_t) - 1, 1e-12,
      "integer weights = repeated rows");
  return found;
}

/// Sums exact small numbers exactly; an empty state is 0; merging states is adding their terms.
template <class Accumulator>
report check_accumulator() {
  report found;
  typename Accumulator::state left{}, right{}, all{};
  found.require(Accumulator::result(left) == 0, "an empty sum is 0");
  for (int i = 1; i <= 100; ++i) {
    Accumulator::add(i <= 40 ? left : right, i * 0.25);
    Accumulator::add(all, i * 0.25);
  }
  Accumulator::merge(left, right);
  found.require(Accumulator::result(all) == 5050 * 0.25, "a sum of exact numbers is exact");
  found.require(Accumulator::result(left) == Accumulator::result(all), "merging states is adding their terms");
  return found;
}

} // namespace conformance
