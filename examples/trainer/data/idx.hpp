#pragma once

#include "../../io/gzip.hpp"
#include "../../io/mapped_file.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace dalib::data {

/// Contents of an IDX file of unsigned bytes: sizes of the dimensions, and the values in row-major order.
struct idx_array {
  std::vector<std::size_t> sizes;
  std::vector<std::uint8_t> values;
};

/// Largest number of values that the IDX reader accepts unless told otherwise (1 GiB).
inline constexpr std::uint64_t idx_default_limit = std::uint64_t{1} << 30;

namespace detail {

/// Reads exactly `target.size()` bytes or says that the file ends inside `part`.
inline void read_idx_part(io::gzip_reader& reader, std::span<std::uint8_t> target, const std::filesystem::path& name, const char* part) {
  if (reader.read(target) != target.size()) io::fail_file(name, std::string("is cut off inside the ") + part);
}

/// Reads the magic number `00 00 TYPE RANK` and the big-endian 32-bit sizes.
inline std::vector<std::size_t> read_idx_header(io::gzip_reader& reader, const std::filesystem::path& name) {
  std::array<std::uint8_t, 4> magic{};
  read_idx_part(reader, magic, name, "IDX magic number");
  if (magic[0] != 0 || magic[1] != 0) io::fail_file(name, "is not an IDX file: the magic number must start with two zero bytes");
  constexpr std::uint8_t unsigned_byte_type = 0x08;
  if (magic[2] != unsigned_byte_type) {
    io::fail_file(name, "has IDX element type " + std::to_string(magic[2]) + ", only 8 (unsigned byte) is supported");
  }
  constexpr std::size_t largest_rank = 8;
  const std::size_t rank = magic[3];
  if (rank == 0 || rank > largest_rank) io::fail_file(name, "has " + std::to_string(rank) + " dimensions, expected 1 to 8");

  std::vector<std::size_t> sizes(rank);
  for (std::size_t& size : sizes) {
    std::array<std::uint8_t, 4> word{};
    read_idx_part(reader, word, name, "IDX header");
    for (const std::uint8_t byte : word) size = size << 8 | byte;
    if (size == 0) io::fail_file(name, "has a dimension of size 0");
  }
  return sizes;
}

/// Product of the sizes; refuses before it can pass the limit, so it cannot overflow.
inline std::size_t count_idx_values(const std::vector<std::size_t>& sizes, std::uint64_t limit, const std::filesystem::path& name) {
  std::uint64_t count = 1;
  for (const std::size_t size : sizes) {
    if (size > limit / count) io::fail_file(name, "announces more than the allowed " + std::to_string(limit) + " values");
    count *= size;
  }
  return static_cast<std::size_t>(count);
}

} // namespace detail

/// Parses an IDX file, plain or gzip'ed, that lies in memory.
///
/// Memory grows with the data that are really there, never with what the header merely announces.
/// Throws std::runtime_error starting with `name` for a wrong magic number, an element type other than unsigned byte, sizes of zero or
/// above `limit` values in total, data shorter or longer than announced, and gzip streams that are damaged, cut off, have a wrong
/// checksum or are followed by other bytes.
inline idx_array parse_idx(std::span<const std::byte> bytes, const std::filesystem::path& name, std::uint64_t limit = idx_default_limit) {
  io::gzip_reader reader(bytes, name);
  idx_array result;
  result.sizes = detail::read_idx_header(reader, name);
  const std::size_t count = detail::count_idx_values(result.sizes, limit, name);

  constexpr std::size_t block = std::size_t{1} << 20;
  while (result.values.size() < count) {
    const std::size_t done = result.values.size();
    result.values.resize(std::min(count, done + block));
    detail::read_idx_part(reader, std::span(result.values).subspan(done), name, "data");
  }
  reader.expect_end();
  return result;
}

/// Reads an IDX file, plain or gzip'ed; errors as parse_idx, and std::runtime_error if the file cannot be opened.
inline idx_array read_idx(const std::filesystem::path& path, std::uint64_t limit = idx_default_limit) {
  const io::mapped_file file(path);
  return parse_idx(file.bytes(), path, limit);
}

} // namespace dalib::data
