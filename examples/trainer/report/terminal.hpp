#pragma once
// Where progress is shown: a terminal or a log.

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>
#include <sys/ioctl.h>
#include <unistd.h>

namespace dalib::report {

/// An output with what a progress display must know of it. Tests supply their own functions.
struct terminal {
  std::function<void(std::string_view)> write; ///< shows text at once
  std::function<int()> width;                  ///< columns at this moment; the window may change its size
  std::function<double()> seconds;             ///< a clock that never goes back
  bool interactive = false;                    ///< a line can be drawn over
  bool unicode = false;                        ///< characters outside of ASCII are shown
};

namespace detail {

/// Value of an environment variable, empty if there is none.
inline std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// Columns of the window behind a descriptor, else the variable COLUMNS, else 80.
inline int terminal_width(int descriptor) {
  winsize size{};
  if (::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  const std::string text = environment("COLUMNS");
  int columns = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), columns);
  return result.ec == std::errc{} && columns > 0 && columns <= 10000 ? columns : 80;
}

/// Writes everything. An output that is gone must not end the training: errors other than interruptions are ignored.
inline void write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

} // namespace detail

/// The output behind a file descriptor, for example STDOUT_FILENO. It is interactive if it is a terminal that is not "dumb"; Unicode is
/// told by the locale's variables. Output is not buffered: flush std::cout before using both.
inline terminal open_terminal(int descriptor) {
  terminal out;
  out.write = [descriptor](std::string_view text) { detail::write_all(descriptor, text); };
  out.width = [descriptor] { return detail::terminal_width(descriptor); };
  out.seconds = [] { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); };
  const std::string kind = detail::environment("TERM");
  out.interactive = ::isatty(descriptor) == 1 && !kind.empty() && kind != "dumb";
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string locale = detail::environment(name);
    if (locale.empty()) continue;
    out.unicode = locale.find("UTF-8") != std::string::npos || locale.find("utf8") != std::string::npos;
    break;
  }
  return out;
}

} // namespace dalib::report
