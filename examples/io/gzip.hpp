#pragma once

#include "file_error.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <zlib.h>

namespace dalib::io {

/// Sequential reader of bytes in memory that are plain or one gzip stream; which of the two is found by gzip's magic number.
///
/// Decompresses only what is asked for, straight into the caller's memory, so a decompression bomb costs nothing by itself.
class gzip_reader {
public:
  /// `name` is used in error messages only; `bytes` must outlive the reader.
  gzip_reader(std::span<const std::byte> bytes, std::filesystem::path name) : name_(std::move(name)), rest_(bytes) {
    compressed_ = bytes.size() >= 2 && bytes[0] == std::byte{0x1f} && bytes[1] == std::byte{0x8b};
    constexpr int window_bits_gzip_only = 15 + 16;
    if (compressed_ && inflateInit2(&stream_, window_bits_gzip_only) != Z_OK) fail_file(name_, "cannot start zlib");
  }
  gzip_reader(const gzip_reader&) = delete;
  gzip_reader& operator=(const gzip_reader&) = delete;
  ~gzip_reader() {
    if (compressed_) inflateEnd(&stream_);
  }

  /// Fills `target` as far as the data reach and returns the number of bytes written.
  /// Throws std::runtime_error if the gzip stream is damaged or cut off.
  std::size_t read(std::span<std::uint8_t> target) { return compressed_ ? inflate_into(target) : copy_into(target); }

  /// Throws std::runtime_error unless all data were read, the gzip checksum is right and nothing follows.
  void expect_end() {
    std::uint8_t extra = 0;
    if (read({&extra, 1}) != 0) fail_file(name_, "holds more data than its header announces");
    if (compressed_ && (stream_.avail_in != 0 || !rest_.empty())) fail_file(name_, "has bytes after the end of the gzip stream");
  }

private:
  std::size_t copy_into(std::span<std::uint8_t> target) {
    const std::size_t count = std::min(target.size(), rest_.size());
    if (count != 0) std::memcpy(target.data(), rest_.data(), count);
    rest_ = rest_.subspan(count);
    return count;
  }

  std::size_t inflate_into(std::span<std::uint8_t> target) {
    std::size_t done = 0;
    while (done < target.size() && !at_end_) {
      refill_input();
      const std::size_t piece = std::min(target.size() - done, std::size_t{std::numeric_limits<uInt>::max()});
      stream_.next_out = target.data() + done;
      stream_.avail_out = static_cast<uInt>(piece);
      check(inflate(&stream_, Z_NO_FLUSH));
      done += piece - stream_.avail_out;
    }
    return done;
  }

  // zlib counts in 32 bits, so files above 4 GiB are handed over in pieces.
  void refill_input() {
    if (stream_.avail_in != 0) return;
    const std::size_t piece = std::min(rest_.size(), std::size_t{std::numeric_limits<uInt>::max()});
    // zlib's interface predates const; inflate() only reads its input.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(rest_.data()));
    stream_.avail_in = static_cast<uInt>(piece);
    rest_ = rest_.subspan(piece);
  }

  // Z_BUF_ERROR means that no progress was possible; there is always room for output, so it is input that is missing.
  void check(int result) {
    at_end_ = result == Z_STREAM_END;
    if (at_end_ || result == Z_OK) return;
    if (result == Z_BUF_ERROR) fail_file(name_, "the gzip stream is cut off");
    fail_file(name_, std::string("the gzip stream is damaged: ") + (stream_.msg != nullptr ? stream_.msg : "unknown zlib error"));
  }

  std::filesystem::path name_;
  std::span<const std::byte> rest_; // input that neither was read nor is in zlib's hands
  z_stream stream_{};
  bool compressed_ = false;
  bool at_end_ = false;
};

} // namespace dalib::io
