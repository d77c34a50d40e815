/// The deep kernel: gradients of its criterion against differences, what it is for epsilon 1, threads, bad input.
#include "samples.hpp"

#include "dalib/dalib.hpp"
#include "dalib/inference/deep_permutation_test.hpp"
#include "dalib/inference/deep_test_power.hpp"
#include "dalib/inference/test_power.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

namespace {

using namespace dalib;
using namespace dalib::inference;
using matrix = Eigen::MatrixXd;
using kind = test::radial::kind;
using kernel_type = deep_kernel<test::radial, test::radial>;

kernel_type of_lengths(double features, double inputs, double epsilon) {
  return kernel_type{{kind::mixture, features}, {kind::gaussian, inputs}, epsilon};
}

/// Rows, and what a network might make of them.
struct two_samples {
  matrix x, y, phi_x, phi_y;
  explicit two_samples(index_t n, index_t m, double shift = 0.4)
      : x(test::normal_rows(1, n, 3)), y(test::normal_rows(2, m, 3, shift)), phi_x(x.leftCols(2).array().square()),
        phi_y(y.leftCols(2).array().square()) {}
};

} // namespace

TEST_CASE("The criterion's gradients to features, inputs and parameters") {
  const two_samples z(11, 11);
  const deep_test_power power{of_lengths(1.1, 1.7, 0.2)};
  const auto value_at = [&](const matrix& phi_x, const matrix& x, const matrix& phi_y, const matrix& y) {
    return power(layers(phi_x, x), layers(phi_y, y));
  };
  const auto [value, gs, gt] = value_and_gradient(power, layers(z.phi_x, z.x), layers(z.phi_y, z.y));
  CHECK(value == value_at(z.phi_x, z.x, z.phi_y, z.y));
  CHECK(test::close(std::get<0>(gs), test::differences(z.phi_x, [&](const matrix& m) { return value_at(m, z.x, z.phi_y, z.y); })));
  CHECK(test::close(std::get<1>(gs), test::differences(z.x, [&](const matrix& m) { return value_at(z.phi_x, m, z.phi_y, z.y); })));
  CHECK(test::close(std::get<0>(gt), test::differences(z.phi_y, [&](const matrix& m) { return value_at(z.phi_x, z.x, m, z.y); })));
  CHECK(test::close(std::get<1>(gt), test::differences(z.y, [&](const matrix& m) { return value_at(z.phi_x, z.x, z.phi_y, m); })));

  matrix added = matrix::Ones(11, 2);
  layer_gradients<double, 2> out;
  out.source[0] = view_of(added);
  out.scale = -2;
  out.mode = write_mode::accumulate;
  power.value_and_gradient(layers(z.phi_x, z.x), layers(z.phi_y, z.y), out); // the others are not wanted
  CHECK((added - (matrix::Ones(11, 2) - 2 * std::get<0>(gs))).norm() < 1e-12);

  const auto at = [&](double features, double inputs, double epsilon) {
    return deep_test_power{of_lengths(features, inputs, epsilon)}(layers(z.phi_x, z.x), layers(z.phi_y, z.y));
  };
  const deep_test_power plain{kernel_type{{kind::gaussian, 1.1}, {kind::gaussian, 1.7}, 0.2}};
  const deep_kernel_gradient slopes = power.parameter_gradient(layers(z.phi_x, z.x), layers(z.phi_y, z.y));
  const double h = 1e-5;
  CHECK(slopes.epsilon == doctest::Approx((at(1.1, 1.7, 0.2 + h) - at(1.1, 1.7, 0.2 - h)) / (2 * h)).epsilon(1e-6));
  CHECK(slopes.log_input_length ==
        doctest::Approx((at(1.1, 1.7 * std::exp(h), 0.2) - at(1.1, 1.7 * std::exp(-h), 0.2)) / (2 * h)).epsilon(1e-6));
  const auto plain_at = [&](double length) {
    return deep_test_power{kernel_type{{kind::gaussian, length}, {kind::gaussian, 1.7}, 0.2}}(layers(z.phi_x, z.x), layers(z.phi_y, z.y));
  };
  CHECK(plain.parameter_gradient(layers(z.phi_x, z.x), layers(z.phi_y, z.y)).log_feature_length ==
        doctest::Approx((plain_at(1.1 * std::exp(h)) - plain_at(1.1 * std::exp(-h))) / (2 * h)).epsilon(1e-6));
}

