#pragma once
// Which classes are taken for which.

#include "table.hpp"
#include "text.hpp"

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace dalib::report {

namespace detail {
inline void require_square(const Eigen::MatrixXi& counts, const std::vector<std::string>& classes) {
  const auto size = static_cast<Eigen::Index>(classes.size());
  if (counts.rows() != size || counts.cols() != size)
    throw std::invalid_argument(joined("confusion: ", std::to_string(size), " classes need as many rows and columns, got (",
                                       std::to_string(counts.rows()), ", ", std::to_string(counts.cols()), ")"));
}
inline std::string share_text(int part, int whole) { return whole > 0 ? fixed(100.0 * part / whole, 1) : "-"; }
} // namespace detail

/// A matrix of counts, true classes as rows and predicted ones as columns, as HTML: the more of a row is in a cell, the darker the cell.
/// A row begins with its number of samples and the share of them that is right. Throws std::invalid_argument for other sizes.
inline std::string confusion_matrix(const Eigen::MatrixXi& counts, const std::vector<std::string>& classes) {
  detail::require_square(counts, classes);
  std::string text = "<table class=\"confusion\">\n<thead><tr><th>true class</th><th>samples</th><th>right, %</th>";
  for (const std::string& name : classes) text += joined("<th>", escape(name), "</th>");
  text += "</tr></thead>\n<tbody>\n";
  for (Eigen::Index c = 0; c < counts.rows(); ++c) {
    const int samples = counts.row(c).sum();
    text += joined("<tr><td>", escape(classes[static_cast<std::size_t>(c)]), "</td><td>", std::to_string(samples), "</td><td>",
                   detail::share_text(counts(c, c), samples), "</td>");
    for (Eigen::Index k = 0; k < counts.cols(); ++k) {
      const double share = samples > 0 ? static_cast<double>(counts(c, k)) / samples : 0;
      const char* const shade = c == k ? "0,114,178" : "213,94,0"; // the palette's blue and vermilion
      text += joined("<td style=\"background:rgba(", shade, ",", fixed(0.55 * std::sqrt(share), 2), ")\">",
                     counts(c, k) > 0 ? std::to_string(counts(c, k)) : "\u00B7", "</td>");
    }
    text += "</tr>\n";
  }
  return text + "</tbody>\n</table>\n";
}

/// Accuracy by class, for where a matrix would be too large: the worst classes first, and what each is taken for most often.
inline table worst_classes(const Eigen::MatrixXi& counts, const std::vector<std::string>& classes, std::size_t most) {
  detail::require_square(counts, classes);
  std::vector<std::pair<double, Eigen::Index>> order;
  for (Eigen::Index c = 0; c < counts.rows(); ++c)
    if (const int samples = counts.row(c).sum(); samples > 0) order.emplace_back(static_cast<double>(counts(c, c)) / samples, c);
  std::stable_sort(order.begin(), order.end());
  table out({"class", "samples", "right, %", "most often taken for"});
  for (const auto& entry : order) {
    if (most-- == 0) break;
    const Eigen::Index c = entry.second;
    Eigen::RowVectorXi others = counts.row(c);
    others(c) = 0;
    Eigen::Index taken = 0;
    const int times = others.size() > 0 ? others.maxCoeff(&taken) : 0;
    const int samples = counts.row(c).sum();
    out.add({{classes[static_cast<std::size_t>(c)]},
             {std::to_string(samples)},
             {detail::share_text(counts(c, c), samples)},
             {times > 0 ? joined(classes[static_cast<std::size_t>(taken)], " (", std::to_string(times), ")") : "-"}});
  }
  return out;
}

} // namespace dalib::report
