#pragma once
// Image files of any supported format; which one is found by the first bytes, never by the name.

#include "../../io/file_error.hpp"
#include "../../io/mapped_file.hpp"
#include "jpeg.hpp"
#include "png.hpp"
#include "rgb_image.hpp"

#include <filesystem>
#include <string_view>

namespace dalib::image {

/// Whether this program can decode JPEG and PNG.
#ifdef DALIB_HAVE_JPEG
inline constexpr bool has_jpeg = true;
#else
inline constexpr bool has_jpeg = false;
#endif
#ifdef DALIB_HAVE_PNG
inline constexpr bool has_png = true;
#else
inline constexpr bool has_png = false;
#endif

/// Decodes an image file that lies in memory, to what Pillow's convert("RGB") gives: of 16 bits the upper 8 are kept, but gray of 16 bits is
/// cut off at 255.
///
/// Throws std::runtime_error starting with `name` for an empty file, an unknown format, damage, more than `pixel_limit` pixels, and a
/// format whose library this program was built without.
inline rgb_image decode(std::span<const std::byte> bytes, const std::filesystem::path& name,
                        [[maybe_unused]] std::size_t pixel_limit = default_pixel_limit) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.empty()) io::fail_file(name, "is empty");
  const bool is_jpeg = text.starts_with("\xFF\xD8\xFF"), is_png = text.starts_with("\x89PNG\r\n\x1A\n");
  if (!is_jpeg && !is_png) io::fail_file(name, "is neither a JPEG nor a PNG file");
  try {
#ifdef DALIB_HAVE_JPEG
    if (is_jpeg) return decode_jpeg(bytes, pixel_limit);
#endif
#ifdef DALIB_HAVE_PNG
    if (is_png) return decode_png(bytes, pixel_limit);
#endif
  } catch (const std::runtime_error& error) {
    io::fail_file(name, error.what());
  }
  io::fail_file(name, std::string("cannot be read: this program was built without ") +
                          (is_jpeg ? "libjpeg (Debian: libjpeg-dev)" : "libpng (Debian: libpng-dev)"));
}

/// Reads and decodes an image file; errors as decode, and std::runtime_error if the file cannot be opened.
inline rgb_image read_image(const std::filesystem::path& path, std::size_t pixel_limit = default_pixel_limit) {
  const io::mapped_file file(path);
  return decode(file.bytes(), path, pixel_limit);
}

} // namespace dalib::image
