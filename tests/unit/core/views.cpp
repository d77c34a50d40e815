#include "support/foreign.hpp"

#include <array>
#include <doctest/doctest.h>
#include <limits>
#include <span>
#include <stdexcept>
#include <type_traits>
#include <vector>

using namespace dalib;

static_assert(std::is_trivially_copyable_v<matrix_view<const float>>);
static_assert(!matrix_like<int> && !matrix_like<std::vector<float>>);
static_assert(matrix_like<Eigen::MatrixXf> && matrix_like<const Eigen::MatrixXd> && matrix_like<foreign::table<float>>);
static_assert(std::is_same_v<value_type_of<const Eigen::MatrixXd>, double>);
static_assert(gram_statistic<squared_distance> && gram_statistic<inner_product> && gram_statistic<cosine_similarity>);
static_assert(!gram_statistic<l1_distance> && pair_statistic<l1_distance> && !pair_statistic<int>);
static_assert(kernel_policy<kernel::linear> && kernel_policy<kernel::gaussian_profile> && kernel_policy<foreign::exponential>);
static_assert(!kernel_policy<kernel::gaussian<>>, "a kernel with an open bandwidth is not bound");
static_assert(kernel_like<kernel::gaussian<>> && !kernel_like<double>);
static_assert(execution_policy<exec::serial> && execution_policy<foreign::reversed_threads> && !execution_policy<int>);
static_assert(estimator_policy<compat::ring> && estimator_policy<estimator::block<>> && !estimator_policy<kernel::linear>);
static_assert(accumulator_policy<foreign::extended> && !accumulator_policy<int>);
static_assert(reduction_policy<reduction::none> && !reduction_policy<int>);

TEST_CASE("a view addresses by strides, and rows of it are a view") {
  std::vector<double> cells = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  const matrix_view<double> view(cells.data(), 2, 3, 6, 2);
  CHECK(view(1, 2) == 10);
  CHECK(view.rows_from(1, 1)(0, 1) == 8);
  view(0, 1) = -1;
  const matrix_view<const double> read = view;
  CHECK(read(0, 1) == -1);
  CHECK(shape_of(read) == "2 x 3");
}

TEST_CASE("a span must have the size of its shape") {
  std::array<float, 6> cells{};
  CHECK(matrix_view<float>(std::span<float>(cells), 2, 3).row_stride == 3);
  CHECK_THROWS_WITH_AS(matrix_view<float>(std::span<float>(cells), 2, 4), doctest::Contains("6 elements is not 2 x 4"),
                       std::invalid_argument);
  CHECK_THROWS_AS(matrix_view<float>(std::span<float>(cells), -2, -3), std::invalid_argument);
}

TEST_CASE("weights are checked: one per row, finite, not negative, not all zero") {
  const Eigen::MatrixXd rows = Eigen::MatrixXd::Ones(3, 2);
  const std::vector<double> good = {1, 0, 2}, few = {1, 2}, negative = {1, -1, 1}, none = {0, 0, 0};
  const std::vector<double> not_a_number = {1, std::numeric_limits<double>::quiet_NaN(), 1};
  const std::vector<double> infinite = {1, std::numeric_limits<double>::infinity(), 1};
  const Eigen::VectorXd ones = Eigen::VectorXd::Ones(3);
  CHECK(weighted(rows, good).weights[2] == 2);
  CHECK(weighted(rows, std::span(good)).weights == good.data());
  CHECK(weighted(rows.topRows(3), ones).rows.rows == 3);
  CHECK_THROWS_WITH_AS(weighted(rows, few), doctest::Contains("2 weights for 3 x 2"), std::invalid_argument);
  CHECK_THROWS_WITH_AS(weighted(rows, negative), doctest::Contains("not negative"), std::invalid_argument);
  CHECK_THROWS_AS(weighted(rows, not_a_number), std::invalid_argument);
  CHECK_THROWS_AS(weighted(rows, infinite), std::invalid_argument);
  CHECK_THROWS_WITH_AS(weighted(rows, none), doctest::Contains("sum"), std::invalid_argument);
}

TEST_CASE("type lists keep each type once, in the order met") {
  using list = unite<type_list<int, char>, type_list<char, float, int>>;
  static_assert(std::is_same_v<list, type_list<int, char, float>>);
  CHECK(position_of<list, float> == 2);
  CHECK(list::size == 3);
}
