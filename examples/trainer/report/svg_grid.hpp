#pragma once
// Several plots as one picture.

#include "svg.hpp"
#include "text.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace dalib::report {

/// SVG documents of one size, `columns` in a row, as one document: small multiples of curves that have no common scale.
/// @code
/// const std::string both = svg_grid({line_plot({dan}, {.width = 440}), line_plot({dann}, {.width = 440})}, 2, {440, 420});
/// @endcode
inline std::string svg_grid(const std::vector<std::string>& plots, std::size_t columns, const point& size) {
  const std::size_t used = std::clamp<std::size_t>(plots.size(), 1, std::max<std::size_t>(columns, 1)),
                    rows = (plots.size() + used - 1) / used;
  const std::string width = fixed(size.x * static_cast<double>(used), 0), height = fixed(size.y * static_cast<double>(rows), 0);
  std::string text = joined("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 ", width, " ", height, "\" width=\"", width,
                            "\" height=\"", height, "\" role=\"img\">\n");
  for (std::size_t i = 0; i < plots.size(); ++i)
    text += joined("<g transform=\"translate(", fixed(size.x * static_cast<double>(i % used), 0), " ",
                   fixed(size.y * static_cast<double>(i / used), 0), ")\">\n", plots[i], "</g>\n");
  return text + "</svg>\n";
}

} // namespace dalib::report
