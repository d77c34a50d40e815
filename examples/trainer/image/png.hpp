#pragma once
// PNG by libpng. Only with DALIB_HAVE_PNG, which the build sets where the library is found.
#ifdef DALIB_HAVE_PNG

#  include "rgb_image.hpp"

#  include <algorithm>
#  include <array>
#  include <csetjmp>
#  include <cstddef>
#  include <cstdint>
#  include <cstdio>
#  include <cstring>
#  include <span>
#  include <stdexcept>
#  include <string>
#  include <vector>

#  include <png.h>

namespace dalib::image {
namespace detail {

/// One PNG file in memory. As with JPEG, errors jump back into start() or read(), which hold nothing that needs a destructor.
class png_decoder {
public:
  png_decoder(std::span<const std::byte> bytes, std::size_t pixel_limit) : rest_(bytes), pixel_limit_(pixel_limit) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, stop, [](png_structp, png_const_charp) {});
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
  }
  png_decoder(const png_decoder&) = delete;
  png_decoder& operator=(const png_decoder&) = delete;
  ~png_decoder() { png_destroy_read_struct(&png_, &info_, nullptr); }

  /// The pixels. Throws std::runtime_error saying what is wrong with the file.
  rgb_image decode() {
    if (png_ == nullptr || info_ == nullptr) throw std::runtime_error("cannot start libpng");
    if (!start()) fail();
    const std::size_t width = png_get_image_width(png_, info_), height = png_get_image_height(png_, info_);
    if (width * height > pixel_limit_)
      throw std::runtime_error("announces " + std::to_string(width * height) + " pixels, more than are allowed");
    rgb_image result(static_cast<std::ptrdiff_t>(width), static_cast<std::ptrdiff_t>(height));
    for (std::ptrdiff_t y = 0; y < result.height; ++y) rows_.push_back(result.row(y));
    if (!read()) fail();
    if (gray16_) clip_gray16(result);
    return result;
  }

private:
  static void stop(png_structp png, png_const_charp message) {
    auto& decoder = *static_cast<png_decoder*>(png_get_error_ptr(png));
    std::snprintf(decoder.text_.data(), decoder.text_.size(), "%s", message);
    png_longjmp(png, 1);
  }

  static void take(png_structp png, png_bytep target, std::size_t count) {
    auto& decoder = *static_cast<png_decoder*>(png_get_io_ptr(png));
    if (count > decoder.rest_.size()) png_error(png, "the file is cut off");
    std::memcpy(target, decoder.rest_.data(), count);
    decoder.rest_ = decoder.rest_.subspan(count);
  }

  // Everything becomes 8-bit RGB: the upper byte of 16, palettes and small grays expanded, transparency dropped. Gray of 16 bits without
  // transparency stays as it is, see clip_gray16.
  bool start() {
    if (setjmp(png_jmpbuf(png_)) != 0) return false; // NOLINT: the only way out that libpng has
    constexpr png_uint_32 longest_side = 1'000'000;
    png_set_user_limits(png_, longest_side, longest_side);
    png_set_read_fn(png_, this, take);
    png_read_info(png_, info_);
    png_set_packing(png_);
    const int type = png_get_color_type(png_, info_);
    gray16_ = type == PNG_COLOR_TYPE_GRAY && png_get_bit_depth(png_, info_) == 16;
    if (!gray16_) png_set_strip_16(png_);
    if (type == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png_);
    if (type == PNG_COLOR_TYPE_GRAY && png_get_bit_depth(png_, info_) < 8) png_set_expand_gray_1_2_4_to_8(png_);
    png_set_strip_alpha(png_);
    if ((type & PNG_COLOR_MASK_COLOR) == 0 && !gray16_) png_set_gray_to_rgb(png_);
    png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    const std::size_t pixel_bytes = gray16_ ? 2 : 3;
    if (png_get_rowbytes(png_, info_) != pixel_bytes * png_get_image_width(png_, info_)) png_error(png_, "unknown pixel format");
    return true;
  }

  bool read() {
    if (setjmp(png_jmpbuf(png_)) != 0) return false; // NOLINT
    png_read_image(png_, rows_.data());
    png_read_end(png_, nullptr);
    return true;
  }

  // Rows of two bytes to a pixel, the upper one first, become RGB in place, from the last pixel on: its bytes lie behind all that is unread.
  // Pillow counts such values as they are and cuts off what is above 255.
  static void clip_gray16(rgb_image& image) {
    for (std::ptrdiff_t y = 0; y < image.height; ++y)
      for (std::ptrdiff_t x = image.width - 1; x >= 0; --x) {
        std::uint8_t* const row = image.row(y);
        std::fill_n(row + 3 * x, 3, row[2 * x] == 0 ? row[2 * x + 1] : std::uint8_t{255});
      }
  }

  [[noreturn]] void fail() const { throw std::runtime_error(std::string("the PNG is damaged: ") + text_.data()); }

  std::span<const std::byte> rest_; // not read yet
  std::size_t pixel_limit_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  bool gray16_ = false;
  std::array<char, 160> text_{};
  std::vector<png_bytep> rows_;
};

} // namespace detail

/// Decodes a PNG file that lies in memory, of any colour type, depth and interlacing.
/// Throws std::runtime_error for damage (checksums included), a file that is cut off, and more pixels than the limit.
inline rgb_image decode_png(std::span<const std::byte> bytes, std::size_t pixel_limit = default_pixel_limit) {
  return detail::png_decoder(bytes, pixel_limit).decode();
}

} // namespace dalib::image

#endif
