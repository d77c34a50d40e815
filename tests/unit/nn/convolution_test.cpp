#include "check_gradients.hpp"

using namespace dalib;
using test::check_gradients;
using test::random_leaf;
using test::random_matrix;
using test::weighted_sum;

namespace {

/// The definition, one product at a time.
ad::matrix<double> direct_convolution(const ad::variable<double>& x, const ad::variable<double>& weight, const ad::variable<double>& bias,
                                      const ad::window& w) {
  const ad::geometry in = x.shape();
  const ad::index_t height = w.outputs(in.height), width = w.outputs(in.width), channels = x.cols();
  ad::matrix<double> result(in.images * height * width, weight.cols());
  for (ad::index_t n = 0; n < in.images; ++n)
    for (ad::index_t oy = 0; oy < height; ++oy)
      for (ad::index_t ox = 0; ox < width; ++ox)
        for (ad::index_t o = 0; o < weight.cols(); ++o) {
          double sum = bias.valid() ? bias.value()(0, o) : 0;
          for (ad::index_t ky = 0; ky < w.kernel; ++ky)
            for (ad::index_t kx = 0; kx < w.kernel; ++kx) {
              const ad::index_t y = oy * w.stride - w.padding + ky, column = ox * w.stride - w.padding + kx;
              if (y < 0 || y >= in.height || column < 0 || column >= in.width) continue;
              for (ad::index_t c = 0; c < channels; ++c)
                sum += x.value()((n * in.height + y) * in.width + column, c) * weight.value()((ky * w.kernel + kx) * channels + c, o);
            }
          result((n * height + oy) * width + ox, o) = sum;
        }
  return result;
}

struct convolution_case {
  ad::geometry shape;
  ad::index_t in, out;
  ad::window w;
};

const std::vector<convolution_case> awkward_cases{
    {{1, 1, 1}, 1, 1, {1, 1, 0}},  {{2, 5, 7}, 3, 5, {3, 1, 1}}, {{3, 6, 5}, 1, 20, {5, 1, 0}}, {{2, 7, 6}, 2, 50, {3, 2, 1}},
    {{1, 9, 8}, 3, 17, {7, 2, 3}}, {{2, 5, 5}, 4, 3, {1, 2, 0}}, {{1, 6, 6}, 2, 3, {2, 2, 0}},  {{2, 4, 4}, 9, 70, {3, 1, 2}},
    {{1, 5, 5}, 2, 3, {3, 3, 2}},  {{9, 3, 3}, 5, 6, {3, 1, 1}}, {{1, 3, 11}, 2, 4, {3, 2, 0}},
};

} // namespace

TEST_CASE("convolution against its definition and finite differences") {
  for (const auto& c : awkward_cases) {
    CAPTURE(c.shape.height);
    CAPTURE(c.w.kernel);
    CAPTURE(c.w.stride);
    const auto x = random_leaf(c.shape, c.in, 1), weight = random_leaf(c.w.kernel * c.w.kernel * c.in, c.out, 2);
    const auto bias = random_leaf(1, c.out, 3);
    CHECK((ad::conv2d(x, weight, bias, c.w).value() - direct_convolution(x, weight, bias, c.w)).cwiseAbs().maxCoeff() < 1e-12);
    CHECK((ad::conv2d(x, weight, {}, c.w).value() - direct_convolution(x, weight, {}, c.w)).cwiseAbs().maxCoeff() < 1e-12);
    check_gradients(
        {x, weight, bias}, [&] { return weighted_sum(ad::conv2d(x, weight, bias, c.w)); }, 1e-6);
    if (c.shape.rows() > 1)
      check_gradients(
          {x, weight, bias}, [&] { return weighted_sum(ad::conv2d(x, weight, bias, c.w, ad::activation::relu)); }, 1e-6);
  }
}

TEST_CASE("many images and wide layers: all blockings against the definition") {
  const std::vector<convolution_case> cases{{{40, 8, 8}, 3, 10, {3, 1, 1}},
                                            {{6, 12, 12}, 20, 50, {5, 1, 0}},
                                            {{70, 3, 3}, 2, 130, {3, 1, 1}},
                                            {{2, 3, 3}, 300, 9, {3, 1, 1}},
                                            {{3, 30, 30}, 4, 8, {3, 2, 1}}};
  for (const auto& c : cases) {
    CAPTURE(c.shape.images);
    const auto x = random_leaf(c.shape, c.in, 1), weight = random_leaf(c.w.kernel * c.w.kernel * c.in, c.out, 2);
    const auto y = ad::conv2d(x, weight, {}, c.w);
    CHECK((y.value() - direct_convolution(x, weight, {}, c.w)).cwiseAbs().maxCoeff() < 1e-11);
    // The gradients are adjoint: <y(x), R> = <x, dx> = <w, dw>, for the linear map in x and in w.
    const auto r = random_matrix(y.rows(), y.cols(), 5);
    const double product = (y.value().array() * r.array()).sum();
    ad::backward(ad::sum(ad::multiply(y, ad::constant(r, y.shape()))));
    CHECK((x.value().array() * x.gradient().array()).sum() == doctest::Approx(product).epsilon(1e-10));
    CHECK((weight.value().array() * weight.gradient().array()).sum() == doctest::Approx(product).epsilon(1e-10));
  }
}

