#ifdef DALIB_TEST_XTENSOR
#  include "conformance/check_tensor.hpp"

#  include <dalib/xtensor.hpp>

#  include <array>
#  include <deque>
#  include <doctest/doctest.h>
#  include <memory>
#  include <stdexcept>
#  include <string_view>
#  include <vector>

namespace {

template <std::size_t N>
std::array<std::size_t, N> shape_of(dalib::index_t rows, std::array<std::size_t, N> shape) {
  shape[0] = static_cast<std::size_t>(rows);
  return shape;
}

} // namespace

TEST_CASE("conformance: xarray and xtensor of 2, 3 and 4 dimensions") {
  auto found = conformance::check_tensor<float>([](dalib::index_t rows, dalib::index_t cols) {
    return xt::xarray<float>(std::vector<std::size_t>{std::size_t(rows), std::size_t(cols)});
  });
  found.add(conformance::check_tensor<float>([](dalib::index_t rows, dalib::index_t cols) {
    return xt::xtensor<float, 2>(shape_of<2>(rows, {0, std::size_t(cols)}));
  }));
  found.add(conformance::check_tensor<double>([](dalib::index_t rows, dalib::index_t) {
    return xt::xtensor<double, 3>(shape_of<3>(rows, {0, 2, 2}));
  }));
  found.add(conformance::check_tensor<double>([](dalib::index_t rows, dalib::index_t) {
    return xt::xtensor<double, 4>(shape_of<4>(rows, {0, 2, 1, 2}));
  }));
  CHECK_MESSAGE(found.passed(), found.text());
}

TEST_CASE("conformance: column-major xtensor") {
  const auto found = conformance::check_tensor<float>([](dalib::index_t rows, dalib::index_t cols) {
    return xt::xtensor<float, 2, xt::layout_type::column_major>(shape_of<2>(rows, {0, std::size_t(cols)}));
  });
  CHECK_MESSAGE(found.passed(), found.text());
}

TEST_CASE("conformance: xtensor views and adapted memory") {
  auto memory = std::make_shared<std::deque<xt::xtensor<float, 2>>>();
  auto found = conformance::check_tensor<float>([memory](dalib::index_t rows, dalib::index_t cols) {
    auto& whole = memory->emplace_back(shape_of<2>(rows + 2, {0, std::size_t(cols) + 3}));
    return xt::view(whole, xt::range(1, 1 + rows), xt::range(2, 2 + cols));
  });
  auto cells = std::make_shared<std::deque<std::vector<float>>>();
  found.add(conformance::check_tensor<float>([cells](dalib::index_t rows, dalib::index_t cols) {
    auto& own = cells->emplace_back(static_cast<std::size_t>(rows * cols));
    return xt::adapt(own, shape_of<2>(rows, {0, std::size_t(cols)}));
  }));
  CHECK_MESSAGE(found.passed(), found.text());
}

TEST_CASE("conformance: the allocating form keeps an xtensor's shape") {
  xt::xtensor<double, 3> rows(shape_of<3>(6, {0, 2, 2}));
  for (std::size_t i = 0; i < rows.size(); ++i) rows.data()[i] = 0.1 * static_cast<double>(i * i % 17);
  const auto found = conformance::check_allocating_form<double>(rows);
  CHECK_MESSAGE(found.passed(), found.text());
  const auto result = dalib::value_and_gradient(dalib::mmd{}, rows, rows);
  CHECK(result.source.dimension() == 3);
  CHECK(result.source.shape()[2] == 2);
}

TEST_CASE("trailing axes without a common stride, and scalars, are refused with the reason") {
  const xt::xtensor<double, 3, xt::layout_type::column_major> rows(shape_of<3>(6, {0, 2, 2}), 1.0);
  CHECK_THROWS_WITH_AS(dalib::mmd{}(rows, rows), doctest::Contains("(minibatch, *)"), std::invalid_argument);
  const xt::xarray<double> scalar(1.0);
  CHECK_THROWS_WITH_AS(dalib::mmd{}(scalar, scalar), doctest::Contains("scalar"), std::invalid_argument);
}
#endif