TEST_CASE("With epsilon 1 the features do not count: criterion and test are those of the inputs") {
  const two_samples z(30, 30);
  const auto only_inputs = of_lengths(1, 1.3, 1);
  const test::radial inputs{kind::gaussian, 1.3};
  CHECK(deep_test_power{only_inputs}(layers(z.phi_x, z.x), layers(z.phi_y, z.y)) ==
        doctest::Approx(test_power(inputs, liu_variance{})(z.x, z.y)).epsilon(1e-10));
  const two_samples u(150, 40, 0.2);
  const test_options options{.draws = 199, .seed = 3, .keep_null = true};
  const test_result deep = deep_permutation_test{only_inputs}(layers(u.phi_x, u.x), layers(u.phi_y, u.y), options);
  const test_result shallow = permutation_test{inputs}(u.x, u.y, options);
  CHECK(deep.p_value == shallow.p_value);
  CHECK(deep.statistic == doctest::Approx(shallow.statistic).epsilon(1e-10));
}

TEST_CASE("Features show what inputs do not; any number of threads gives the same bits; the identity is a tie") {
  const matrix x = test::normal_rows(1, 140, 3), y = test::normal_rows(2, 140, 3);
  const matrix phi_x = matrix::Constant(140, 1, 0), phi_y = matrix::Constant(140, 1, 2);
  const kernel_type k = of_lengths(1, 2, 0.1);
  const test_options options{.draws = 99, .keep_null = true};
  const auto all = [&](int threads) {
    const exec::openmp e{threads};
    const test_result r = deep_permutation_test{k}(e, layers(phi_x, x), layers(phi_y, y), options);
    CHECK(r.p_value == 0.01);
    matrix gx(140, 3), gp(140, 1);
    layer_gradients<double, 2> out;
    out.source = {view_of(gp), view_of(gx)};
    std::vector<double> numbers{r.statistic, deep_test_power{k}.value_and_gradient(e, layers(phi_x, x), layers(phi_y, y), out)};
    numbers.insert(numbers.end(), r.null_sample.begin(), r.null_sample.end());
    numbers.insert(numbers.end(), gx.data(), gx.data() + gx.size());
    return numbers;
  };
  const std::vector<double> one = all(1);
  for (const int threads : {2, 3, 8}) CHECK(all(threads) == one);

  std::vector<std::int64_t> identity(3 * 280);
  for (std::size_t i = 0; i < identity.size(); ++i) identity[i] = static_cast<std::int64_t>(i % 280);
  test_options given;
  given.given.permutations = {identity.data(), 3, 280};
  CHECK(deep_permutation_test{k}(layers(phi_x, x), layers(phi_y, y), given).p_value == 1);
}

TEST_CASE("Bad input of deep kernels") {
  const two_samples z(8, 6);
  matrix nan = z.phi_x;
  nan(1, 1) = std::numeric_limits<double>::quiet_NaN();
  const deep_test_power power{of_lengths(1, 1, 0.1)};
  const deep_permutation_test test{of_lengths(1, 1, 0.1)};
  CHECK_THROWS_WITH_AS(power(layers(z.phi_x, z.x), layers(z.phi_y, z.y)), doctest::Contains("deep_test_power: needs n_s = n_t"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(test(layers(z.phi_x, z.y), layers(z.phi_y, z.y)), doctest::Contains("as many rows of features as of inputs"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(test(layers(nan, z.x), layers(z.phi_y, z.y)), doctest::Contains("row 1, column 1"), std::invalid_argument);
  CHECK_THROWS_WITH_AS(deep_permutation_test{of_lengths(1, 1, 1.5)}(layers(z.phi_x, z.x), layers(z.phi_y, z.y)),
                       doctest::Contains("epsilon must be in [0, 1]"), std::invalid_argument);
}
