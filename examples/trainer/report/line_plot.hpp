#pragma once
// Learning curves.

#include "axes.hpp"
#include "series.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace dalib::report {

/// Looks of a line plot.
struct line_plot_options {
  std::string title = {};               ///< bold line at the top; no room is kept for an empty one
  std::string x_label = {};             ///< what the x axis measures, with its unit
  std::string y_label = {};             ///< what the y axis measures, with its unit
  double width = 900;                   ///< of the whole picture, pixels
  double height = 420;                  ///< of the whole picture, pixels
  std::size_t smoothing = 1;            ///< above 1: the mean over so many neighbouring points, with the curve itself pale behind it
  bool log_y = false;                   ///< logarithmic y axis; values that are not positive leave a gap
  std::optional<range> y_limits = {};   ///< fixed y axis, for example {0, 100}; the curves are clipped to it
  std::optional<double> reference = {}; ///< a horizontal dashed line at this value, for example a baseline's accuracy
  std::string reference_label = {};     ///< its entry in the legend
};

namespace detail {

/// Shades y - deviation .. y + deviation along one stretch.
inline void draw_band(svg_canvas& canvas, const axes& frame, const series& s, const stretch& part, const std::string& color) {
  if (s.deviation.empty()) return;
  // A logarithmic axis has no place for a lower edge at or below zero: it ends at the axis.
  const double floor = frame.y.logarithmic ? frame.y.low : -1e100;
  std::vector<point> upper;
  std::vector<point> lower;
  for (std::size_t i = part.first; i < part.second; ++i) {
    upper.push_back(frame.at(s.x[i], s.y[i] + deviation_at(s, i)));
    lower.push_back(frame.at(s.x[i], std::max(s.y[i] - deviation_at(s, i), floor)));
  }
  std::vector<point> edge = thinned(upper);
  const std::vector<point> back = thinned(lower);
  edge.insert(edge.end(), back.rbegin(), back.rend());
  canvas.polygon(edge, {color, 0.16});
}

/// Draws one stretch: a line, or a dot where it is a single point.
inline void draw_curve(svg_canvas& canvas, const axes& frame, const series& s, const stretch& part, const pen& stroke) {
  std::vector<point> points;
  for (std::size_t i = part.first; i < part.second; ++i) points.push_back(frame.at(s.x[i], s.y[i]));
  if (points.size() == 1)
    canvas.circle(points.front(), 3.5, {stroke.color});
  else
    canvas.polyline(thinned(points), stroke);
}

} // namespace detail

/// Draws curves over a common x axis and returns an SVG document.
/// @code
/// const series dan{"DAN", {0, 100, 200}, {10.2, 61.0, 78.9}, {0.4, 2.1, 1.3}};
/// const std::string svg = line_plot({dan}, {.x_label = "iteration", .y_label = "target accuracy, %"});
/// @endcode
/// The colours are safe for colour-blind readers; from the eighth curve on
/// they repeat with dashes. Never fails on data: empty, constant, single-point and non-finite series give a plot with what can be shown.
/// Time and size are linear in the number of points; the document has at most four points per curve and pixel column.
inline std::string line_plot(const std::vector<series>& curves, const line_plot_options& options) {
  range x_values;
  range y_values;
  std::vector<legend_entry> entries;
  for (std::size_t k = 0; k < curves.size(); ++k) {
    const series& s = curves[k];
    for (const auto& part : detail::stretches(s, options.log_y))
      for (std::size_t i = part.first; i < part.second; ++i) {
        const double low = s.y[i] - detail::deviation_at(s, i);
        x_values.include(s.x[i]);
        y_values.include(s.y[i] + detail::deviation_at(s, i));
        y_values.include(options.log_y && low <= 0 ? s.y[i] : low);
      }
    const pen stroke{line_color(detail::look_of(s, k)), 2.2, line_dash(detail::look_of(s, k))};
    if (!s.name.empty())
      entries.push_back({s.name, [stroke](svg_canvas& canvas, point p) { canvas.line({p.x - 13, p.y}, {p.x + 13, p.y}, stroke); }});
  }
  const pen reference_pen{color::muted, 1.5, "5 4"};
  if (options.reference) {
    y_values.include(*options.reference);
    if (!options.reference_label.empty())
      entries.push_back({options.reference_label, [reference_pen](svg_canvas& canvas, point p) {
                           canvas.line({p.x - 13, p.y}, {p.x + 13, p.y}, reference_pen);
                         }});
  }

  const bool is_smoothed = options.smoothing > 1;
  const int y_ticks = std::clamp(static_cast<int>(options.height / 65), 2, 8);
  axes frame;
  frame.y = options.y_limits && options.y_limits->low < options.y_limits->high && !options.log_y
                ? make_axis(*options.y_limits, 0, y_ticks)
                : make_axis(y_values, 0.05, y_ticks, options.log_y);
  frame.x = make_axis(x_values, 0, std::clamp(static_cast<int>(options.width / 100), 2, 10));
  constexpr double usual_tick_label = 44; // plots below each other begin at one place
  const double left = 20 + std::max(tick_label_width(frame.y), usual_tick_label) + (options.y_label.empty() ? 0 : 22);
  const double right = 30; // room for half of the last tick label
  // Titles and legends of all plots begin at the same edge.
  const legend names(std::move(entries), options.width, 26);
  const double top = 14 + (options.title.empty() ? 0 : 28) + names.height() + (names.height() > 0 ? 8 : 0);
  frame.area = {left, top, options.width - left - right, std::max(options.height - top - 56, 40.0)};

  svg_canvas canvas(options.width, frame.area.bottom() + 56, options.title.empty() ? "line plot" : options.title);
  canvas.text({0, 28}, options.title, {text_size::title, color::ink, anchor::start, true});
  names.draw(canvas, 0, options.title.empty() ? 10 : 38);
  draw_y_axis(canvas, frame, options.y_label, 20);
  draw_x_axis(canvas, frame, options.x_label);
  canvas.begin_clip({frame.area.left, frame.area.top - 2, frame.area.width + 4, frame.area.height + 4});
  if (options.reference) canvas.line(frame.at(frame.x.low, *options.reference), frame.at(frame.x.high, *options.reference), reference_pen);
  for (std::size_t k = 0; k < curves.size(); ++k)
    for (const auto& part : detail::stretches(curves[k], options.log_y))
      detail::draw_band(canvas, frame, curves[k], part, line_color(detail::look_of(curves[k], k)));
  for (std::size_t k = 0; k < curves.size(); ++k)
    for (const auto& part : detail::stretches(curves[k], options.log_y))
      detail::draw_curve(canvas, frame, curves[k], part,
                         is_smoothed ? pen{line_color(detail::look_of(curves[k], k)), 1, "", 0.25}
                                     : pen{line_color(detail::look_of(curves[k], k)), 2.2, line_dash(detail::look_of(curves[k], k))});
  for (std::size_t k = 0; is_smoothed && k < curves.size(); ++k) {
    const series mean = detail::smoothed(curves[k], options.smoothing, options.log_y);
    for (const auto& part : detail::stretches(mean, options.log_y))
      detail::draw_curve(canvas, frame, mean, part, {line_color(detail::look_of(mean, k)), 2.2, line_dash(detail::look_of(mean, k))});
  }
  canvas.end_clip();
  if (x_values.empty())
    canvas.text({frame.area.left + frame.area.width / 2, frame.area.top + frame.area.height / 2}, "no data",
                {text_size::label, color::muted, anchor::middle, false, true});
  return canvas.str();
}

} // namespace dalib::report
