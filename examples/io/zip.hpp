#pragma once
// Zip archives whose entries are stored as they are, as PyTorch writes them.

#include "file_error.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <zlib.h>

namespace dalib::io {

/// The entries of a zip archive that lies in memory, by their names. Nothing is copied: an entry is a part of the archive's bytes.
///
/// Reads the directory at the archive's end, zip64 included. Memory grows with the directory that is really there.
class stored_zip {
public:
  /// `bytes` must outlive the object; `name` stands in error messages.
  /// Throws std::runtime_error starting with `name` for what is no zip archive, is cut off, or has a damaged directory.
  stored_zip(std::span<const std::byte> bytes, std::filesystem::path name) : bytes_(bytes), name_(std::move(name)) { read_directory(); }

  /// Whether these are the first bytes of a zip archive.
  static bool is_zip(std::span<const std::byte> bytes) { return bytes.size() >= 4 && std::memcmp(bytes.data(), "PK\x03\x04", 4) == 0; }

  bool contains(const std::string& entry) const { return entries_.contains(entry); }

  /// The name of the first entry, in the order of the names, that ends so; empty if there is none.
  std::string find_suffix(std::string_view suffix) const {
    for (const auto& [entry, where] : entries_)
      if (entry.ends_with(suffix)) return entry;
    return {};
  }

  /// The bytes of an entry. Throws std::runtime_error if there is no such entry, it is compressed or encrypted, does not lie inside the
  /// archive, or has another checksum than the directory says (0: none was computed).
  std::span<const std::byte> at(const std::string& entry) const {
    const auto found = entries_.find(entry);
    if (found == entries_.end()) fail_file(name_, "has no entry '" + entry + "'");
    const place& p = found->second;
    if (p.method != 0 || p.packed != p.size || (p.flags & 1) != 0) fail_file(name_, "entry '" + entry + "' is compressed or encrypted");
    constexpr std::size_t header = 30;
    const auto local = part(p.header, header, "a local header");
    if (std::memcmp(local.data(), "PK\x03\x04", 4) != 0) fail_file(name_, "entry '" + entry + "' has a damaged header");
    const std::uint64_t begin = p.header + header + number(local, 26, 2) + number(local, 28, 2);
    const auto contents = part(begin, p.size, "entry '" + entry + "'");
    const auto crc = static_cast<std::uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(contents.data()), contents.size()));
    if (p.crc != 0 && crc != p.crc) fail_file(name_, "entry '" + entry + "' is damaged: it has another checksum than the archive says");
    return contents;
  }

private:
  struct place {
    std::uint64_t header = 0, size = 0, packed = 0, method = 0, flags = 0;
    std::uint32_t crc = 0;
  };

  static std::uint64_t number(std::span<const std::byte> from, std::size_t at, std::size_t size) {
    std::uint64_t value = 0;
    std::memcpy(&value, from.data() + at, size); // the formats are little-endian, and so are we
    return value;
  }

  std::span<const std::byte> part(std::uint64_t begin, std::uint64_t size, const std::string& what) const {
    if (begin > bytes_.size() || size > bytes_.size() - begin) fail_file(name_, "is cut off or damaged: " + what + " lies outside");
    return bytes_.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(size));
  }

  /// Where the record at the end begins: it may be followed by a comment.
  std::size_t find_end() const {
    constexpr std::size_t record = 22, longest_comment = 65535;
    for (std::size_t back = record; back <= bytes_.size() && back <= record + longest_comment; ++back)
      if (std::memcmp(bytes_.data() + bytes_.size() - back, "PK\x05\x06", 4) == 0) return bytes_.size() - back;
    fail_file(name_, is_zip(bytes_) ? "is cut off: the directory at the end of the zip archive is missing" : "is not a zip archive");
  }

  void read_directory() {
    const std::size_t end = find_end();
    const auto record = part(end, 22, "the end record");
    std::uint64_t count = number(record, 10, 2), size = number(record, 12, 4), begin = number(record, 16, 4);
    const bool wide = count == 0xFFFF || size == 0xFFFFFFFF || begin == 0xFFFFFFFF;
    if (wide && end >= 20 && std::memcmp(bytes_.data() + end - 20, "PK\x06\x07", 4) == 0) {
      const auto wide_record = part(number(bytes_, end - 12, 8), 56, "the zip64 end record");
      if (std::memcmp(wide_record.data(), "PK\x06\x06", 4) != 0) fail_file(name_, "has a damaged zip64 end record");
      count = number(wide_record, 32, 8);
      size = number(wide_record, 40, 8);
      begin = number(wide_record, 48, 8);
    }
    auto directory = part(begin, size, "the directory");
    for (std::uint64_t i = 0; i < count; ++i) directory = read_entry(directory);
  }

  /// Notes the first entry of a directory and returns the rest.
  std::span<const std::byte> read_entry(std::span<const std::byte> directory) {
    constexpr std::size_t header = 46;
    if (directory.size() < header || std::memcmp(directory.data(), "PK\x01\x02", 4) != 0) fail_file(name_, "has a damaged directory");
    const std::size_t name_size = number(directory, 28, 2), extra_size = number(directory, 30, 2), comment_size = number(directory, 32, 2);
    if (directory.size() - header < name_size + extra_size + comment_size) fail_file(name_, "has a damaged directory");
    place p;
    p.flags = number(directory, 8, 2);
    p.method = number(directory, 10, 2);
    p.crc = static_cast<std::uint32_t>(number(directory, 16, 4));
    p.packed = number(directory, 20, 4);
    p.size = number(directory, 24, 4);
    p.header = number(directory, 42, 4);
    widen(p, directory.subspan(header + name_size, extra_size));
    const auto* const text = reinterpret_cast<const char*>(directory.data() + header);
    if (!entries_.emplace(std::string(text, name_size), p).second) fail_file(name_, "has two entries of one name");
    return directory.subspan(header + name_size + extra_size + comment_size);
  }

  /// Numbers that do not fit 32 bits are in the extra field 1, in this order, each only where it is needed.
  void widen(place& p, std::span<const std::byte> extra) const {
    while (extra.size() >= 4) {
      const std::uint64_t kind = number(extra, 0, 2), size = number(extra, 2, 2);
      if (size > extra.size() - 4) fail_file(name_, "has a damaged directory");
      auto field = extra.subspan(4, static_cast<std::size_t>(size));
      extra = extra.subspan(4 + static_cast<std::size_t>(size));
      if (kind != 1) continue;
      for (std::uint64_t* const value : {&p.size, &p.packed, &p.header}) {
        if (*value != 0xFFFFFFFF || field.size() < 8) continue;
        *value = number(field, 0, 8);
        field = field.subspan(8);
      }
    }
  }

  std::span<const std::byte> bytes_;
  std::filesystem::path name_;
  std::map<std::string, place> entries_;
};

} // namespace dalib::io
