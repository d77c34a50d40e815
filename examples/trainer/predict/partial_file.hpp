#pragma once
// A text file that grows by whole records and survives interruptions.

#include "../../io/atomic_file.hpp"
#include "../../io/mapped_file.hpp"

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

namespace dalib::predict {

/// The place behind the record that begins at `begin`, npos where it has no end.
/// @param quotes an end of line between double quotes does not end it
inline std::size_t record_end(std::string_view text, std::size_t begin, bool quotes) {
  bool quoted = false;
  for (std::size_t i = begin; i < text.size(); ++i) {
    if (text[i] == '"') quoted = quotes && !quoted;
    if (text[i] == '\n' && !quoted) return i + 1;
  }
  return std::string_view::npos;
}

/// Records that are written to PATH.partial as they come; `finish` gives the file its name.
class partial_file {
public:
  /// Begins anew, or with `resume` keeps the whole records of an earlier call; a record that was cut off is dropped.
  /// @param quotes an end of line between double quotes does not end a record, as in CSV
  /// Throws std::runtime_error naming the file if it cannot be written or another process writes it.
  partial_file(const std::filesystem::path& path, bool resume, bool quotes) : path_(path), partial_(path) {
    partial_ += ".partial";
    descriptor_ = ::open(partial_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (descriptor_ < 0) io::fail_system(partial_, "cannot create", errno);
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
      ::close(descriptor_);
      io::fail_file(partial_, "is being written by another process");
    }
    if (resume) read_records(quotes);
    if (::ftruncate(descriptor_, static_cast<off_t>(kept_.size())) != 0 || ::lseek(descriptor_, 0, SEEK_END) < 0) {
      const int failure = errno;
      ::close(descriptor_);
      io::fail_system(partial_, "cannot cut to its last whole line", failure);
    }
  }
  partial_file(const partial_file&) = delete;
  partial_file& operator=(const partial_file&) = delete;
  ~partial_file() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  static bool exists(std::filesystem::path path) { return std::filesystem::exists(path += ".partial"); }

  /// What an earlier call left: whole records.
  const std::string& kept() const { return kept_; }
  const std::filesystem::path& partial_path() const { return partial_; }

  /// Appends whole records.
  void append(std::string_view text) {
    while (!text.empty()) {
      const ssize_t written = ::write(descriptor_, text.data(), text.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) io::fail_system(partial_, "cannot write", errno);
      text.remove_prefix(static_cast<std::size_t>(written));
    }
  }

  /// Flushes to disk and gives the file its name.
  void finish() {
    if (::fsync(descriptor_) != 0) io::fail_system(partial_, "cannot flush to disk", errno);
    if (::rename(partial_.c_str(), path_.c_str()) != 0)
      io::fail_system(path_, "cannot rename the finished file " + partial_.string(), errno);
    ::close(std::exchange(descriptor_, -1));
  }

private:
  void read_records(bool quotes) {
    const io::mapped_file file(partial_);
    const std::string_view text(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
    std::size_t kept = 0;
    for (std::size_t end = record_end(text, 0, quotes); end != std::string_view::npos; end = record_end(text, end, quotes)) kept = end;
    kept_ = text.substr(0, kept);
  }

  std::filesystem::path path_, partial_;
  int descriptor_ = -1;
  std::string kept_;
};

} // namespace dalib::predict
