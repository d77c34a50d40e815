#include "train/models/augmentation.hpp"

#include <doctest/doctest.h>

using namespace dalib;

namespace {

ad::variable<float> ramps(ad::index_t images, ad::index_t side, ad::index_t channels) {
  ad::tensor<float> values(images * side * side, channels);
  for (ad::index_t i = 0; i < values.size(); ++i) values.data()[i] = static_cast<float>(i % 37) / 18 - 1;
  return ad::constant(std::move(values), {images, side, side});
}

constexpr train::augmentation nothing{
    .zoom = 1, .stretch = 1, .shear = 0, .rotation = 0, .shift = 0, .contrast = 1, .light = 0, .noise = 0, .inversion = 0, .uneven = 0};

} // namespace

TEST_CASE("augmentation: without room to change, images stay; inversion alone exchanges light and dark") {
  const auto images = ramps(3, 6, 2);
  CHECK((train::augmented(images, nothing, 5).value() - images.value()).cwiseAbs().maxCoeff() < 1e-5F);
  train::augmentation inverted = nothing;
  inverted.inversion = 1;
  CHECK((train::augmented(images, inverted, 5).value() + images.value()).cwiseAbs().maxCoeff() < 1e-5F);
}

TEST_CASE("augmentation: a change follows from the key and the image's place alone") {
  const train::augmentation some;
  const auto images = ramps(4, 7, 1);
  const auto changed = train::augmented(images, some, 1);
  CHECK(changed.value() == train::augmented(images, some, 1).value());
  CHECK(changed.value() != train::augmented(images, some, 2).value());
  CHECK(changed.value().topRows(49) != changed.value().middleRows(49, 49));
  const auto first = train::augmented(ramps(1, 7, 1), some, 1);
  CHECK(first.value() == changed.value().topRows(49));
  CHECK(changed.value().allFinite());
  CHECK(!changed.requires_gradient());
}

TEST_CASE("augmentation: zoom and shift go where they say, the edge goes on") {
  ad::tensor<float> values(49, 1);
  values.view().setZero();
  values.data()[3 * 7 + 3] = 1; // the centre stays under a zoom
  const auto dot = ad::constant(std::move(values), {1, 7, 7});
  train::augmentation zoom = nothing;
  zoom.zoom = 2;
  const auto zoomed = train::augmented(dot, zoom, 3);
  CHECK(zoomed.value()(3 * 7 + 3, 0) == doctest::Approx(1));
  const auto even = ad::constant(ad::matrix<float>(ad::matrix<float>::Ones(49, 1)), ad::geometry{1, 7, 7});
  train::augmentation far = nothing;
  far.shift = 0.9, far.rotation = 45, far.zoom = 3;
  CHECK((train::augmented(even, far, 9).value().array() - 1).abs().maxCoeff() < 1e-5F);
}

TEST_CASE("augmentation: rows of features get noise and nothing else") {
  ad::matrix<float> rows = ad::matrix<float>::Constant(200, 50, 3);
  const auto features = ad::constant(rows, ad::geometry{200, 1, 1});
  const auto changed = train::augmented(features, {.noise = 0.5}, 4);
  const auto apart = (changed.value().array() - 3).eval();
  CHECK(std::abs(apart.mean()) < 0.02); // 10^4 numbers of deviation 0.29 on average
  CHECK(std::sqrt(apart.square().mean()) == doctest::Approx(0.5 / std::sqrt(3.0)).epsilon(0.15));
}

TEST_CASE("augmentation: uneven light differs over an image, smoothly, by the image's draw, and leaves all else as it was") {
  const auto even = ad::constant(ad::matrix<float>(ad::matrix<float>::Ones(4 * 256, 1)), ad::geometry{4, 16, 16});
  train::augmentation uneven = nothing;
  uneven.uneven = 0.5;
  const auto changed = train::augmented(even, uneven, 3);
  const auto first = changed.value().topRows(256), second = changed.value().middleRows(256, 256);
  CHECK(first != second);
  CHECK(changed.value() == train::augmented(even, uneven, 3).value());
  CHECK((changed.value().array() - 1).abs().maxCoeff() <= 1.5F); // 2 * 0.5 of the contrast and 0.5 of the light
  CHECK((first.array() - first.mean()).abs().maxCoeff() > 0.01F);
  // With 8 cells along 15 steps a step is at most 8 / 15 of the way between two nodes, which are 3 apart at most.
  for (ad::index_t i = 1; i < 16; ++i) CHECK(std::abs(first(i, 0) - first(i - 1, 0)) <= 3.0F * 8 / 15 + 1e-5F);
  // The other draws do not move with it.
  const auto pictures = ramps(4, 16, 1);
  train::augmentation some, more;
  more.uneven = 1e-6;
  CHECK((train::augmented(pictures, more, 3).value() - train::augmented(pictures, some, 3).value()).cwiseAbs().maxCoeff() < 1e-4F);
  CHECK(uneven.scaled(0).uneven == 0);
}

TEST_CASE("smooth field: 0 without room, otherwise the nodes' numbers at its corners and between them in its middle") {
  CHECK(train::smooth_field<double>(0, io::random_generator(1))(0.3, 0.7) == 0);
  double largest = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const train::smooth_field<double> field(2, io::random_generator(seed));
    const double corner = field(0, 0), near = field(1e-9, 1e-9);
    CHECK(near == doctest::Approx(corner).epsilon(1e-6));
    for (const double x : {0.0, 0.25, 0.5, 1.0}) largest = std::max(largest, std::abs(field(x, 1)));
  }
  CHECK(largest <= 2);
  CHECK(largest > 1);
}
