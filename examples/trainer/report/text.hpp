#pragma once
// Small text helpers of the report: numbers, durations, escaping, display width. Nothing here depends on the locale.

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>

namespace dalib::report {

/// The parts one after the other; each is anything that converts to std::string_view.
template <class... Parts>
std::string joined(const Parts&... parts) {
  std::string text;
  (text.append(std::string_view(parts)), ...);
  return text;
}

/// `value` with a fixed number of decimals (0 to 17): 12.3 with 2 decimals is "12.30". Non-finite values are "nan", "inf" and "-inf";
/// values of 1e15 and more in size are written in scientific form. "-0.00" is written "0.00".
inline std::string fixed(double value, int decimals) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  std::array<char, 64> buffer{};
  const auto form = std::abs(value) < 1e15 ? std::chars_format::fixed : std::chars_format::scientific;
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, form, decimals);
  std::string text(buffer.data(), result.ptr);
  if (text.front() == '-' && text.find_first_not_of("-0.") == std::string::npos) text.erase(0, 1);
  return text;
}

/// `value` with at most `digits` significant digits and no trailing zeros: 0.00012 is "0.00012", 1234567 with 3 digits is "1.23e+06".
inline std::string significant(double value, int digits) {
  if (!std::isfinite(value)) return fixed(value, 0);
  std::array<char, 64> buffer{};
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::general, digits);
  return std::string(buffer.data(), result.ptr);
}

/// The shortest text that reads back as exactly `value`.
inline std::string exact(double value) {
  if (!std::isfinite(value)) return fixed(value, 0);
  std::array<char, 64> buffer{};
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return std::string(buffer.data(), result.ptr);
}

/// A whole number with a comma between groups of three digits: 1234567 is "1,234,567".
inline std::string grouped(long long value) {
  const std::string digits = std::to_string(value);
  const std::size_t sign = value < 0 ? 1 : 0;
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > sign && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

/// Seconds as "0:07", "12:05" or "1:02:09"; "-:--" where the duration is unknown (not finite, negative, or above 1000 hours).
inline std::string duration(double seconds) {
  if (!(seconds >= 0 && seconds < 3.6e6)) return "-:--";
  const auto total = static_cast<long>(std::lround(seconds));
  const auto two_digits = [](long value) { return joined(value < 10 ? "0" : "", std::to_string(value)); };
  const long hours = total / 3600;
  const long minutes = total / 60 % 60;
  return joined(hours > 0 ? joined(std::to_string(hours), ":", two_digits(minutes)) : std::to_string(minutes), ":", two_digits(total % 60));
}

/// Length in bytes of the valid UTF-8 sequence that starts at `text[position]`, or 0 if there is none.
inline std::size_t utf8_length(std::string_view text, std::size_t position) {
  const auto byte = [&](std::size_t offset) { return static_cast<unsigned char>(text[position + offset]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xF0 && lead <= 0xF4 ? 4 : lead >= 0xE0 && lead < 0xF0 ? 3 : lead >= 0xC2 && lead < 0xE0 ? 2 : 0;
  if (length == 0 || position + length > text.size()) return 0;
  for (std::size_t offset = 1; offset < length; ++offset)
    if ((byte(offset) & 0xC0u) != 0x80u) return 0;
  // Overlong forms, surrogates and values above U+10FFFF are excluded by the second byte.
  const unsigned second = byte(1);
  if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) || (lead == 0xF0 && second < 0x90) ||
      (lead == 0xF4 && second > 0x8F))
    return 0;
  return length;
}

/// Number of columns of UTF-8 text on a terminal: one per code point, and one per byte that is not valid UTF-8.
inline std::size_t columns(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t position = 0; position < text.size(); ++count) position += std::max<std::size_t>(utf8_length(text, position), 1);
  return count;
}

/// Text that is safe as the content and as a quoted attribute of HTML and of XML: the five special characters become entities;
/// control characters, which XML forbids, and bytes that are not UTF-8 become U+FFFD.
inline std::string escape(std::string_view text) {
  constexpr std::string_view replacement = "\xEF\xBF\xBD";
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  for (std::size_t position = 0; position < text.size();) {
    const std::size_t length = utf8_length(text, position);
    const auto symbol = static_cast<unsigned char>(text[position]);
    const bool forbidden = length == 0 || (symbol < 0x20 && symbol != '\n' && symbol != '\t') || symbol == 0x7F;
    if (forbidden)
      out += replacement;
    else if (symbol == '&')
      out += "&amp;";
    else if (symbol == '<')
      out += "&lt;";
    else if (symbol == '>')
      out += "&gt;";
    else if (symbol == '"')
      out += "&quot;";
    else if (symbol == '\'')
      out += "&#39;";
    else
      out += text.substr(position, length);
    position += std::max<std::size_t>(length, 1);
  }
  return out;
}

} // namespace dalib::report
