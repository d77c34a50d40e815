#pragma once

#include "atomic_file.hpp"
#include "mapped_file.hpp"
#include "tensor_view.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

namespace dalib::io {

namespace detail {

/// Element types of .npy files and their names there.
inline constexpr std::array<std::pair<std::string_view, dtype>, 3> npy_types{
    {{"<f4", dtype::f32}, {"<f8", dtype::f64}, {"<i8", dtype::i64}}};

/// Reads the header of a .npy file, a Python dictionary {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }.
///
/// Knows just what that dictionary needs, strings in single quotes, False, and tuples of non-negative integers, and refuses all else.
/// Every failure is std::runtime_error starting with the file's name.
class npy_header_parser {
public:
  npy_header_parser(std::string_view text, const std::filesystem::path& name) : rest_(text), name_(&name) {}

  /// Type and shape; fails unless the three entries appear exactly once each and nothing else does.
  std::pair<dtype, tensor_shape> parse() {
    expect('{');
    while (!accept('}')) {
      const std::string_view key = quoted();
      expect(':');
      if (key == "descr" && !type_)
        type_ = element_type();
      else if (key == "fortran_order" && !order_seen_)
        c_order();
      else if (key == "shape" && !shape_)
        shape_ = sizes();
      else
        fail("has an unknown or repeated header entry '" + std::string(key) + "'");
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_space();
    if (!rest_.empty()) fail("has text after the header dictionary");
    if (!type_ || !order_seen_ || !shape_) fail("lacks descr, fortran_order or shape in its header");
    return {*type_, *shape_};
  }

private:
  [[noreturn]] void fail(const std::string& what) const { fail_file(*name_, what); }

  void skip_space() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \n"), rest_.size())); }

  // Skips space, then takes the character if it is the next one.
  bool accept(char wanted) {
    skip_space();
    if (!rest_.starts_with(wanted)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  void expect(char wanted) {
    if (!accept(wanted)) fail(std::string("has a damaged header: '") + wanted + "' expected");
  }

  // A string in single quotes, without escapes: none of the valid ones has any.
  std::string_view quoted() {
    expect('\'');
    const std::size_t end = rest_.find('\'');
    if (end == std::string_view::npos) fail("has a damaged header: a string does not end");
    const std::string_view text = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return text;
  }

  dtype element_type() {
    const std::string_view wanted = quoted();
    for (const auto& [text, type] : npy_types) {
      if (text == wanted) return type;
    }
    fail("has element type '" + std::string(wanted) + "', supported are <f4, <f8 and <i8");
  }

  void c_order() {
    skip_space();
    if (rest_.starts_with("True")) fail("is in Fortran order, only C order is supported");
    if (!rest_.starts_with("False")) fail("has a damaged header: fortran_order must be True or False");
    rest_.remove_prefix(5);
    order_seen_ = true;
  }

  // A tuple; as in Python, a comma may follow the last size.
  tensor_shape sizes() {
    tensor_shape shape;
    expect('(');
    while (!accept(')')) {
      skip_space();
      std::int64_t size = 0;
      const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), size);
      if (error != std::errc{} || size < 0) fail("has a damaged header: bad size in the shape");
      rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
      shape.push_back(size);
      constexpr std::size_t largest_rank = 32; // as in NumPy
      if (shape.size() > largest_rank) fail("has more than 32 dimensions");
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return shape;
  }

  std::string_view rest_; // of the header, not read yet
  const std::filesystem::path* name_;
  std::optional<dtype> type_;
  bool order_seen_ = false;
  std::optional<tensor_shape> shape_;
};

} // namespace detail

/// Checks a .npy file that lies in memory and returns its array as a view into these bytes.
///
/// Format versions 1 to 3, element types <f4, <f8 and <i8, C order. The view's name is the file's. No allocation beyond the shape.
/// Throws std::runtime_error starting with `name` for anything else, a
/// damaged header, and data that are shorter or longer than the shape says.
inline tensor_view parse_npy(std::span<const std::byte> bytes, const std::filesystem::path& name) {
  constexpr std::string_view magic = "\x93NUMPY";
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!text.starts_with(magic)) fail_file(name, "is not a .npy file: wrong magic number");
  if (text.size() < 10) fail_file(name, "is cut off inside the header");
  const int version = static_cast<unsigned char>(text[6]);
  if (version < 1 || version > 3) fail_file(name, "has the unknown .npy version " + std::to_string(version));

  const std::size_t length_size = version == 1 ? 2 : 4;
  const std::size_t header_begin = 8 + length_size;
  if (text.size() < header_begin) fail_file(name, "is cut off inside the header");
  std::uint32_t header_size = 0;
  std::memcpy(&header_size, bytes.data() + 8, length_size);
  if (header_size > text.size() - header_begin) fail_file(name, "is cut off inside the header");

  auto [type, shape] = detail::npy_header_parser(text.substr(header_begin, header_size), name).parse();
  const auto data = bytes.subspan(header_begin + header_size);
  const auto expected = byte_count(type, shape);
  if (!expected || *expected != data.size()) {
    fail_file(name, "holds " + std::to_string(data.size()) + " bytes of data, which does not fit shape " + to_string(shape));
  }
  return {name.string(), type, std::move(shape), data};
}

/// A .npy file mapped into memory; errors as parse_npy. Movable.
class npy_file {
public:
  explicit npy_file(const std::filesystem::path& path) : file_(path), array_(parse_npy(file_.bytes(), path)) {}

  /// The array; its shape, and its values through values<T>() or copy_to(span). Valid as long as this object or the one it was moved to.
  const tensor_view& array() const { return array_; }

private:
  mapped_file file_;
  tensor_view array_;
};

/// Writes a .npy file (version 1, C order), atomically. T is float, double or std::int64_t.
/// Throws std::invalid_argument if the shape's product is not the number of values, std::runtime_error for file problems.
template <storable T>
void write_npy(const std::filesystem::path& path, const tensor_shape& shape, std::span<const T> values) {
  static_assert(sizeof(T) == 8 || std::is_floating_point_v<T>, "write_npy stores float, double or std::int64_t");
  static_assert(!std::is_unsigned_v<T>, "write_npy stores float, double or std::int64_t");
  if (byte_count(dtype_of<T>(), shape) != values.size_bytes() || shape.size() > 32) {
    throw std::invalid_argument("write_npy: shape " + to_string(shape) + " with " + std::to_string(values.size()) + " values");
  }
  std::string sizes;
  for (const std::int64_t size : shape) sizes += std::to_string(size) + ",";
  std::string_view descr;
  for (const auto& [text, type] : detail::npy_types) {
    if (type == dtype_of<T>()) descr = text;
  }
  std::string header = "{'descr': '" + std::string(descr) + "', 'fortran_order': False, 'shape': (" + sizes + "), }";
  // The format asks for spaces and a newline that end the header at a multiple of 64 bytes.
  header.append((64 - (header.size() + 11) % 64) % 64, ' ');
  header += '\n';

  atomic_file file(path);
  file.write(std::string_view("\x93NUMPY\x01\x00", 8));
  const std::array<char, 2> length{static_cast<char>(header.size() & 0xFF), static_cast<char>(header.size() >> 8)};
  file.write(std::string_view(length.data(), length.size()));
  file.write(header);
  file.write(std::as_bytes(values));
  file.commit();
}

} // namespace dalib::io
