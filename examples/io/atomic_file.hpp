#pragma once

#include "file_error.hpp"
#include "follow_links.hpp"

#include <cerrno>
#include <cstddef>
#include <fcntl.h>
#include <filesystem>
#include <span>
#include <string_view>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace dalib::io {

/// Flushes a folder to disk, so that a rename inside it survives a loss of power.
inline void sync_folder(const std::filesystem::path& folder) {
  const std::filesystem::path opened = folder.empty() ? "." : folder;
  const int descriptor = ::open(opened.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) fail_system(opened, "cannot open the folder", errno);
  const int failure = ::fsync(descriptor) == 0 ? 0 : errno;
  ::close(descriptor);
  // EINVAL: the file system has no way to flush a folder, which leaves nothing to do.
  if (failure != 0 && failure != EINVAL) fail_system(opened, "cannot flush the folder", failure);
}

/// A file that appears under its name complete or not at all.
///
/// Data go to PATH.partial in the same folder; `commit` flushes them to disk, renames the file to PATH and flushes the folder. Without
/// a commit the destructor removes the partial file and PATH stays as it was. What a killed process left in PATH.partial is
/// overwritten by the next write. All errors are std::runtime_error with the path and the system's text.
///
/// Where PATH is a symbolic link, all this is done with the file that it leads to, and the link stays. What is neither a file nor a folder
/// (a device, a pipe, /dev/stdout) is never replaced: data go straight into it.
class atomic_file {
public:
  /// Throws if the partial file cannot be created or another process is writing it.
  explicit atomic_file(const std::filesystem::path& path) : path_(follow_links(path)), partial_(path_) {
    direct_ = open_direct(path);
    if (direct_) return;
    partial_ += ".partial";
    descriptor_ = ::open(partial_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
    if (descriptor_ < 0) fail_system(partial_, "cannot create", errno);
    try {
      claim();
    } catch (...) {
      ::close(descriptor_);
      throw;
    }
  }
  atomic_file(const atomic_file&) = delete;
  atomic_file& operator=(const atomic_file&) = delete;

  ~atomic_file() {
    if (descriptor_ < 0) return;
    if (!direct_) ::unlink(partial_.c_str());
    ::close(descriptor_);
  }

  /// Appends bytes.
  void write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail_system(partial_, "cannot write", errno);
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
  }

  /// Appends text.
  void write(std::string_view text) { write(std::as_bytes(std::span(text))); }

  /// Flushes what was written so far to disk.
  void sync() {
    if (!direct_ && ::fsync(descriptor_) != 0) fail_system(partial_, "cannot flush to disk", errno);
  }

  /// Makes the contents durable and visible under the path. Nothing may be written afterwards.
  void commit() {
    sync();
    if (!direct_ && ::rename(partial_.c_str(), path_.c_str()) != 0) fail_system(path_, "cannot rename the finished file " + partial_.string(), errno);
    const int failure = ::close(std::exchange(descriptor_, -1)) == 0 ? 0 : errno;
    if (failure != 0 && failure != EINTR) fail_system(path_, "cannot close", failure);
    if (!direct_) sync_folder(path_.parent_path());
  }

private:
  // Whether the path names an open file of this process, or something that exists and is neither a file nor a folder: it is open then.
  bool open_direct(const std::filesystem::path& path) {
    if (const std::optional<int> number = open_file_number(path)) {
      descriptor_ = ::fcntl(*number, F_DUPFD_CLOEXEC, 0);
    } else {
      struct stat named {};
      if (::stat(path.c_str(), &named) != 0 || S_ISREG(named.st_mode) || S_ISDIR(named.st_mode)) return false;
      descriptor_ = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    }
    if (descriptor_ < 0) fail_system(path, "cannot open", errno);
    partial_ = path;
    return true;
  }

  // The lock ends with the process, so a killed writer blocks nobody. Between open and lock another writer may have renamed the file
  // away: then the lock is on a finished file, which must not be touched.
  void claim() {
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) fail_file(partial_, "is being written by another process");
    struct stat opened {};
    struct stat named {};
    if (::fstat(descriptor_, &opened) != 0) fail_system(partial_, "cannot read the state", errno);
    if (::stat(partial_.c_str(), &named) != 0 || opened.st_ino != named.st_ino || opened.st_dev != named.st_dev) {
      fail_file(partial_, "was written by another process at the same time");
    }
    if (!S_ISREG(opened.st_mode)) fail_file(partial_, "is not a regular file");
    if (::ftruncate(descriptor_, 0) != 0) fail_system(partial_, "cannot empty", errno);
  }

  std::filesystem::path path_;
  std::filesystem::path partial_;
  int descriptor_ = -1;
  bool direct_ = false; ///< there is no partial file
};

/// Writes a whole file of text (report, table, settings) atomically.
inline void write_text_file(const std::filesystem::path& path, std::string_view text) {
  atomic_file file(path);
  file.write(text);
  file.commit();
}

} // namespace dalib::io
