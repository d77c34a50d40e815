#include "check_gradients.hpp"

#include <autodiff/dalib_graph.hpp>

#include <array>
#include <type_traits>

using namespace dalib;
using test::random_leaf;
using test::random_matrix;

TEST_CASE("backward adds up all paths and all calls") {
  const auto x = random_leaf(3, 4, 1);
  const auto once = [&] { return ad::sum(ad::multiply(x, ad::add(x, ad::scale(x, 2.0)))); }; // 3 x^2
  ad::backward(once());
  CHECK((x.gradient() - 6 * x.value()).norm() < 1e-12);
  ad::backward(once(), 0.5);
  CHECK((x.gradient() - 9 * x.value()).norm() < 1e-12);
  x.clear_gradient();
  CHECK(!x.has_gradient());
}

TEST_CASE("a leaf that is its own loss") {
  const auto x = random_leaf(1, 1, 1);
  ad::backward(x, 3.0);
  CHECK(x.gradient()(0, 0) == 3.0);
}

TEST_CASE("detached values and constants get no gradient") {
  const auto x = random_leaf(3, 4, 1), y = random_leaf(3, 4, 2);
  const auto c = ad::constant(random_matrix(3, 4, 3));
  ad::backward(ad::sum(ad::add(ad::multiply(ad::detach(x), y), ad::multiply(c, x))));
  CHECK(x.gradient() == c.value()); // nothing from the detached product
  CHECK(y.gradient() == x.value());
  CHECK(!c.has_gradient());
  CHECK(!ad::add(c, c).requires_gradient());
}

TEST_CASE("gradient reversal scales by -lambda and keeps the value") {
  const auto x = random_leaf(2, 3, 1);
  const auto y = ad::gradient_reversal(x, 0.25);
  CHECK(y.value() == x.value());
  const auto loss = test::weighted_sum(y);
  ad::backward(loss);
  const ad::matrix<double> reversed = x.gradient();
  x.clear_gradient();
  ad::backward(test::weighted_sum(ad::scale(x, 1.0)));
  CHECK((reversed + 0.25 * x.gradient()).norm() < 1e-14);
  CHECK(reversed.norm() > 0.1);
}

TEST_CASE("no_gradient and frozen leaves record nothing") {
  const auto x = random_leaf(2, 2, 1);
  {
    const ad::no_gradient off;
    CHECK(!ad::sum(x).requires_gradient());
  }
  const auto loss = ad::sum(x);
  CHECK(loss.requires_gradient());
  x.set_requires_gradient(false);
  CHECK(!ad::sum(x).requires_gradient());
}

TEST_CASE("a graph can be used once; losses are scalars") {
  const auto x = random_leaf(2, 2, 1);
  const auto loss = ad::sum(x);
  ad::backward(loss);
  CHECK_THROWS_AS(ad::backward(loss), std::logic_error);
  CHECK_THROWS_AS(ad::backward(ad::constant(random_matrix(1, 1, 1))), std::logic_error);
  CHECK_THROWS_AS(ad::backward(ad::scale(x, 2.0)), std::invalid_argument);
  CHECK_THROWS_AS(ad::add(x, random_leaf(2, 3, 1)), std::invalid_argument);
  CHECK_THROWS_AS(loss.mutable_value(), std::logic_error);
}

TEST_CASE("record: one node for a function with known gradients") {
  using tape = graph_traits<ad::variable<double>>;
  const auto a = random_leaf(3, 2, 1), b = random_leaf(4, 2, 2);
  const auto c = ad::constant(random_matrix(2, 2, 3));
  const auto map_of = []<class T>(const matrix_view<T>& v) {
    return Eigen::Map<std::conditional_t<std::is_const_v<T>, const ad::matrix<double>, ad::matrix<double>>>(v.data, v.rows, v.cols);
  };
  const auto f = [&] {
    const auto node = tape::record(std::array{ad::scale(a, 1.0), b, c}, [&](const auto& value, const auto& gradient) {
      const auto x = map_of(value[0]), y = map_of(value[1]), z = map_of(value[2]);
      CHECK(gradient[2].data == nullptr); // of a constant
      if (gradient[0].data) map_of(gradient[0]) = 2 * x * z * z.transpose();
      if (gradient[1].data) map_of(gradient[1]).array() = y.array().cos();
      return (x * z).squaredNorm() + y.array().sin().sum();
    });
    return ad::scale(node, -1.5);
  };
  test::check_gradients({a, b}, f);
}

TEST_CASE("memory is reused between iterations") {
  const auto x = random_leaf(64, 64, 1);
  const auto iterate = [&] {
    ad::backward(ad::sum(ad::relu(ad::multiply(x, x))));
    x.clear_gradient();
  };
  iterate();
  const std::size_t before = ad::memory_pool::instance().bytes_held();
  for (int i = 0; i < 10; ++i) iterate();
  CHECK(ad::memory_pool::instance().bytes_held() == before);
}

TEST_CASE("many graphs in a chain are released without deep recursion trouble") {
  auto x = random_leaf(1, 1, 1);
  auto y = x;
  for (int i = 0; i < 2000; ++i) y = ad::scale(y, 1.0);
  ad::backward(y);
  CHECK(x.gradient()(0, 0) == 1.0);
}
