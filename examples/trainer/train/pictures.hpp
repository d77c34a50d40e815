#pragma once
// Curves and feature pictures of the runs.

#include "comparison.hpp"
#include "task.hpp"

#include <string>
#include <vector>

namespace dalib::train {

/// A plot: file name without extension, SVG documents for pages and for phones, and the caption in the report.
struct picture {
  std::string name, svg, narrow, caption;
};

/// Learning curves, accuracies by method, and, with `with_features`, the t-SNE of every method's first run.
std::vector<picture> draw_pictures(const run_list& runs, const task& data, bool with_features);

} // namespace dalib::train
