#include "image/transforms.hpp"
#include "unit/data/files.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <set>
#include <vector>

using namespace dalib;
using file_tests::contains;
using file_tests::error_of;

namespace {

/// Red is the column, green the row.
image::rgb_image coordinates(std::ptrdiff_t width, std::ptrdiff_t height) {
  image::rgb_image result(width, height);
  for (std::ptrdiff_t y = 0; y < height; ++y)
    for (std::ptrdiff_t x = 0; x < width; ++x) {
      result.row(y)[3 * x] = static_cast<std::uint8_t>(x);
      result.row(y)[3 * x + 1] = static_cast<std::uint8_t>(y);
    }
  return result;
}

/// Undoes the normalisation of a channel.
float grey_level(float value, std::size_t channel) {
  return 255 * (value * image::imagenet_deviation[channel] + image::imagenet_mean[channel]);
}

} // namespace

TEST_CASE("random crops lie inside and have the area and shape of torchvision's") {
  io::random_generator random(3);
  double area = 0;
  std::set<std::ptrdiff_t> places;
  constexpr int count = 4000;
  for (int i = 0; i < count; ++i) {
    const image::rectangle part = image::random_crop(256, 256, 0.08, random);
    const double share = static_cast<double>(part.width * part.height) / (256 * 256);
    const double ratio = static_cast<double>(part.width) / static_cast<double>(part.height);
    CHECK(part.left >= 0);
    CHECK(part.left + part.width <= 256);
    CHECK(part.top >= 0);
    CHECK(part.top + part.height <= 256);
    CHECK(share > 0.078);
    CHECK(ratio > 0.74);
    CHECK(ratio < 1.35);
    area += share;
    places.insert(part.left);
  }
  // Uniform area would have mean 0.54; crops that stick out are drawn again, which favours the small ones.
  CHECK(area / count > 0.48);
  CHECK(area / count < 0.56);
  CHECK(places.size() > 100);
}

TEST_CASE("images too narrow for a crop give the largest allowed part in the middle") {
  io::random_generator random(1);
  CHECK(image::random_crop(1000, 10, 0.9, random) == image::rectangle{493, 0, 13, 10});
  CHECK(image::random_crop(10, 1000, 0.9, random) == image::rectangle{0, 493, 10, 13});
}

TEST_CASE("centre crop and normalisation") {
  const image::rgb_image source = coordinates(9, 7);
  CHECK(image::centre_crop(256, 256, 224) == image::rectangle{16, 16, 224, 224});
  const image::rgb_image middle = image::crop(source, image::centre_crop(9, 7, 3));
  std::vector<float> plain(27), mirrored(27);
  image::normalise(middle, false, plain);
  image::normalise(middle, true, mirrored);
  CHECK(grey_level(plain[0], 0) == doctest::Approx(3));
  CHECK(grey_level(plain[1], 1) == doctest::Approx(2));
  CHECK(grey_level(plain[26], 2) == doctest::Approx(0));
  CHECK(grey_level(mirrored[0], 0) == doctest::Approx(5));
  CHECK(grey_level(mirrored[1], 1) == doctest::Approx(2));
  CHECK(contains(error_of<std::invalid_argument>([&] { image::crop(source, {5, 0, 5, 2}); }), "5 x 2 pixels at (5, 0)"));
  CHECK(contains(error_of<std::invalid_argument>([&] { image::normalise(middle, false, std::span(plain).first(26)); }), "room of 26"));
}

TEST_CASE("the transform draws from the sample's generator in training only") {
  const image::rgb_image source = coordinates(40, 30);
  const image::transform t = image::transform_for_side(28);
  CHECK(t.resized_side == 32);
  CHECK(image::transform_for_side(224).resized_side == 256);
  const auto result = [&](std::optional<std::uint64_t> seed, bool centred = false) {
    image::transform used = t;
    used.centre_crop = centred;
    std::vector<float> values(28 * 28 * 3);
    io::random_generator random(seed.value_or(0));
    image::apply(used, source, seed ? &random : nullptr, values);
    return values;
  };
  CHECK(result(1) == result(1));
  CHECK(result(1) != result(2));
  CHECK(result({}) != result(1));
  std::set<std::vector<float>> centred;
  for (std::uint64_t seed = 0; seed < 12; ++seed) centred.insert(result(seed, true));
  CHECK(centred.size() == 2); // flipped or not
  CHECK(centred.contains(result({})));
}
