#pragma once
// PNG files in memory, for pictures inside of pages. zlib alone is needed, which every program here has; decoding is libpng's.

#include "rgb_image.hpp"

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <zlib.h>

namespace dalib::image {
namespace detail {

inline void append_big_endian(std::string& text, std::uint32_t number) {
  for (const int shift : {24, 16, 8, 0}) text.push_back(static_cast<char>(static_cast<unsigned char>(number >> shift)));
}

/// Length, name, contents and checksum.
inline void append_chunk(std::string& file, std::string_view name, std::string_view contents) {
  append_big_endian(file, static_cast<std::uint32_t>(contents.size()));
  const std::size_t begin = file.size();
  file.append(name).append(contents);
  const uLong sum = crc32(0, reinterpret_cast<const Bytef*>(file.data() + begin), static_cast<uInt>(file.size() - begin));
  append_big_endian(file, static_cast<std::uint32_t>(sum));
}

} // namespace detail

/// The bytes of a PNG file, 8 bits of red, green and blue (ISO/IEC 15948), each row as its differences from the one above. Throws
/// std::runtime_error for an image without pixels.
inline std::string encode_png(const rgb_image& picture) {
  if (picture.width < 1 || picture.height < 1) throw std::runtime_error("encode_png: the image has no pixels");
  constexpr std::uint8_t difference_upwards = 2;
  std::vector<Bytef> rows;
  for (std::ptrdiff_t y = 0; y < picture.height; ++y) {
    rows.push_back(difference_upwards);
    for (std::ptrdiff_t x = 0; x < 3 * picture.width; ++x)
      rows.push_back(static_cast<Bytef>(picture.row(y)[x] - (y > 0 ? picture.row(y - 1)[x] : 0)));
  }
  uLongf size = compressBound(static_cast<uLong>(rows.size()));
  std::string packed(size, '\0');
  if (compress2(reinterpret_cast<Bytef*>(packed.data()), &size, rows.data(), static_cast<uLong>(rows.size()), Z_BEST_COMPRESSION) != Z_OK)
    throw std::runtime_error("encode_png: zlib failed");
  packed.resize(size);

  std::string file("\x89PNG\r\n\x1a\n", 8), header;
  detail::append_big_endian(header, static_cast<std::uint32_t>(picture.width));
  detail::append_big_endian(header, static_cast<std::uint32_t>(picture.height));
  header.append({8, 2, 0, 0, 0}); // bits, RGB; compression, filters and interlacing as always
  detail::append_chunk(file, "IHDR", header);
  detail::append_chunk(file, "IDAT", packed);
  detail::append_chunk(file, "IEND", "");
  return file;
}

/// A file as a data URI, the text that a page has in place of its name.
inline std::string data_uri(std::string_view type, std::string_view bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text("data:");
  text.append(type).append(";base64,");
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t word = 0;
    for (std::size_t k = 0; k < 3; ++k) word = word << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k) text.push_back(i + k <= bytes.size() ? digits[word >> (18 - 6 * k) & 63U] : '=');
  }
  return text;
}

} // namespace dalib::image
