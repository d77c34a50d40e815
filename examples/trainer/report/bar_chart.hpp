#pragma once
// Accuracies of several methods on several tasks.

#include "axes.hpp"
#include "results.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

namespace dalib::report {

/// Looks of a bar chart.
struct bar_chart_options {
  std::string title = {};                     ///< bold line at the top; no room is kept for an empty one
  std::string x_label = "target accuracy, %"; ///< below the lowest panels
  std::string baseline = {}; ///< name of the method that the others are compared with: gray, with a dashed line through its mean
  double width = 900;        ///< of the whole picture, pixels; the height follows from the number of bars
};

namespace detail {

/// Distance of neighbouring bars in pixels.
inline constexpr double bar_pitch = 30;

/// One bar with its runs as dots and, for two runs or more, its standard deviation as a whisker.
inline void draw_bar(svg_canvas& canvas, const axes& frame, double middle, const result& r, const std::string& color) {
  const summary s = summarize(r.accuracies);
  const auto x = [&](double value) { return frame.at(std::clamp(value, frame.x.low, frame.x.high), 0).x; };
  canvas.rectangle(
      {frame.area.left, middle - 9, x(s.mean) - frame.area.left, 18}, {color}, {"none", 0},
      joined(r.method, ", ", r.task, ": ", summary_text(s), s.count == 1 ? " (1 run)" : joined(" (", std::to_string(s.count), " runs)")));
  if (s.count > 1) {
    canvas.line({x(s.mean - s.deviation), middle}, {x(s.mean + s.deviation), middle}, {color::ink, 1.6});
  }
  for (const double run : r.accuracies)
    if (s.count > 1 && plottable(run)) canvas.circle({x(run), middle}, 2.4, {color::paper}, {color::ink, 1});
}

} // namespace detail

/// Draws one panel of horizontal bars per task, two panels in a row, and returns an SVG document.
/// @code
/// result_set results;
/// results.add("source only", "mnist -> optdigits", 73.7);
/// results.add("MDD", "mnist -> optdigits", 92.7);
/// const std::string svg = bar_chart(results, {.baseline = "source only"});
/// @endcode
/// The length of a bar is the mean over the
/// runs, the whisker its standard deviation, the dots the runs; the best method of each task is emphasised. Axes go from 0 to 100.
inline std::string bar_chart(const result_set& results, const bar_chart_options& options) {
  const auto& methods = results.methods();
  const auto& tasks = results.tasks();
  double name_width = 40;
  for (const std::string& method : methods) name_width = std::max(name_width, text_width(method, text_size::tick));
  const double value_width = text_width("100.0 \u00B1 00.0", text_size::tick) + 6;
  const std::size_t columns = std::min<std::size_t>(std::max<std::size_t>(tasks.size(), 1), 2);
  const std::size_t rows = (tasks.size() + columns - 1) / columns;
  const double left = name_width + 10;
  const double pitch = (options.width - left - 10) / static_cast<double>(columns);
  const double bars_height = detail::bar_pitch * static_cast<double>(methods.size()) + 8;
  const double top = options.title.empty() ? 12 : 44;
  const double row_height = 26 + bars_height + 38;

  svg_canvas canvas(options.width, top + row_height * static_cast<double>(rows) + 22, options.title.empty() ? "bar chart" : options.title);
  canvas.text({0, 28}, options.title, {text_size::title, color::ink, anchor::start, true});
  for (std::size_t t = 0; t < tasks.size(); ++t) {
    const double panel_left = left + pitch * static_cast<double>(t % columns);
    const double panel_top = top + row_height * static_cast<double>(t / columns);
    axes frame;
    frame.area = {panel_left, panel_top + 26, pitch - value_width - 24, bars_height};
    frame.x = {0, 100, false, linear_ticks(0, 100, 5)};
    canvas.text({panel_left, panel_top + 15}, tasks[t], {text_size::label, color::ink, anchor::start, true});
    const bool lowest = t + columns >= tasks.size();
    draw_x_axis(canvas, frame, lowest ? options.x_label : "");
    canvas.line({panel_left, frame.area.top}, {panel_left, frame.area.bottom()}, {color::axis});
    const std::size_t best = results.best(tasks[t]);
    for (std::size_t m = 0; m < methods.size(); ++m) {
      const double middle = frame.area.top + 4 + detail::bar_pitch * (static_cast<double>(m) + 0.5);
      const summary s = results.of(methods[m], tasks[t]);
      const bool is_baseline = methods[m] == options.baseline;
      const char* shade = m == best ? color::emphasis : is_baseline ? color::baseline : color::secondary;
      if (t % columns == 0) canvas.text({left - 10, middle + 4.5}, methods[m], {text_size::tick, color::ink, anchor::end});
      if (s.count > 0) detail::draw_bar(canvas, frame, middle, {methods[m], tasks[t], results.accuracies(methods[m], tasks[t])}, shade);
      canvas.text({frame.area.right() + value_width, middle + 4.5}, s.count > 0 ? summary_text(s) : "not run",
                  {text_size::tick, s.count > 0 ? color::ink : color::muted, anchor::end, m == best});
    }
    const summary base = results.of(options.baseline, tasks[t]);
    if (base.count > 0) {
      const double x = frame.at(std::clamp(base.mean, 0.0, 100.0), 0).x;
      canvas.line({x, frame.area.top}, {x, frame.area.bottom()}, {color::muted, 1.3, "5 4"});
    }
  }
  return canvas.str();
}

} // namespace dalib::report
