#pragma once
// A curve's data and what a plot needs to know of it.

#include "svg.hpp"
#include "ticks.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace dalib::report {

/// One curve. `y[i]` belongs to `x[i]`; with a non-empty `deviation` the area y - deviation .. y + deviation is shaded. Values that are not
/// finite leave a gap; where the lengths differ the longer ones are cut; one point between two gaps is drawn as a dot.
struct series {
  std::string name;                   ///< in the legend; an empty name has no entry there
  std::vector<double> x;              ///< increasing
  std::vector<double> y;              ///< one value per x
  std::vector<double> deviation = {}; ///< empty, or one value per x; not a number counts as zero
  int look = -1;                      ///< number of its colour and dashes, the same in every plot of one thing; -1: its place in the plot
};

namespace detail {

/// The indices [first, second) of points that follow each other without a gap.
using stretch = std::pair<std::size_t, std::size_t>;

/// Number of points that have both coordinates.
inline std::size_t length(const series& s) { return std::min(s.x.size(), s.y.size()); }

/// Number of the colour and dashes of curve k.
inline std::size_t look_of(const series& s, std::size_t k) { return s.look < 0 ? k : static_cast<std::size_t>(s.look); }

/// Half the height of the band at point i, 0 where there is none.
inline double deviation_at(const series& s, std::size_t i) {
  return i < s.deviation.size() && plottable(s.deviation[i]) ? std::abs(s.deviation[i]) : 0;
}

/// True if point i can be drawn on the chosen axis.
inline bool shown(const series& s, std::size_t i, bool log_y) { return plottable(s.x[i]) && plottable(s.y[i]) && !(log_y && s.y[i] <= 0); }

/// The stretches [first, last) of a curve that have no gap.
inline std::vector<stretch> stretches(const series& s, bool log_y) {
  std::vector<stretch> found;
  for (std::size_t i = 0; i < length(s);) {
    const std::size_t first = i;
    while (i < length(s) && shown(s, i, log_y)) ++i;
    if (i > first)
      found.emplace_back(first, i);
    else
      ++i;
  }
  return found;
}

/// Thins a long curve to what can be seen: of the points in one pixel column only the first, lowest, highest and last stay, in their order.
inline std::vector<point> thinned(const std::vector<point>& points) {
  std::vector<point> kept;
  for (std::size_t first = 0; first < points.size();) {
    std::size_t last = first;
    std::size_t low = first;
    std::size_t high = first;
    while (last + 1 < points.size() && std::floor(points[last + 1].x) == std::floor(points[first].x)) {
      ++last;
      if (points[last].y < points[low].y) low = last;
      if (points[last].y > points[high].y) high = last;
    }
    std::vector<std::size_t> indices{first, low, high, last};
    std::sort(indices.begin(), indices.end());
    indices.erase(std::unique(indices.begin(), indices.end()), indices.end());
    for (const std::size_t i : indices) kept.push_back(points[i]);
    first = last + 1;
  }
  return kept;
}

/// Mean over `window` neighbouring points, half of them on each side, fewer at the ends of a stretch. Gaps stay gaps. O(length).
inline series smoothed(const series& s, std::size_t window, bool log_y) {
  series mean{s.name, s.x, s.y, {}, s.look};
  const std::size_t half = window / 2;
  for (const stretch& part : stretches(s, log_y)) {
    double sum = 0;
    std::size_t low = part.first;
    std::size_t high = part.first;
    for (std::size_t i = part.first; i < part.second; ++i) {
      for (; high < part.second && high <= i + half; ++high) sum += s.y[high];
      for (; low + half < i; ++low) sum -= s.y[low];
      mean.y[i] = sum / static_cast<double>(high - low);
    }
  }
  return mean;
}

} // namespace detail

} // namespace dalib::report
