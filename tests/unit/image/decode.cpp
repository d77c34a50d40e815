// Decoded and resized images against Pillow's: pillow/make.py made the files and the expected values.
#include "image/decode.hpp"
#include "image/resample.hpp"
#include "io/safetensors.hpp"
#include "unit/data/files.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <zlib.h>

using namespace dalib;
using namespace file_tests;

namespace {

const fs::path folder = DALIB_PILLOW_DIR;

#if defined(DALIB_HAVE_JPEG) || defined(DALIB_HAVE_PNG)
/// Largest difference of a grey level; fails for other sizes.
int largest_difference(const image::rgb_image& got, const io::tensor_view& want) {
  REQUIRE(want.shape == io::tensor_shape{got.height, got.width, 3});
  const auto values = want.values<std::uint8_t>();
  int largest = 0;
  for (std::size_t i = 0; i < values.size(); ++i) largest = std::max(largest, std::abs(int{got.pixels[i]} - int{values[i]}));
  return largest;
}

int largest_difference(const image::rgb_image& got, const std::string& expected_name) {
  static const io::safetensors_file expected(folder / "expected.safetensors");
  return largest_difference(got, expected.at(expected_name));
}

/// Decodes the files in modes.safetensors with names of that ending; there must be `count`.
void check_modes(const std::string& ending, int count, int tolerance) {
  static const io::safetensors_file modes(folder / "modes.safetensors");
  int found = 0;
  for (const io::tensor_view& file : modes.tensors()) {
    if (!file.name.starts_with("file ") || !file.name.ends_with(ending)) continue;
    const std::string name = file.name.substr(5);
    CAPTURE(name);
    CHECK(largest_difference(image::decode(file.bytes, name), modes.at("pixels " + name)) <= tolerance);
    ++found;
  }
  CHECK(found == count);
}
#endif

#ifdef DALIB_HAVE_JPEG
/// Other libraries than libjpeg-turbo, which Pillow has, may round otherwise.
#  ifdef LIBJPEG_TURBO_VERSION
constexpr int jpeg_tolerance = 0;
#  else
constexpr int jpeg_tolerance = 1;
#  endif
#endif

#ifdef DALIB_HAVE_PNG
/// The file with `count` bytes at `place` replaced by the given one.
std::string damaged(const std::string& name, std::size_t place, std::size_t count, char value) {
  std::string bytes = read_bytes(folder / name);
  return bytes.replace(place, count, count, value);
}
#endif

std::string decode_error(const std::string& bytes) {
  return error_of([&] { image::decode(as_bytes(bytes), "some/picture"); });
}

} // namespace

#ifdef DALIB_HAVE_JPEG
TEST_CASE("JPEG: gray, colour, CMYK, progressive as Pillow decodes them") {
  for (const char* name : {"rgb.jpg", "rgb444.jpg", "progressive.jpg", "gray.jpg", "cmyk.jpg"}) {
    CAPTURE(name);
    CHECK(largest_difference(image::read_image(folder / name), name) <= jpeg_tolerance);
  }
}

TEST_CASE("JPEG: every way to sample colours, gray, RGB, CMYK and progressive, in sizes around blocks, as Pillow decodes them") {
  check_modes(".jpg", 49, jpeg_tolerance);
}

TEST_CASE("JPEG: files that are cut off anywhere are refused by name") {
  for (const char* name : {"rgb.jpg", "progressive.jpg"}) {
    const std::string whole = read_bytes(folder / name);
    for (std::size_t size = 3; size + 2 < whole.size(); size += 7) {
      CAPTURE(size);
      CHECK(contains(decode_error(whole.substr(0, size)), "some/picture: the JPEG is damaged"));
    }
  }
}

TEST_CASE("JPEG: more pixels than allowed") {
  const std::string bytes = read_bytes(folder / "rgb.jpg");
  CHECK(contains(error_of([&] { image::decode(as_bytes(bytes), "x.jpg", 37 * 29 - 1); }), "x.jpg: announces 1073 pixels"));
  CHECK(image::decode(as_bytes(bytes), "x.jpg", 37 * 29).height == 29);
}
#endif

