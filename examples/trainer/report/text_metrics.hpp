#pragma once
// Room that text needs in a picture.

#include "text.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace dalib::report {

namespace detail {

/// Advance widths of the characters 32 to 126 of DejaVu Sans, in hundredths of the font size.
inline constexpr std::array<unsigned char, 95> advance_widths{
    32, 40, 46, 84, 64, 95, 78, 27, 39, 39, 50, 84, 32, 36, 32, 34, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 34, 34, 84, 84, 84, 53,
    99, 68, 69, 70, 77, 63, 58, 77, 75, 29, 29, 66, 56, 86, 75, 79, 60, 79, 69, 63, 61, 73, 68, 99, 69, 61, 69, 39, 34, 39, 84, 50,
    50, 61, 63, 55, 63, 62, 35, 63, 63, 28, 28, 58, 28, 97, 63, 61, 63, 63, 41, 52, 39, 63, 59, 82, 59, 59, 52, 64, 34, 64, 84};

} // namespace detail

/// Width in pixels that one line of text may need. The viewer's font is unknown, so the widths are those of DejaVu Sans, the widest of the
/// common sans-serif fonts; characters outside of ASCII count as wide ones.
inline double text_width(std::string_view text, double size, bool bold = false) {
  double hundredths = 0;
  for (std::size_t position = 0; position < text.size();) {
    const auto symbol = static_cast<unsigned char>(text[position]);
    hundredths += symbol >= 32 && symbol < 127 ? detail::advance_widths[symbol - 32u] : 84;
    position += std::max<std::size_t>(utf8_length(text, position), 1);
  }
  return hundredths / 100 * size * (bold ? 1.13 : 1.0);
}

} // namespace dalib::report
