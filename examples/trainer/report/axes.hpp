#pragma once
// Axes and legends, shared by the plots.

#include "svg.hpp"
#include "ticks.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace dalib::report {

/// Text sizes of all plots in pixels.
namespace text_size {
inline constexpr double title = 17;
inline constexpr double label = 14;
inline constexpr double tick = 13;
} // namespace text_size

/// Maps values to the interval [0, 1] and knows its ticks.
struct axis {
  double low = 0;  ///< value at position 0
  double high = 1; ///< value at position 1, greater than `low`
  bool logarithmic = false;
  std::vector<tick> ticks = {};

  /// Position of a value, 0 at `low`, 1 at `high`; not a number where a logarithmic axis cannot show the value.
  double position(double value) const {
    if (!logarithmic) return (value - low) / (high - low);
    return value > 0 ? std::log(value / low) / std::log(high / low) : std::nan("");
  }
};

/// An axis over `values`, which may be empty or a single number, with about `count` ticks and `margin` of free space at both ends.
/// A logarithmic axis needs a positive lower end and is made linear where there is none.
inline axis make_axis(range values, double margin, int count, bool logarithmic = false) {
  if (logarithmic && !values.empty() && values.low > 0) {
    const double pad = values.high > values.low * (1 + 1e-9) ? std::pow(values.high / values.low, margin) : 2;
    const double low = values.low / pad;
    const double high = values.high * pad;
    return {low, high, true, log_ticks(low, high, count)};
  }
  const range wide = padded(values, margin);
  return {wide.low, wide.high, false, linear_ticks(wide.low, wide.high, count)};
}

/// The plotting area with its two axes.
struct axes {
  box area;
  axis x;
  axis y;

  /// Where the point (x, y) is on the canvas.
  point at(double x_value, double y_value) const {
    return {area.left + area.width * x.position(x_value), area.bottom() - area.height * y.position(y_value)};
  }
};

/// Width in pixels of the widest tick label.
inline double tick_label_width(const axis& a) {
  double width = 0;
  for (const tick& t : a.ticks) width = std::max(width, text_width(t.label, text_size::tick));
  return width;
}

/// Draws the bottom axis of `frame`: vertical grid lines, ticks and `label`. Labels that would touch their left neighbour are left out.
inline void draw_x_axis(svg_canvas& canvas, const axes& frame, const std::string& label) {
  double free_from = -1e9;
  for (const tick& t : frame.x.ticks) {
    const double x = frame.area.left + frame.area.width * frame.x.position(t.value);
    canvas.line({x, frame.area.top}, {x, frame.area.bottom()}, {color::grid});
    canvas.line({x, frame.area.bottom()}, {x, frame.area.bottom() + 5}, {color::axis});
    const double half = text_width(t.label, text_size::tick) / 2;
    if (x - half < free_from) continue;
    canvas.text({x, frame.area.bottom() + 20}, t.label, {text_size::tick, color::muted, anchor::middle});
    free_from = x + half + 8;
  }
  canvas.line({frame.area.left, frame.area.bottom()}, {frame.area.right(), frame.area.bottom()}, {color::axis});
  canvas.text({frame.area.left + frame.area.width / 2, frame.area.bottom() + 42}, label, {text_size::label, color::ink, anchor::middle});
}

/// Draws the left axis of `frame`: horizontal grid lines, tick labels and `label`, turned by 90 degrees, at `label_x`.
inline void draw_y_axis(svg_canvas& canvas, const axes& frame, const std::string& label, double label_x) {
  for (const tick& t : frame.y.ticks) {
    const double y = frame.area.bottom() - frame.area.height * frame.y.position(t.value);
    canvas.line({frame.area.left, y}, {frame.area.right(), y}, {color::grid});
    canvas.text({frame.area.left - 8, y + 4.5}, t.label, {text_size::tick, color::muted, anchor::end});
  }
  canvas.text({label_x, frame.area.top + frame.area.height / 2}, label, {text_size::label, color::ink, anchor::middle, false, false, -90});
}

/// One entry of a legend: `draw` paints the sample around a centre.
struct legend_entry {
  std::string label;
  std::function<void(svg_canvas&, point)> draw;
};

/// A legend that flows over as many rows as its width needs, so that it stands outside of the data.
class legend {
public:
  static constexpr double row_height = 22;

  /// Lays the entries out in rows of at most `width` pixels; each sample gets `sample_width` pixels.
  legend(std::vector<legend_entry> entries, double width, double sample_width) : entries_(std::move(entries)), sample_width_(sample_width) {
    double x = 0;
    double row = 0;
    for (const legend_entry& entry : entries_) {
      const double needed = sample_width + space + text_width(entry.label, text_size::tick);
      if (x > 0 && x + needed > width) {
        x = 0;
        row += row_height;
      }
      offsets_.push_back({x, row});
      x += needed + gap;
    }
    height_ = entries_.empty() ? 0 : row + row_height;
  }

  /// Height of all rows in pixels; 0 without entries.
  double height() const { return height_; }

  /// Draws the entries with the upper left corner at the given place.
  void draw(svg_canvas& canvas, double left, double top) const {
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      const point middle{left + offsets_[i].x, top + offsets_[i].y + row_height / 2};
      entries_[i].draw(canvas, {middle.x + sample_width_ / 2, middle.y});
      canvas.text({middle.x + sample_width_ + space, middle.y + 4.5}, entries_[i].label, {text_size::tick});
    }
  }

private:
  static constexpr double space = 7;
  static constexpr double gap = 18;
  std::vector<legend_entry> entries_;
  double sample_width_;
  std::vector<point> offsets_;
  double height_ = 0;
};

} // namespace dalib::report
