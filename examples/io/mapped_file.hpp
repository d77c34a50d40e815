#pragma once

#include "file_error.hpp"

#include <cerrno>
#include <cstddef>
#include <fcntl.h>
#include <filesystem>
#include <span>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace dalib::io {

/// Read-only memory map of a whole regular file. Movable, not copyable.
///
/// Pages are read when touched, so opening a file of gigabytes costs nothing. The file must not be shortened while it is mapped;
/// replacing it by rename, as atomic_file does, is safe: the map keeps the old contents.
class mapped_file {
public:
  /// Throws std::runtime_error naming the path if it cannot be opened, is no regular file or cannot be mapped.
  explicit mapped_file(const std::filesystem::path& path) {
    // Without O_NONBLOCK a named pipe would block here until somebody writes.
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) fail_system(path, "cannot open", errno);
    map(path, descriptor);
    ::close(descriptor);
  }

  mapped_file(mapped_file&& other) noexcept : address_(std::exchange(other.address_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  mapped_file& operator=(mapped_file&& other) noexcept {
    std::swap(address_, other.address_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~mapped_file() {
    if (address_ != nullptr) ::munmap(address_, size_);
  }

  /// All bytes of the file; valid as long as this object or the one it was moved to.
  std::span<const std::byte> bytes() const { return {static_cast<const std::byte*>(address_), size_}; }

private:
  // Closes the descriptor before it throws. Empty files cannot be mapped and need not be.
  void map(const std::filesystem::path& path, int descriptor) {
    struct stat status {};
    int failure = ::fstat(descriptor, &status) == 0 ? 0 : errno;
    const bool regular = failure == 0 && S_ISREG(status.st_mode);
    if (regular && status.st_size > 0) {
      size_ = static_cast<std::size_t>(status.st_size);
      void* const address = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, descriptor, 0);
      if (address == MAP_FAILED)
        failure = errno;
      else
        address_ = address;
    }
    if (failure != 0 || !regular) ::close(descriptor);
    if (failure != 0) fail_system(path, "cannot map into memory", failure);
    if (!regular) fail_file(path, "is not a regular file");
  }

  void* address_ = nullptr;
  std::size_t size_ = 0;
};

} // namespace dalib::io