#ifdef DALIB_HAVE_PNG
TEST_CASE("PNG: all kinds of pixels as Pillow decodes them") {
  for (const char* name : {"rgb.png", "rgba.png", "gray.png", "gray_alpha.png", "palette.png", "palette_transparent.png", "bits.png",
                           "rgb16.png", "gray16.png"}) {
    CAPTURE(name);
    CHECK(largest_difference(image::read_image(folder / name), name) == 0);
  }
}

TEST_CASE("PNG: every colour type in every depth, with and without a transparent colour, as Pillow decodes them") {
  check_modes(".png", 26, 0);
}

TEST_CASE("PNG: cut off, damaged, too large") {
  const std::string whole = read_bytes(folder / "palette.png");
  for (std::size_t size = 8; size < whole.size(); size += 5) {
    CAPTURE(size);
    CHECK(contains(decode_error(whole.substr(0, size)), "some/picture: the PNG is damaged"));
  }
  for (const std::size_t place : {20U, 45U, 200U})
    CHECK(contains(decode_error(damaged("rgb.png", place, 4, '\x55')), "the PNG is damaged"));
  CHECK(contains(error_of([&] { image::decode(as_bytes(whole), "x.png", 100); }), "x.png: announces 1073 pixels"));
}

TEST_CASE("resize: Pillow's antialiased bilinear filter, shrinking and enlarging") {
  const image::rgb_image source = image::read_image(folder / "rgb.png");
  for (const auto& [width, height] : {std::pair{16, 16}, {64, 50}, {37, 7}, {5, 29}, {1, 1}, {36, 30}}) {
    const std::string name = "rgb.png to " + std::to_string(width) + "x" + std::to_string(height);
    CAPTURE(name);
    CHECK(largest_difference(image::resize(source, width, height), name) == 0);
  }
  const image::rgb_image part = image::crop(source, {5, 3, 21, 22});
  CHECK(largest_difference(image::resize(part, 24, 24), "rgb.png part (5, 3, 21, 22) to 24x24") == 0);
  CHECK(image::resize(source, source.width, source.height).pixels == source.pixels);
}
#endif

TEST_CASE("resize: noise of every shape has Pillow's bytes") {
  std::ifstream lines(folder / "resized.txt");
  std::ptrdiff_t width = 0, height = 0, new_width = 0, new_height = 0;
  std::string checksum;
  image::rgb_image noise;
  int cases = 0;
  for (; lines >> width >> height >> new_width >> new_height >> checksum; ++cases) {
    if (noise.width != width || noise.height != height) {
      noise = image::rgb_image(width, height);
      for (std::size_t i = 0; i < noise.pixels.size(); ++i)
        noise.pixels[i] = static_cast<std::uint8_t>((static_cast<std::uint32_t>(i) * 2654435761U) >> 24);
    }
    CAPTURE(width);
    CAPTURE(height);
    CAPTURE(new_width);
    CAPTURE(new_height);
    const image::rgb_image result = image::resize(noise, new_width, new_height);
    CHECK(crc32_z(0, result.pixels.data(), result.pixels.size()) == std::stoul(checksum, nullptr, 16));
  }
  CHECK(cases == 192);
}

TEST_CASE("image files of other kinds") {
  CHECK(decode_error("") == "some/picture: is empty");
  CHECK(contains(decode_error("GIF89a"), "neither a JPEG nor a PNG"));
  CHECK(contains(error_of([] { image::read_image("no/such.png"); }), "no/such.png: cannot open"));
  if (!image::has_jpeg) CHECK(contains(decode_error("\xFF\xD8\xFF\xE0"), "built without libjpeg"));
  if (!image::has_png) CHECK(contains(decode_error("\x89PNG\r\n\x1A\n"), "built without libpng"));
}
