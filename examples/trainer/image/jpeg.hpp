#pragma once
// JPEG by libjpeg (libjpeg-turbo). Only with DALIB_HAVE_JPEG, which the build sets where the library is found.
#ifdef DALIB_HAVE_JPEG

#  include "rgb_image.hpp"

#  include <array>
#  include <csetjmp>
#  include <cstddef>
#  include <cstdint>
#  include <cstdio>
#  include <span>
#  include <stdexcept>
#  include <string>
#  include <vector>

#  include <jerror.h>
#  include <jpeglib.h>

namespace dalib::image {
namespace detail {

/// Round(a * b / 255) for bytes.
inline int multiply_bytes(int a, int b) {
  const int product = a * b + 128;
  return (product + (product >> 8)) >> 8;
}

/// One JPEG file in memory. libjpeg reports errors by a function that must not return: it jumps back into start() or read(), which
/// therefore hold nothing that needs a destructor.
class jpeg_decoder {
public:
  jpeg_decoder(std::span<const std::byte> bytes, std::size_t pixel_limit) : bytes_(bytes), pixel_limit_(pixel_limit) {
    info_.err = jpeg_std_error(&manager_);
    info_.client_data = this;
    manager_.error_exit = stop;
    manager_.emit_message = warn;
    manager_.output_message = [](j_common_ptr) {};
    progress_.progress_monitor = count_scans;
  }
  jpeg_decoder(const jpeg_decoder&) = delete;
  jpeg_decoder& operator=(const jpeg_decoder&) = delete;
  ~jpeg_decoder() { jpeg_destroy_decompress(&info_); }

  /// The pixels. Throws std::runtime_error saying what is wrong with the file.
  rgb_image decode() {
    if (!start()) fail();
    const auto pixels = std::size_t{info_.image_width} * info_.image_height;
    if (pixels > pixel_limit_) throw std::runtime_error("announces " + std::to_string(pixels) + " pixels, more than are allowed");
    rgb_image result(static_cast<std::ptrdiff_t>(info_.image_width), static_cast<std::ptrdiff_t>(info_.image_height));
    row_.resize(std::size_t{4} * info_.image_width);
    if (!read(result)) fail();
    return result;
  }

private:
  /// A progressive file may go over the same pixels any number of times.
  static constexpr int most_scans = 200;

  static jpeg_decoder& self(j_common_ptr info) { return *static_cast<jpeg_decoder*>(info->client_data); }

  static void stop(j_common_ptr info) {
    jpeg_decoder& decoder = self(info);
    info->err->format_message(info, decoder.text_.data());
    std::longjmp(decoder.back_, 1); // NOLINT: the only way out that libjpeg has
  }

  // Warnings that mean lost pixels are errors; others, such as surplus bytes between segments, are harmless and frequent.
  static void warn(j_common_ptr info, int level) {
    if (level >= 0) return;
    const int code = info->err->msg_code;
    if (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER || code == JWRN_HUFF_BAD_CODE) stop(info);
  }

  static void count_scans(j_common_ptr info) {
    jpeg_decoder& decoder = self(info);
    if (decoder.info_.input_scan_number <= most_scans) return;
    std::snprintf(decoder.text_.data(), decoder.text_.size(), "has more than %d scans", most_scans);
    std::longjmp(decoder.back_, 1); // NOLINT
  }

  bool start() {
    if (setjmp(back_) != 0) return false; // NOLINT
    jpeg_create_decompress(&info_);
    info_.progress = &progress_;
    jpeg_mem_src(&info_, reinterpret_cast<const unsigned char*>(bytes_.data()), static_cast<unsigned long>(bytes_.size()));
    jpeg_read_header(&info_, TRUE);
    return true;
  }

  bool read(rgb_image& result) {
    if (setjmp(back_) != 0) return false; // NOLINT
    const bool four = info_.jpeg_color_space == JCS_CMYK || info_.jpeg_color_space == JCS_YCCK;
    info_.out_color_space = four ? JCS_CMYK : JCS_RGB;
    jpeg_start_decompress(&info_);
    while (info_.output_scanline < info_.output_height) {
      std::uint8_t* const target = result.row(static_cast<std::ptrdiff_t>(info_.output_scanline));
      JSAMPROW line = four ? row_.data() : target;
      jpeg_read_scanlines(&info_, &line, 1);
      if (four) to_rgb(line, target, info_.output_width);
    }
    jpeg_finish_decompress(&info_);
    return true;
  }

  // Inks are stored inverted, as Adobe's programs do it; black takes from each colour.
  static void to_rgb(const std::uint8_t* inks, std::uint8_t* target, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i, inks += 4, target += 3)
      for (int c = 0; c < 3; ++c) target[c] = static_cast<std::uint8_t>(inks[3] - multiply_bytes(255 - inks[c], inks[3]));
  }

  [[noreturn]] void fail() const { throw std::runtime_error(std::string("the JPEG is damaged or not supported: ") + text_.data()); }

  std::span<const std::byte> bytes_;
  std::size_t pixel_limit_;
  jpeg_decompress_struct info_{};
  jpeg_error_mgr manager_{};
  jpeg_progress_mgr progress_{};
  std::jmp_buf back_{};
  std::array<char, JMSG_LENGTH_MAX> text_{};
  std::vector<std::uint8_t> row_; // one row of inks
};

} // namespace detail

/// Decodes a JPEG file that lies in memory: gray, YCbCr, RGB, and CMYK or YCCK (inverted inks), baseline and progressive.
/// Throws std::runtime_error for damage, data that end early, other colour spaces, and more pixels than the limit.
inline rgb_image decode_jpeg(std::span<const std::byte> bytes, std::size_t pixel_limit = default_pixel_limit) {
  return detail::jpeg_decoder(bytes, pixel_limit).decode();
}

} // namespace dalib::image

#endif
