#ifdef DALIB_TEST_XTENSOR
#  include <dalib/xtensor.hpp>

#  include <array>
#  include <doctest/doctest.h>
#  include <stdexcept>
#  include <type_traits>

using namespace dalib;

static_assert(matrix_like<xt::xarray<float>> && matrix_like<xt::xtensor<double, 3>>);
static_assert(matrix_traits<xt::xtensor<float, 2>>::owning);
static_assert(!matrix_like<decltype(xt::xarray<double>() + xt::xarray<double>())>, "an expression has no memory");

TEST_CASE("n-d tensors are flattened as (minibatch, everything else)") {
  xt::xtensor<float, 4> t(std::array<std::size_t, 4>{3, 2, 1, 5});
  CHECK(shape_of(view_of(t)) == "3 x 10");
  CHECK(view_of(t).row_stride == 10);
  CHECK(&view_of(t)(2, 7) == &t(2, 1, 0, 2));
  xt::xtensor<float, 1> v(std::array<std::size_t, 1>{6});
  CHECK(shape_of(view_of(v)) == "6 x 1");
}

TEST_CASE("axes of extent 1, at any place, and a single sample") {
  xt::xtensor<double, 4> one(std::array<std::size_t, 4>{1, 2, 3, 1});
  CHECK(shape_of(view_of(one)) == "1 x 6");
  CHECK(&view_of(one)(0, 5) == &one(0, 1, 2, 0));
  xt::xtensor<double, 3> thin(std::array<std::size_t, 3>{4, 1, 1});
  CHECK(shape_of(view_of(thin)) == "4 x 1");
  CHECK(&view_of(thin)(3, 0) == &thin(3, 0, 0));
}

TEST_CASE("no samples") {
  const xt::xtensor<double, 2> none(std::array<std::size_t, 2>{0, 4}), some(std::array<std::size_t, 2>{3, 4}, 1.0);
  CHECK_THROWS_WITH_AS(mmd{}(none, some), doctest::Contains("0 x 4 and 3 x 4"), std::invalid_argument);
}

TEST_CASE("a view of the trailing axes that cannot be flattened is refused, one that can is read in place") {
  xt::xtensor<double, 3> t(std::array<std::size_t, 3>{4, 3, 6}, 0.0);
  auto every_sample_of_one_plane = xt::view(t, xt::all(), 1, xt::all());
  CHECK(shape_of(view_of(every_sample_of_one_plane)) == "4 x 6");
  CHECK(&view_of(every_sample_of_one_plane)(2, 5) == &t(2, 1, 5));
  auto cut = xt::view(t, xt::all(), xt::all(), xt::range(0, 5));
  CHECK_THROWS_WITH_AS(mmd{}(cut, cut), doctest::Contains("row-major"), std::invalid_argument);
  auto every_second = xt::view(t, xt::range(0, 4, 2), xt::all(), xt::all());
  CHECK(shape_of(view_of(every_second)) == "2 x 18");
  CHECK(&view_of(every_second)(1, 17) == &t(2, 2, 5));
}

TEST_CASE("a constant tensor gives a read-only view") {
  const xt::xtensor<double, 2> t(std::array<std::size_t, 2>{3, 4}, 1.0);
  static_assert(std::is_same_v<decltype(view_of(t)), matrix_view<const double>>);
  CHECK(view_of(t).data == t.data());
}
#endif
