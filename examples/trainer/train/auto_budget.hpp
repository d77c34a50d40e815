#pragma once
// What --method auto may spend.

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <string>
#include <string_view>

namespace dalib::train {

/// How much --method auto may train in all: so many iterations, or so many seconds, or without either four trainings for each seed.
struct training_budget {
  long iterations = 0;
  double seconds = 0;

  explicit operator bool() const { return iterations > 0 || seconds > 0; }
};

/// A whole number of iterations, or a time with its unit behind it: 90s, 10min, 1.5h. Throws std::invalid_argument with the end of a
/// sentence that begins with the option's name.
inline training_budget parse_budget(std::string_view text) {
  constexpr long most_iterations = 1'000'000'000'000;
  constexpr double most_seconds = 10000 * 3600.0;
  const std::string quoted = "'" + std::string(text.substr(0, 40)) + "'";
  const auto fail = [&](const std::string& problem) { throw std::invalid_argument(quoted + problem); };
  // No library's idea of a number: neither signs nor exponents, nor another comma where the locale has one.
  const auto digits_of = [](std::string_view from) { return from.substr(0, std::min(from.find_first_not_of("0123456789"), from.size())); };
  const std::string_view whole = digits_of(text);
  std::string_view unit = text.substr(whole.size()), fraction;
  if (unit.starts_with('.')) {
    fraction = digits_of(unit.substr(1));
    unit.remove_prefix(1 + fraction.size());
    if (fraction.empty()) unit = ".";
  }
  const double factor = unit == "s" ? 1 : unit == "min" ? 60 : unit == "h" ? 3600 : 0;
  const bool is_count = unit.empty() && fraction.empty();
  if (whole.empty() || (!is_count && factor == 0)) fail(" is neither a whole number of iterations nor a time such as 90s, 10min or 1.5h");
  long number = 0;
  const bool fits = std::from_chars(whole.data(), whole.data() + whole.size(), number).ec == std::errc{};
  double seconds = static_cast<double>(number), place = 1;
  for (const char digit : fraction) seconds += (digit - '0') * (place /= 10);
  seconds *= factor;
  if (!fits || number > most_iterations || seconds > most_seconds) fail(" is too much: at most 1000000000000 iterations or 10000h");
  if (is_count ? number == 0 : seconds <= 0) fail(" pays for nothing");
  return is_count ? training_budget{.iterations = number, .seconds = 0} : training_budget{.iterations = 0, .seconds = seconds};
}

} // namespace dalib::train
