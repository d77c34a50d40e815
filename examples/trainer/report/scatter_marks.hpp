#pragma once
// The points of a scatter plot.

#include "../../io/random.hpp"
#include "axes.hpp"

#include <Eigen/Core>

#include <algorithm>
#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace dalib::report {

/// One panel: positions of source and target points, shapes (n_s, 2) and (n_t, 2). Labels are class indices, one per row; empty labels (or
/// a negative one) mean that the class is unknown, and such points are gray.
struct scatter_panel {
  std::string title;
  Eigen::MatrixXd source;
  Eigen::MatrixXd target;
  std::vector<int> source_labels = {};
  std::vector<int> target_labels = {};
};

/// What the colour of a point means. The shape always tells the domain: circles are source, triangles are target.
enum class scatter_color { by_class, by_domain };

/// Looks of a scatter plot.
struct scatter_plot_options {
  std::string title = {};                        ///< bold line at the top; no room is kept for an empty one
  std::vector<std::string> class_names = {};     ///< names for the legend; classes without one are called by their number
  scatter_color color = scatter_color::by_class; ///< by_domain where the question is how well the domains mix
  bool class_names_in_panels = true;             ///< writes the names of up to 20 classes at their source points
  double width = 900;                            ///< of the whole picture, pixels
  std::size_t columns = 0;                       ///< panels in a row; 0: by their number
};

namespace detail {

/// A point ready to be drawn. `class_index` is -1 where the class is unknown.
struct scatter_mark {
  double x;
  double y;
  int class_index;
  bool is_target;
};

/// Throws std::invalid_argument unless points have 2 columns and labels are absent or one per point.
inline void check_panel(const scatter_panel& panel) {
  const auto check = [](const Eigen::MatrixXd& points, const std::vector<int>& labels, const char* domain) {
    const std::string rows = std::to_string(points.rows());
    if (points.size() > 0 && points.cols() != 2)
      throw std::invalid_argument(
          joined("scatter_plot: the ", domain, " points must have 2 columns, got (", rows, ", ", std::to_string(points.cols()), ")"));
    if (!labels.empty() && labels.size() != static_cast<std::size_t>(points.rows()))
      throw std::invalid_argument(joined("scatter_plot: ", rows, " ", domain, " points but ", std::to_string(labels.size()), " labels"));
  };
  check(panel.source, panel.source_labels, "source");
  check(panel.target, panel.target_labels, "target");
}

/// The plottable points of a panel in a random but fixed order, so that no class and no domain covers the others.
inline std::vector<scatter_mark> marks(const scatter_panel& panel) {
  std::vector<scatter_mark> all;
  const auto append = [&](const Eigen::MatrixXd& points, const std::vector<int>& labels, bool is_target) {
    if (points.size() == 0) return;
    for (Eigen::Index i = 0; i < points.rows(); ++i)
      if (plottable(points(i, 0)) && plottable(points(i, 1)))
        all.push_back({points(i, 0), points(i, 1), labels.empty() ? -1 : std::max(labels[static_cast<std::size_t>(i)], -1), is_target});
  };
  append(panel.source, panel.source_labels, false);
  append(panel.target, panel.target_labels, true);
  io::random_generator(0).shuffle(std::span(all));
  return all;
}

/// `size` 1 is the size in the legend.
inline void draw_mark(svg_canvas& canvas, point p, bool is_target, const std::string& color, double size = 1) {
  if (is_target) {
    const double half = 4.2 * size;
    canvas.polygon({{p.x, p.y - 1.1 * half}, {p.x + half, p.y + 0.7 * half}, {p.x - half, p.y + 0.7 * half}}, {color, 0.85},
                   {color::ink, 0.5});
  } else {
    canvas.circle(p, 3.4 * size, {color, 0.6});
  }
}

/// CSS colour of a mark; gray where the class is unknown.
inline std::string mark_color(const scatter_mark& mark, scatter_color meaning) {
  if (meaning == scatter_color::by_domain) return mark.is_target ? "#d55e00" : "#0072b2";
  return mark.class_index < 0 ? color::axis : class_color(static_cast<std::size_t>(mark.class_index));
}

/// What the legend and the panels call class c.
inline std::string class_name(int c, const scatter_plot_options& options) {
  if (c < 0) return "unknown class";
  const auto index = static_cast<std::size_t>(c);
  return index < options.class_names.size() ? options.class_names[index] : std::to_string(c);
}

/// The classes of some marks, sorted, each once.
inline std::vector<int> classes_of(const std::vector<std::vector<scatter_mark>>& panels) {
  std::vector<int> classes;
  for (const auto& panel : panels)
    for (const scatter_mark& mark : panel) classes.push_back(mark.class_index);
  std::sort(classes.begin(), classes.end());
  classes.erase(std::unique(classes.begin(), classes.end()), classes.end());
  return classes;
}

} // namespace detail

} // namespace dalib::report
