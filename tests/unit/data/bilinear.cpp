#include "data/bilinear.hpp"

#include <doctest/doctest.h>

using namespace dalib::data;
using matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

TEST_CASE("2 x 2 to 4 x 4 by hand") {
  matrix image(2, 2);
  image << 0, 1, 2, 3;
  matrix expected(4, 4);
  expected << 0.F, 0.25F, 0.75F, 1.F, //
      0.5F, 0.75F, 1.25F, 1.5F,       //
      1.5F, 1.75F, 2.25F, 2.5F,       //
      2.F, 2.25F, 2.75F, 3.F;
  CHECK(resize_bilinear(image, 4, 4) == expected);
}

TEST_CASE("taps of 8 stretched to 20") {
  const bilinear_tap first = half_pixel_tap(0, 8, 20); // source -0.3, clamped
  CHECK(first.first == 0);
  CHECK(first.weight == 0);
  const bilinear_tap seventh = half_pixel_tap(7, 8, 20); // 7.5 * 0.4 - 0.5 = 2.5
  CHECK(seventh.first == 2);
  CHECK(seventh.second == 3);
  CHECK(seventh.weight == doctest::Approx(0.5));
  const bilinear_tap last = half_pixel_tap(19, 8, 20); // source 7.3, clamped
  CHECK(last.first == 7);
  CHECK(last.second == 7);
  CHECK(last.weight == 0);
}

TEST_CASE("same size is the identity, a constant stays, one pixel spreads") {
  const matrix image = matrix::Random(5, 7);
  CHECK(resize_bilinear(image, 5, 7) == image);
  CHECK(resize_bilinear(matrix::Constant(3, 4, 2.F), 9, 10).isConstant(2.F));
  CHECK(resize_bilinear(matrix::Constant(1, 1, 3.F), 4, 4).isConstant(3.F));
}

TEST_CASE("a ramp stays a ramp away from the borders") {
  matrix ramp(1, 8);
  for (int i = 0; i < 8; ++i) ramp(0, i) = static_cast<float>(i);
  const matrix wide = resize_bilinear(ramp, 1, 28);
  for (int i = 2; i < 26; ++i) CHECK(wide(0, i) == doctest::Approx((i + 0.5) * 8 / 28 - 0.5));
}
