#include "image/encode_png.hpp"
#include "image/decode.hpp"

#include <doctest/doctest.h>

using namespace dalib;

TEST_CASE("encode_png: what libpng reads again is the image") {
  for (const auto& [width, height] : {std::pair<std::ptrdiff_t, std::ptrdiff_t>{1, 1}, {5, 3}, {3, 70}, {112, 64}}) {
    image::rgb_image picture(width, height);
    for (std::size_t i = 0; i < picture.pixels.size(); ++i) picture.pixels[i] = static_cast<std::uint8_t>(i * i / 7 + 200 * (i % 3));
    const std::string file = image::encode_png(picture);
    CHECK(file.substr(1, 3) == "PNG");
    if (!image::has_png) continue;
    const image::rgb_image again = image::decode(std::as_bytes(std::span(file)), "made.png");
    CHECK(again.width == width);
    CHECK(again.height == height);
    CHECK(again.pixels == picture.pixels);
  }
  CHECK_THROWS_AS(image::encode_png({}), std::runtime_error);
}

TEST_CASE("data_uri: base64 as in RFC 4648") {
  CHECK(image::data_uri("a/b", "") == "data:a/b;base64,");
  CHECK(image::data_uri("a/b", "f") == "data:a/b;base64,Zg==");
  CHECK(image::data_uri("a/b", "fo") == "data:a/b;base64,Zm8=");
  CHECK(image::data_uri("a/b", "foo") == "data:a/b;base64,Zm9v");
  CHECK(image::data_uri("a/b", "foobar") == "data:a/b;base64,Zm9vYmFy");
  CHECK(image::data_uri("a/b", "\xff\xfe\x00z") == "data:a/b;base64,//4="); // a text ends at its 0
  CHECK(image::data_uri("a/b", std::string_view("\xff\xfe\x00z", 4)) == "data:a/b;base64,//4Aeg==");
}
