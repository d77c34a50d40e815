#pragma once
// Two-dimensional pictures of source and target features.

#include "axes.hpp"
#include "scatter_marks.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

namespace dalib::report {

namespace detail {

/// Both shapes, then the classes by colour unless the colour means the domain. Beyond 40 classes a legend explains nothing and is cut.
inline std::vector<legend_entry> scatter_legend(const std::vector<int>& classes, const scatter_plot_options& options) {
  const bool by_domain = options.color == scatter_color::by_domain;
  std::vector<legend_entry> entries;
  for (const bool is_target : {false, true}) {
    const std::string shade = by_domain ? mark_color({0, 0, -1, is_target}, options.color) : color::muted;
    entries.push_back({is_target ? "target" : "source", [=](svg_canvas& canvas, point p) { draw_mark(canvas, p, is_target, shade, 1.2); }});
  }
  constexpr std::size_t most_classes = 40;
  for (std::size_t k = 0; !by_domain && k < std::min(classes.size(), most_classes); ++k) {
    const std::string shade = mark_color({0, 0, classes[k], false}, options.color);
    entries.push_back({class_name(classes[k], options), [shade](svg_canvas& canvas, point p) {
                         canvas.rectangle({p.x - 5, p.y - 5, 10, 10}, {shade});
                       }});
  }
  return entries;
}

/// Writes the name of each class at the median of its source points (of its target points where there are none).
inline void draw_class_names(svg_canvas& canvas, const std::vector<scatter_mark>& drawn, const scatter_plot_options& options) {
  const std::vector<int> classes = classes_of({drawn});
  constexpr std::size_t most_names = 20;
  if (classes.size() > most_names) return;
  for (const int c : classes) {
    if (c < 0) continue;
    const auto in_class = [&](const scatter_mark& mark) { return mark.class_index == c; };
    const bool has_source =
        std::any_of(drawn.begin(), drawn.end(), [&](const scatter_mark& mark) { return in_class(mark) && !mark.is_target; });
    std::vector<double> xs;
    std::vector<double> ys;
    for (const scatter_mark& mark : drawn)
      if (in_class(mark) && mark.is_target != has_source) {
        xs.push_back(mark.x);
        ys.push_back(mark.y);
      }
    const auto middle = static_cast<std::ptrdiff_t>(xs.size() / 2);
    std::nth_element(xs.begin(), xs.begin() + middle, xs.end());
    std::nth_element(ys.begin(), ys.begin() + middle, ys.end());
    const point center{xs[static_cast<std::size_t>(middle)], ys[static_cast<std::size_t>(middle)]};
    canvas.text({center.x, center.y + 5}, class_name(c, options), {text_size::label, color::ink, anchor::middle, true, true});
  }
}

/// Horizontal and vertical range of a panel's marks, never without a length.
struct extent {
  range x;
  range y;
};

inline extent extent_of(const std::vector<scatter_mark>& panel) {
  extent e;
  for (const scatter_mark& mark : panel) {
    e.x.include(mark.x);
    e.y.include(mark.y);
  }
  return {padded(e.x, 0), padded(e.y, 0)};
}

/// Height of all panels for a given width: square, or less where every panel's points are wider than high.
inline double panel_height(const std::vector<std::vector<scatter_mark>>& panels, double width) {
  double ratio = 0.5;
  for (const auto& panel : panels) {
    const auto [x, y] = extent_of(panel);
    ratio = std::max(ratio, (y.high - y.low) / (x.high - x.low));
  }
  return width * std::min(ratio, 1.0);
}

/// Draws the marks into an area: same scale on both axes, because distances are what the picture is about.
inline void draw_panel(svg_canvas& canvas, const box& area, std::vector<scatter_mark> panel, const scatter_plot_options& options) {
  const auto [xs, ys] = extent_of(panel);
  const double scale = std::min((area.width - 24) / (xs.high - xs.low), (area.height - 24) / (ys.high - ys.low));
  const double size = std::clamp(area.width / 420 * std::sqrt(500.0 / static_cast<double>(panel.size() + 1)), 0.5, 1.3);
  canvas.rectangle(area, {"#fafbfc"}, {color::axis});
  for (scatter_mark& mark : panel) {
    mark.x = area.left + area.width / 2 + (mark.x - (xs.low + xs.high) / 2) * scale;
    mark.y = area.top + area.height / 2 - (mark.y - (ys.low + ys.high) / 2) * scale;
    draw_mark(canvas, {mark.x, mark.y}, mark.is_target, mark_color(mark, options.color), size);
  }
  if (options.color == scatter_color::by_class && options.class_names_in_panels) draw_class_names(canvas, panel, options);
  if (panel.empty())
    canvas.text({area.left + area.width / 2, area.top + area.height / 2}, "no points", {text_size::label, color::muted, anchor::middle});
}

} // namespace detail

/// Draws panels side by side (for example before and after adaptation), at most three in a row (of four two) unless told, and returns an
/// SVG document.
/// @code
/// const auto before = embed_by_tsne(source_before, target_before);
/// const auto after = embed_by_tsne(source_after, target_after);
/// scatter_plot({{"before", before.source, before.target, source_labels, target_labels},
///               {"after", after.source, after.target, source_labels, target_labels}}, {.title = "features"});
/// @endcode
/// The panels have no axes, since the coordinates of an embedding mean nothing by themselves, and each has a scale of its own. Points that
/// are not finite are left out. Throws std::invalid_argument where a panel has not 2 columns or labels of another length than its points.
inline std::string scatter_plot(const std::vector<scatter_panel>& panels, const scatter_plot_options& options) {
  std::vector<std::vector<detail::scatter_mark>> marks;
  for (const scatter_panel& panel : panels) {
    detail::check_panel(panel);
    marks.push_back(detail::marks(panel));
  }
  constexpr double gap = 20;
  constexpr double left = 1; // for the panels' outlines
  const std::size_t usual = panels.size() == 4 ? 2 : std::clamp<std::size_t>(panels.size(), 1, 3); // no row of one alone
  const std::size_t columns = options.columns > 0 ? options.columns : usual;
  const std::size_t rows = (panels.size() + columns - 1) / columns;
  const double side = std::min((options.width - 2 * left - gap * static_cast<double>(columns - 1)) / static_cast<double>(columns), 520.0);
  const legend names(detail::scatter_legend(detail::classes_of(marks), options), options.width - 2 * left, 10);
  const double legend_top = options.title.empty() ? 10 : 38;
  const double top = legend_top + names.height() + 8;
  const double height = detail::panel_height(marks, side);
  const double row_height = height + 26 + gap;

  svg_canvas canvas(options.width, top + row_height * static_cast<double>(rows), options.title.empty() ? "scatter plot" : options.title);
  canvas.text({left, 28}, options.title, {text_size::title, color::ink, anchor::start, true});
  names.draw(canvas, left, legend_top);
  for (std::size_t k = 0; k < panels.size(); ++k) {
    const box area{left + (side + gap) * static_cast<double>(k % columns), top + 24 + row_height * static_cast<double>(k / columns), side,
                   height};
    canvas.text({area.left, area.top - 8}, panels[k].title, {text_size::label, color::ink, anchor::start, true});
    detail::draw_panel(canvas, area, marks[k], options);
  }
  return canvas.str();
}

} // namespace dalib::report
