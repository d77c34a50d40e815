#pragma once
// Image files for tests. Needs DALIB_HAVE_JPEG and DALIB_HAVE_PNG.

#include "image/rgb_image.hpp"

#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <string>

#include <jpeglib.h>
#include <png.h>

namespace test_images {

/// Writes a PNG of 8-bit RGB.
inline void write_png(const std::filesystem::path& path, const dalib::image::rgb_image& source) {
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  png.width = static_cast<png_uint_32>(source.width);
  png.height = static_cast<png_uint_32>(source.height);
  png.format = PNG_FORMAT_RGB;
  if (png_image_write_to_file(&png, path.c_str(), 0, source.pixels.data(), 0, nullptr) == 0)
    throw std::runtime_error(path.string() + ": " + png.message);
}

/// Writes a baseline JPEG. libjpeg's own error handler ends the program with its message, which is right for a test.
inline void write_jpeg(const std::filesystem::path& path, dalib::image::rgb_image source, int quality = 95) {
  std::FILE* const file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) throw std::runtime_error(path.string() + ": cannot create");
  jpeg_error_mgr errors{};
  jpeg_compress_struct info{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  jpeg_stdio_dest(&info, file);
  info.image_width = static_cast<JDIMENSION>(source.width);
  info.image_height = static_cast<JDIMENSION>(source.height);
  info.input_components = 3;
  info.in_color_space = JCS_RGB;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, quality, TRUE);
  jpeg_start_compress(&info, TRUE);
  while (info.next_scanline < info.image_height) {
    JSAMPROW row = source.row(static_cast<std::ptrdiff_t>(info.next_scanline));
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  std::fclose(file);
}

} // namespace test_images
