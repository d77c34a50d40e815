#pragma once
// A canvas that writes Scalable Vector Graphics.

#include "palette.hpp"
#include "text_metrics.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

namespace dalib::report {

/// A position on the canvas in pixels, y downwards.
struct point {
  double x;
  double y;
};

/// A rectangle on the canvas in pixels.
struct box {
  double left;
  double top;
  double width;
  double height;
  double right() const { return left + width; }
  double bottom() const { return top + height; }
};

/// How an outline is drawn. `dash` is an SVG dash pattern, empty for a solid line.
struct pen {
  std::string color = color::ink; ///< a CSS colour; "none" draws nothing
  double width = 1;               ///< pixels
  std::string dash = {};
  double opacity = 1; ///< 0 is invisible, 1 covers what is below
};

/// How a surface is filled: a CSS colour, or "none" to leave it open.
struct fill {
  std::string color = color::ink;
  double opacity = 1;
};

/// Which part of a text stands at its position.
enum class anchor { start, middle, end };

/// How text is set. `rotation` is in degrees around the text's own position.
struct font {
  double size = 13;
  std::string color = color::ink;
  anchor align = anchor::start;
  bool bold = false;
  bool halo = false; ///< a white outline, for text over data
  double rotation = 0;
};

/// Collects shapes and returns them as one SVG document. All text is escaped. Shapes with a coordinate that is not finite are left out, so
/// the document is always well formed. No element has an id: several documents can stand in one HTML page.
class svg_canvas {
public:
  /// A white canvas in pixels; `description` is what a screen reader says.
  svg_canvas(double width, double height, std::string_view description) {
    append("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 ", number(width), " ", number(height), "\"", attribute("width", width),
           attribute("height", height), " role=\"img\" aria-label=\"", escape(description),
           "\" font-family=\"Helvetica, Arial, 'DejaVu Sans', sans-serif\">\n");
    rectangle({0, 0, width, height}, {color::paper});
  }

  /// A straight line.
  void line(point from, point to, const pen& stroke) {
    if (!finite(from) || !finite(to)) return;
    append("<line", attribute("x1", from.x), attribute("y1", from.y), attribute("x2", to.x), attribute("y2", to.y), outline(stroke),
           "/>\n");
  }

  /// Joins the points by straight lines; fewer than two points draw nothing.
  void polyline(const std::vector<point>& points, const pen& stroke) {
    if (points.size() < 2 || !std::all_of(points.begin(), points.end(), finite)) return;
    // Round ends would fill the gaps of a dashed line.
    const char* ends = stroke.dash.empty() ? "round" : "butt";
    append("<polyline fill=\"none\" stroke-linejoin=\"round\" stroke-linecap=\"", ends, "\"", outline(stroke), coordinates(points), "/>\n");
  }

  /// A closed surface with an optional outline.
  void polygon(const std::vector<point>& points, const fill& surface, const pen& stroke = no_outline()) {
    if (points.size() < 3 || !std::all_of(points.begin(), points.end(), finite)) return;
    append("<polygon", inside(surface), outline(stroke), coordinates(points), "/>\n");
  }

  /// A rectangle. A non-empty `tooltip` is shown by browsers when the pointer rests on it.
  void rectangle(const box& area, const fill& surface, const pen& stroke = no_outline(), std::string_view tooltip = {}) {
    if (!finite({area.left, area.top}) || !finite({area.width, area.height}) || area.width < 0 || area.height < 0) return;
    append("<rect", attribute("x", area.left), attribute("y", area.top), attribute("width", area.width), attribute("height", area.height),
           inside(surface), outline(stroke));
    if (tooltip.empty())
      append("/>\n");
    else
      append("><title>", escape(tooltip), "</title></rect>\n");
  }

  /// A circle of a radius in pixels.
  void circle(point center, double radius, const fill& surface, const pen& stroke = no_outline()) {
    if (!finite(center)) return;
    append("<circle", attribute("cx", center.x), attribute("cy", center.y), attribute("r", radius), inside(surface), outline(stroke),
           "/>\n");
  }

  /// One line of text whose baseline is at `position`.
  void text(point position, std::string_view content, const font& style) {
    if (!finite(position) || content.empty()) return;
    append("<text", attribute("x", position.x), attribute("y", position.y), attribute("font-size", style.size), " fill=\"", style.color,
           "\"");
    if (style.align != anchor::start) append(style.align == anchor::middle ? " text-anchor=\"middle\"" : " text-anchor=\"end\"");
    if (style.bold) append(" font-weight=\"bold\"");
    if (style.halo) append(" stroke=\"", color::paper, "\" stroke-width=\"4\" stroke-linejoin=\"round\" paint-order=\"stroke\"");
    if (style.rotation != 0)
      append(" transform=\"rotate(", number(style.rotation), " ", number(position.x), " ", number(position.y), ")\"");
    append(">", escape(content), "</text>\n");
  }

  /// Until `end_clip`, nothing is drawn outside of `area`. Coordinates stay those of the canvas.
  void begin_clip(const box& area) {
    // A nested document clips by itself, without the ids that a clipPath needs.
    append("<svg", attribute("x", area.left), attribute("y", area.top), attribute("width", area.width), attribute("height", area.height),
           " viewBox=\"", number(area.left), " ", number(area.top), " ", number(area.width), " ", number(area.height), "\">\n");
  }
  void end_clip() { append("</svg>\n"); }

  /// The whole document.
  std::string str() const { return joined(body_, "</svg>\n"); }

private:
  template <class... Parts>
  void append(const Parts&... parts) {
    (body_.append(std::string_view(parts)), ...);
  }
  static pen no_outline() { return {"none", 0}; }
  static bool finite(point p) { return std::isfinite(p.x) && std::isfinite(p.y); }

  /// At most two decimals; values far outside of any canvas are cut off because viewers compute in single precision.
  static std::string number(double value) {
    std::string text = fixed(std::clamp(value, -1e6, 1e6), 2);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    return text;
  }
  static std::string attribute(std::string_view name, double value) { return joined(" ", name, "=\"", number(value), "\""); }
  static std::string inside(const fill& surface) {
    return joined(" fill=\"", surface.color, "\"", surface.opacity < 1 ? attribute("fill-opacity", surface.opacity) : "");
  }
  static std::string outline(const pen& stroke) {
    if (stroke.color == "none") return {};
    return joined(" stroke=\"", stroke.color, "\"", attribute("stroke-width", stroke.width),
                  stroke.dash.empty() ? "" : joined(" stroke-dasharray=\"", stroke.dash, "\""),
                  stroke.opacity < 1 ? attribute("stroke-opacity", stroke.opacity) : "");
  }
  static std::string coordinates(const std::vector<point>& points) {
    std::string text = " points=\"";
    for (const point& p : points) text.append(number(p.x)).append(",").append(number(p.y)).append(" ");
    text.back() = '"';
    return text;
  }

  std::string body_;
};

} // namespace dalib::report
