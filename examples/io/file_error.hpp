#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>

namespace dalib::io {

/// Throws std::runtime_error "PATH: what is wrong".
[[noreturn]] inline void fail_file(const std::filesystem::path& path, const std::string& what) {
  throw std::runtime_error(path.string() + ": " + what);
}

/// Throws std::runtime_error "PATH: ACTION: text of the system's error number". Pass `errno` as read right after the failing call.
[[noreturn]] inline void fail_system(const std::filesystem::path& path, const std::string& action, int error_number) {
  fail_file(path, action + ": " + std::generic_category().message(error_number));
}

} // namespace dalib::io
