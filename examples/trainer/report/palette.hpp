#pragma once
// Colours of the report's plots, chosen to stay apart for readers with the common colour vision deficiencies.

#include <array>
#include <cstddef>
#include <string>

namespace dalib::report {

namespace color {
inline constexpr const char* ink = "#1f2933";       ///< titles and labels
inline constexpr const char* muted = "#52606d";     ///< tick labels and notes
inline constexpr const char* axis = "#9aa5b1";      ///< axis lines
inline constexpr const char* grid = "#e4e7eb";      ///< grid lines
inline constexpr const char* paper = "#ffffff";     ///< background
inline constexpr const char* emphasis = "#0072b2";  ///< what the eye should find first
inline constexpr const char* secondary = "#8fbcdb"; ///< the rest of a chart with one emphasised element
inline constexpr const char* baseline = "#b8c0c8";  ///< what the others are compared with
} // namespace color

/// Colour of the i-th curve: the palette of Okabe and Ito (2008) without its yellow, which is too light for a line on white.
inline std::string line_color(std::size_t i) {
  constexpr std::array<const char*, 7> colors{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#4d4d4d"};
  return colors[i % colors.size()];
}

/// Dash pattern of the i-th curve (empty: solid). It changes each time the colours start again, so that 28 curves differ.
inline std::string line_dash(std::size_t i) {
  constexpr std::array<const char*, 4> dashes{"", "7 4", "2 3", "9 3 2 3"};
  return dashes[i / 7 % dashes.size()];
}

/// Colour of class c in a scatter plot: the muted scheme of Tol (2021) and an orange. Classes from 10 on repeat it darker, then lighter.
inline std::string class_color(std::size_t c) {
  constexpr std::array<unsigned, 10> colors{0x332288, 0x88ccee, 0x117733, 0xddcc77, 0xcc6677,
                                            0xaa4499, 0x44aa99, 0xee7733, 0x882255, 0x999933};
  const unsigned base = colors[c % colors.size()];
  const std::size_t round = c / colors.size() % 3;
  std::string text = "#";
  for (const int shift : {16, 8, 0}) {
    const unsigned channel = (base >> shift) & 0xFFu;
    const unsigned shade = round == 0 ? channel : round == 1 ? channel * 3 / 5 : channel + (255u - channel) / 2;
    constexpr const char* digits = "0123456789abcdef";
    text += {digits[shade >> 4], digits[shade & 15u]};
  }
  return text;
}

} // namespace dalib::report
