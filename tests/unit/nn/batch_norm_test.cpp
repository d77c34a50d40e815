#include "check_gradients.hpp"

#include <nn/layers.hpp>

using namespace dalib;
using test::check_gradients;
using test::random_leaf;
using test::weighted_sum;

namespace {
ad::batch_statistics<double> statistics(ad::index_t channels) {
  ad::batch_statistics<double> result{ad::tensor<double>(1, channels), ad::tensor<double>(1, channels)};
  result.mean.view() = test::random_matrix(1, channels, 11);
  result.variance.view() = test::random_matrix(1, channels, 12).cwiseAbs2();
  result.variance.view().array() += 0.5;
  return result;
}
} // namespace

TEST_CASE("batch norm: gradients in training and evaluation mode") {
  const std::vector<std::pair<ad::geometry, ad::index_t>> cases{{{2, 1, 1}, 3}, {{9, 1, 1}, 20}, {{3, 5, 2}, 5}};
  for (const auto& sizes : cases)
    for (const bool training : {true, false}) {
      const ad::geometry shape = sizes.first;
      const ad::index_t channels = sizes.second;
      CAPTURE(channels);
      CAPTURE(training);
      const auto x = random_leaf(shape, channels, 1), scale = random_leaf(1, channels, 2), shift = random_leaf(1, channels, 3);
      const auto other = random_leaf(shape, channels, 4);
      const auto running = statistics(channels);
      const double tolerance = shape.rows() == 2 ? 1e-4 : 1e-6; // two rows: the normalised values are nearly constant
      if (!training || shape.rows() > 2)
        check_gradients(
            {x}, [&] { return weighted_sum(ad::batch_norm(x, scale, shift, running, training)); }, tolerance);
      check_gradients(
          {scale, shift}, [&] { return weighted_sum(ad::batch_norm(x, scale, shift, running, training)); }, tolerance);
      if (shape.rows() == 2) continue;
      const auto relu = ad::activation::relu;
      check_gradients(
          {x, scale, shift}, [&] { return weighted_sum(ad::batch_norm(x, scale, shift, running, training, relu)); }, tolerance);
      check_gradients(
          {x, scale, shift, other}, [&] { return weighted_sum(ad::batch_norm(x, scale, shift, running, training, relu, other)); },
          tolerance);
      // The residual may be the input itself.
      check_gradients(
          {x}, [&] { return weighted_sum(ad::batch_norm(x, scale, shift, running, training, relu, x)); }, tolerance);
    }
}

TEST_CASE("batch norm: statistics") {
  nn::batch_norm<double> layer(4);
  const ad::matrix<double> values = (test::random_matrix(700, 4, 1).array() * 3 + 1e6).matrix(); // a large mean must not cost digits
  const auto y = layer(ad::constant(values));
  const Eigen::RowVectorXd mean = values.colwise().mean();
  const Eigen::RowVectorXd variance = (values.rowwise() - mean).array().square().colwise().sum() / 699;
  CHECK((y.value().colwise().mean()).cwiseAbs().maxCoeff() < 1e-6);
  CHECK((y.value().array().square().colwise().mean() - 1).abs().maxCoeff() < 1e-5);
  CHECK((layer.running_mean.tensor().view() - 0.1 * mean).cwiseAbs().maxCoeff() < 1e-6);
  CHECK((layer.running_var.tensor().view().array() - (0.9 + 0.1 * variance.array())).abs().maxCoeff() < 1e-6);

  const auto before = layer.running_mean.to_torch();
  layer.training = false;
  const auto x = test::random_matrix(3, 4, 2);
  const auto z = layer(ad::constant(x));
  CHECK(layer.running_mean.to_torch() == before);
  const double expected = (x(2, 1) - layer.running_mean.tensor().data()[1]) / std::sqrt(layer.running_var.tensor().data()[1] + 1e-5);
  CHECK(z.value()(2, 1) == doctest::Approx(expected));

  layer.training = true;
  layer.frozen = true;
  CHECK(layer(ad::constant(x)).value() == z.value());
  CHECK(layer.running_mean.to_torch() == before);
  layer.frozen = false;
  CHECK_THROWS_AS(layer(ad::constant(test::random_matrix(1, 4, 1))), std::invalid_argument);
  CHECK_THROWS_AS(layer(ad::constant(test::random_matrix(3, 5, 1))), std::invalid_argument);
}

TEST_CASE("batch norm in evaluation: a later training step does not change a recorded gradient") {
  nn::batch_norm<double> layer(2);
  const auto x = random_leaf(4, 2, 1);
  layer.training = false;
  const auto first = weighted_sum(layer(x));
  ad::backward(first);
  const ad::matrix<double> expected = x.gradient(), expected_weight = layer.weight.variable().gradient();
  x.clear_gradient();
  layer.weight.variable().clear_gradient();
  const auto again = weighted_sum(layer(x));
  layer.training = true;
  layer(ad::constant(test::random_matrix(8, 2, 3)));
  ad::backward(again);
  CHECK(x.gradient() == expected);
  CHECK(layer.weight.variable().gradient() == expected_weight);
}
