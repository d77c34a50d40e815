#pragma once
// Images as files hold them: 8 bits for each of red, green and blue.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace dalib::image {

/// Pixels in rows from the top, each pixel red, green, blue.
struct rgb_image {
  std::ptrdiff_t width = 0;
  std::ptrdiff_t height = 0;
  std::vector<std::uint8_t> pixels; ///< height * width * 3 values

  rgb_image() = default;
  rgb_image(std::ptrdiff_t w, std::ptrdiff_t h) : width(w), height(h), pixels(static_cast<std::size_t>(3 * w * h)) {}

  std::uint8_t* row(std::ptrdiff_t y) { return pixels.data() + 3 * width * y; }
  const std::uint8_t* row(std::ptrdiff_t y) const { return pixels.data() + 3 * width * y; }
};

/// A rectangle inside an image.
struct rectangle {
  std::ptrdiff_t left = 0;
  std::ptrdiff_t top = 0;
  std::ptrdiff_t width = 0;
  std::ptrdiff_t height = 0;

  friend bool operator==(const rectangle&, const rectangle&) = default;
};

/// Most pixels that a decoder accepts unless told otherwise; a file of a few bytes may announce billions.
inline constexpr std::size_t default_pixel_limit = 100'000'000;

} // namespace dalib::image
