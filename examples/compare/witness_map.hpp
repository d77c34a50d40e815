#pragma once
// A witness function over a plane, as a picture.

#include "../trainer/report/axes.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

namespace dalib::compare {

/// Values of a witness on a grid over a plane, and the rows of both samples there.
struct witness_map {
  using position = std::array<double, 2>;

  std::size_t columns = 0, rows = 0;
  report::range x{}, y{};       ///< the plane, from edge to edge
  std::vector<double> values{}; ///< of the cells' centres, row by row from the bottom
  std::vector<position> first{}, second{};

  std::size_t cells() const { return columns * rows; }
  /// The centre of a cell.
  position centre(std::size_t cell) const {
    const std::size_t column = cell % columns, row = cell / columns;
    return {x.low + (x.high - x.low) * (static_cast<double>(column) + 0.5) / static_cast<double>(columns),
            y.low + (y.high - y.low) * (static_cast<double>(row) + 0.5) / static_cast<double>(rows)};
  }
  /// A grid of `across` columns over all rows of both samples, with a margin, cells about square.
  static witness_map around(std::vector<position> first, std::vector<position> second, std::size_t across = 72) {
    witness_map map;
    map.first = std::move(first);
    map.second = std::move(second);
    for (const auto* sample : {&map.first, &map.second})
      for (const position& p : *sample) {
        map.x.include(p[0]);
        map.y.include(p[1]);
      }
    map.x = report::padded(map.x, 0.08);
    map.y = report::padded(map.y, 0.08);
    map.columns = across;
    const double ratio = (map.y.high - map.y.low) / (map.x.high - map.x.low);
    map.rows = static_cast<std::size_t>(std::clamp(ratio * static_cast<double>(across), 12.0, static_cast<double>(across)));
    return map;
  }
};

/// What stands around the picture.
struct witness_labels {
  std::string title, first, second; ///< the samples' names
  std::string x_label, y_label;
};

/// The first sample's blue or the second's orange, mixed with white: 0 is white. Without transparency cells may overlap, so that no seams
/// show.
inline std::string shade(bool first, double strength) {
  constexpr int colors[2][3] = {{0xd5, 0x5e, 0x00}, {0x00, 0x72, 0xb2}};
  std::string text = "#";
  for (const int full : colors[first ? 1 : 0]) {
    const int channel = 255 - static_cast<int>(std::lround(strength * (255 - full)));
    constexpr const char* digits = "0123456789abcdef";
    text += {digits[channel >> 4], digits[channel & 15]};
  }
  return text;
}

/// Where the first sample has more rows the plane is blue, where the second has, orange; white where both have as many or none. Rows of the
/// first are dots, rows of the second rings.
inline std::string witness_plot(const witness_map& map, const witness_labels& labels) {
  using namespace report;
  constexpr double width = 900, left = 84;
  const double ratio = static_cast<double>(map.rows) / static_cast<double>(map.columns);
  const axes frame{{left, 76, width - left - 24, std::max(200.0, (width - left - 24) * ratio)},
                   {map.x.low, map.x.high, false, linear_ticks(map.x.low, map.x.high, 8)},
                   {map.y.low, map.y.high, false, linear_ticks(map.y.low, map.y.high, 6)}};
  svg_canvas canvas(width, frame.area.bottom() + 60, labels.title);
  canvas.text({left, 28}, labels.title, {text_size::title, color::ink, anchor::start, true});
  const auto dot = [&](svg_canvas& to, point p, bool second) {
    if (second)
      to.circle(p, 2.4, {"none"}, {"#7f3500", 1.1});
    else
      to.circle(p, 2.2, {"#003f63", 0.75});
  };
  const legend names({{labels.first, [&](svg_canvas& to, point p) { dot(to, p, false); }},
                      {labels.second, [&](svg_canvas& to, point p) { dot(to, p, true); }},
                      {"more of " + labels.first,
                       [&](svg_canvas& to, point p) {
                         to.rectangle({p.x - 6, p.y - 6, 12, 12}, {shade(true, 0.7)});
                       }},
                      {"more of " + labels.second,
                       [&](svg_canvas& to, point p) {
                         to.rectangle({p.x - 6, p.y - 6, 12, 12}, {shade(false, 0.7)});
                       }}},
                     width - left, 14);
  names.draw(canvas, left, 42);
  double most = 0;
  for (const double value : map.values) most = std::max(most, std::abs(value));
  const double w = frame.area.width / static_cast<double>(map.columns), h = frame.area.height / static_cast<double>(map.rows);
  for (std::size_t cell = 0; cell < map.cells(); ++cell) {
    const double value = map.values[cell], strength = most > 0 ? std::abs(value) / most : 0;
    if (strength < 0.02) continue;
    const auto [cx, cy] = map.centre(cell);
    const point middle = frame.at(cx, cy);
    canvas.rectangle({middle.x - w / 2, middle.y - h / 2, w + 0.3, h + 0.3}, {shade(value > 0, 0.75 * strength)});
  }
  draw_x_axis(canvas, frame, labels.x_label);
  draw_y_axis(canvas, frame, labels.y_label, 24);
  for (const auto* sample : {&map.first, &map.second})
    for (const witness_map::position& p : *sample) dot(canvas, frame.at(p[0], p[1]), sample == &map.second);
  return canvas.str();
}

} // namespace dalib::compare