TEST_CASE("linear layers") {
  for (const auto& [rows, in, out] : std::vector<std::array<ad::index_t, 3>>{{1, 1, 1}, {1, 5, 3}, {7, 3, 18}, {9, 33, 1}, {3, 70, 129}}) {
    const auto x = random_leaf(rows, in, 1), weight = random_leaf(in, out, 2), bias = random_leaf(1, out, 3);
    const ad::matrix<double> expected = (x.value() * weight.value()).rowwise() + Eigen::RowVectorXd(bias.value());
    CHECK((ad::linear(x, weight, bias).value() - expected).cwiseAbs().maxCoeff() < 1e-12);
    check_gradients(
        {x, weight, bias}, [&] { return weighted_sum(ad::linear(x, weight, bias)); }, 1e-6);
  }
  CHECK_THROWS_AS(ad::linear(random_leaf(2, 3, 1), random_leaf(4, 2, 1), {}), std::invalid_argument);
  CHECK_THROWS_AS(ad::linear(random_leaf(2, 3, 1), random_leaf(3, 2, 1), random_leaf(1, 3, 1)), std::invalid_argument);
  CHECK_THROWS_AS(ad::conv2d(random_leaf({1, 2, 2}, 1, 1), random_leaf(9, 2, 1), {}, {3, 1, 0}), std::invalid_argument);
}

TEST_CASE("frozen inputs and weights get no gradient") {
  const auto x = random_leaf({2, 5, 5}, 2, 1), weight = random_leaf(18, 3, 2);
  x.set_requires_gradient(false);
  ad::backward(ad::sum(ad::conv2d(x, weight, {}, {3, 1, 1})));
  CHECK(!x.has_gradient());
  CHECK(weight.gradient().norm() > 0);
}

TEST_CASE("convolution with max pooling in one operation equals the two operations") {
  struct pooled_case {
    ad::geometry shape;
    ad::index_t in, out;
    ad::window taps, pool;
  };
  const std::vector<pooled_case> cases{
      {{3, 9, 8}, 1, 20, {5, 1, 0}, {2, 2, 0}},  {{20, 6, 6}, 3, 5, {3, 1, 0}, {2, 2, 0}}, {{2, 9, 9}, 4, 3, {3, 2, 0}, {2, 1, 0}},
      {{2, 8, 8}, 20, 50, {5, 1, 0}, {3, 2, 1}}, {{2, 7, 7}, 2, 3, {3, 1, 1}, {2, 2, 0}},  {{1, 3, 3}, 1, 1, {3, 1, 0}, {1, 1, 0}},
  };
  for (const auto& c : cases)
    for (const auto act : {ad::activation::none, ad::activation::relu}) {
      CAPTURE(c.shape.height);
      CAPTURE(c.pool.kernel);
      const auto x = random_leaf(c.shape, c.in, 1), weight = random_leaf(c.taps.kernel * c.taps.kernel * c.in, c.out, 2);
      const auto bias = random_leaf(1, c.out, 3);
      bias.mutable_value().array() += 1; // keeps the smallest case above zero
      const std::vector<ad::variable<double>> leaves{x, weight, bias};
      const auto two = ad::max_pool(ad::conv2d(x, weight, bias, c.taps), c.pool, act);
      const auto one = ad::conv2d_max_pool(x, weight, bias, c.taps, c.pool, act);
      CHECK(one.shape() == two.shape());
      CHECK((one.value() - two.value()).cwiseAbs().maxCoeff() < 1e-12);
      std::vector<ad::matrix<double>> expected;
      ad::backward(weighted_sum(two));
      for (const auto& leaf : leaves) {
        expected.push_back(leaf.gradient());
        CHECK(expected.back().norm() > 0);
        leaf.clear_gradient();
      }
      ad::backward(weighted_sum(one));
      for (std::size_t i = 0; i < leaves.size(); ++i) CHECK((leaves[i].gradient() - expected[i]).cwiseAbs().maxCoeff() < 1e-11);
    }
}
