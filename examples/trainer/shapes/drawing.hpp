#pragma once
// Six shapes in two styles.

#include "../image/rgb_image.hpp"
#include "../../io/random.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <string_view>

namespace dalib::shapes {

inline constexpr std::array<std::string_view, 6> class_names{"circle", "cross", "ring", "square", "star", "triangle"};

/// How a domain looks: dark ink on a white table, or any colours on a cluttered ground under uneven light.
enum class style { studio, field };

namespace detail {

struct point {
  double x, y;
};
inline double length(point p) { return std::hypot(p.x, p.y); }

/// Distance from a regular polygon's edge, or from a star's whose inner corners lie at `inner` of the radius; negative inside. Approximate,
/// as drawing needs it.
inline double polygon(point p, int corners, double inner) {
  const double sector = std::numbers::pi / corners;
  double angle = std::atan2(p.x, -p.y);
  angle = std::abs(std::remainder(angle, 2 * sector));
  const double radius = length(p);
  const point q{radius * std::sin(angle), radius * std::cos(angle)};          // in the sector between a corner and the next inner corner
  const point a{0, 1}, b{inner * std::sin(sector), inner * std::cos(sector)}; // corner and inner corner
  const point edge{b.x - a.x, b.y - a.y};
  return ((q.x - a.x) * -edge.y + (q.y - a.y) * edge.x) / length(edge);
}

/// Signed distance from a shape of radius 1, negative inside.
inline double distance(int shape, point p) {
  switch (shape) {
  case 0:
    return length(p) - 0.85;
  case 1: {
    const double long_arm = 0.95, short_arm = 0.28, x = std::abs(p.x), y = std::abs(p.y);
    return std::min(std::max(x - long_arm, y - short_arm), std::max(x - short_arm, y - long_arm));
  }
  case 2:
    return std::abs(length(p) - 0.7) - 0.2;
  case 3:
    return std::max(std::abs(p.x), std::abs(p.y)) - 0.75;
  case 4:
    return polygon(p, 5, 0.42);
  default:
    return polygon(p, 3, 0.5);
  }
}

using colour = std::array<double, 3>;
inline colour mixed(const colour& a, const colour& b, double t) {
  return {a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1]), a[2] + t * (b[2] - a[2])};
}
inline colour random_colour(io::random_generator& random, double low, double high) {
  return {random.uniform(low, high), random.uniform(low, high), random.uniform(low, high)};
}

/// What lies behind the shape and in front of nothing: a gradient of light and some blots.
struct ground {
  colour first, second;
  point direction;
  std::array<std::array<double, 4>, 5> blots{}; // x, y, radius, brightness

  ground(style how, io::random_generator& random) {
    const bool studio = how == style::studio;
    first = studio ? random_colour(random, 0.92, 1) : random_colour(random, 0.35, 0.9);
    second = studio ? first : random_colour(random, 0.35, 0.9);
    const double angle = random.uniform(0, 2 * std::numbers::pi);
    direction = {std::cos(angle), std::sin(angle)};
    for (auto& blot : blots)
      blot = {random.uniform(-1, 1), random.uniform(-1, 1), random.uniform(0.1, 0.35), studio ? 0 : random.uniform(-0.18, 0.18)};
  }
  colour at(point p) const {
    colour c = mixed(first, second, std::clamp(0.5 + 0.5 * (p.x * direction.x + p.y * direction.y), 0.0, 1.0));
    for (const auto& [x, y, radius, brightness] : blots)
      if (std::hypot(p.x - x, p.y - y) < radius)
        for (double& value : c) value += brightness;
    return c;
  }
};

} // namespace detail

/// A shape at a random place, size and angle, in a domain's style. Equal generators give equal pictures.
inline image::rgb_image draw(int shape, style how, int side, io::random_generator& random) {
  using namespace detail;
  const bool studio = how == style::studio;
  const ground behind(how, random);
  const colour ink = studio ? random_colour(random, 0, 0.25) : random_colour(random, 0, 0.45);
  const double size = random.uniform(0.5, 0.8), angle = random.uniform(-0.35, 0.35);
  const point centre{random.uniform(-0.2, 0.2), random.uniform(-0.2, 0.2)};
  const double noise = studio ? 0.01 : 0.08, pixel = 2.0 / side;
  image::rgb_image picture(side, side);
  for (int y = 0; y < side; ++y)
    for (int x = 0; x < side; ++x) {
      const point p{(x + 0.5) * pixel - 1, (y + 0.5) * pixel - 1};
      const point moved{(p.x - centre.x) / size, (p.y - centre.y) / size};
      const point turned{moved.x * std::cos(angle) - moved.y * std::sin(angle), moved.x * std::sin(angle) + moved.y * std::cos(angle)};
      const double inside = std::clamp(0.5 - distance(shape, turned) * size / pixel, 0.0, 1.0);
      const colour c = mixed(behind.at(p), ink, inside);
      for (std::size_t k = 0; k < 3; ++k)
        picture.row(y)[3 * x + static_cast<int>(k)] =
            static_cast<std::uint8_t>(std::lround(255 * std::clamp(c[k] + noise * random.normal(), 0.0, 1.0)));
    }
  return picture;
}

} // namespace dalib::shapes
