#pragma once

#include "file_error.hpp"

#include <cerrno>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>

namespace dalib::io {

/// Whether the path is the name that the system gives to an open file of this process.
inline bool names_open_file(const std::filesystem::path& path) {
  return path.parent_path() == "/proc/self/fd" || path.parent_path() == "/dev/fd";
}

/// The file that a name stands for: its symbolic links followed to the end, also to one that does not exist yet. The names of open files
/// (/dev/stdout leads to /proc/self/fd/1) stand for themselves, since a file of the name behind them is not what is open.
/// Throws std::runtime_error naming the path for links that go round in circles.
inline std::filesystem::path follow_links(const std::filesystem::path& path) {
  std::filesystem::path result = path;
  std::error_code error;
  for (int links = 0; !names_open_file(result) && std::filesystem::is_symlink(result, error); ++links) {
    constexpr int most_links = 40; // as the system has it
    const std::filesystem::path next = std::filesystem::read_symlink(result, error);
    if (error || links == most_links) fail_system(path, "cannot follow the symbolic link", error ? error.value() : ELOOP);
    result = next.is_absolute() ? next : result.parent_path() / next;
  }
  return result;
}

/// The number of an open file of this process where the path names one, as /dev/stdout, /dev/stderr and /dev/fd/3 do.
inline std::optional<int> open_file_number(const std::filesystem::path& path) {
  const std::filesystem::path followed = follow_links(path);
  const std::string name = followed.filename().string();
  const bool is_number = !name.empty() && name.size() < 6 && name.find_first_not_of("0123456789") == std::string::npos;
  if (!is_number || !names_open_file(followed)) return std::nullopt;
  return std::stoi(name);
}

} // namespace dalib::io
