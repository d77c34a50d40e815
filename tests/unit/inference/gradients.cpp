/// Gradients of witness, mean embeddings, power and dependence against differences; laws; threads; bad input.
#include "samples.hpp"

#include "dalib/dalib.hpp"
#include "dalib/inference/independence_test.hpp"
#include "dalib/inference/mean_embedding_test.hpp"
#include "dalib/inference/stein_test.hpp"
#include "dalib/inference/test_power.hpp"
#include "dalib/inference/witness.hpp"

#include <doctest/doctest.h>

#include <limits>

namespace {

using namespace dalib;
using namespace dalib::inference;
using matrix = Eigen::MatrixXd;

using test::close;
using test::differences;
using kind = test::radial::kind;

const test::radial smooth{kind::mixture, 1.3};
test::radial gaussian(double length) { return {kind::gaussian, length}; }

struct own { // (1 + s)^-1/2 as a user would write it
  second_order operator()(double s) const {
    const double u = 1 / (1 + s), v = std::sqrt(u);
    return {v, -0.5 * v * u, 0.75 * v * u * u};
  }
};

template <class Measure>
void check_measure(const Measure& measure, const matrix& x, const matrix& y) {
  const auto [value, gx, gy] = value_and_gradient(measure, x, y);
  CHECK(value == measure(x, y));
  CHECK(close(gx, differences(x, [&](const matrix& at) { return measure(at, y); })));
  CHECK(close(gy, differences(y, [&](const matrix& at) { return measure(x, at); })));
  matrix more_x = matrix::Ones(x.rows(), x.cols()), more_y = matrix::Ones(y.rows(), y.cols());
  measure.value_and_gradient(x, y, gradients{more_x, more_y, -2.0, write_mode::accumulate});
  CHECK((more_x - (matrix::Ones(x.rows(), x.cols()) - 2 * gx)).norm() < 1e-12 * (1 + gx.norm()));
  CHECK((more_y - (matrix::Ones(y.rows(), y.cols()) - 2 * gy)).norm() < 1e-12 * (1 + gy.norm()));
}

} // namespace

TEST_CASE("Power criteria: gradients to both samples and to the length, a user's kernel too") {
  const matrix x = test::normal_rows(1, 12, 3), y = test::normal_rows(2, 12, 3, 0.8);
  check_measure(test_power(smooth, liu_variance{}), x, y);
  check_measure(test_power(smooth, sutherland_variance{}), x, y);
  check_measure(test_power(test::radial{kind::own}, liu_variance{}), x, y);
  const auto at_length = [&](double length, auto variance) { return test_power(gaussian(length), variance)(x, y); };
  CHECK(test_power(gaussian(1.1), liu_variance{}).log_length_gradient(x, y) ==
        doctest::Approx((at_length(1.1 * std::exp(1e-5), liu_variance{}) - at_length(1.1 * std::exp(-1e-5), liu_variance{})) / 2e-5));
  CHECK(test_power(gaussian(1.1), sutherland_variance{}).log_length_gradient(x, y) ==
        doctest::Approx((at_length(1.1 * std::exp(1e-5), sutherland_variance{}) - at_length(1.1 * std::exp(-1e-5), sutherland_variance{})) /
                        2e-5));
}

TEST_CASE("HSIC: gradients to both samples; dependence is symmetric and sees no order of rows") {
  const matrix x = test::normal_rows(1, 14, 3), y = x.leftCols(2).array().square().matrix() + test::normal_rows(2, 14, 2);
  const hsic biased{smooth, gaussian(0.9)}, unbiased{smooth, gaussian(0.9), hsic_estimator::unbiased};
  check_measure(biased, x, y);
  check_measure(unbiased, x, y);
  CHECK(biased(x, y) == doctest::Approx(hsic{gaussian(0.9), smooth}(y, x)).epsilon(1e-12));
  const matrix reversed_x = x.colwise().reverse(), reversed_y = y.colwise().reverse();
  CHECK(unbiased(x, y) == doctest::Approx(unbiased(reversed_x, reversed_y)).epsilon(1e-12));
}

TEST_CASE("With the energy kernel HSIC is the squared distance covariance") {
  const matrix x = test::normal_rows(1, 9, 2), y = test::normal_rows(2, 9, 3);
  const auto distances = [](const matrix& z) {
    matrix d(z.rows(), z.rows());
    for (index_t i = 0; i < z.rows(); ++i) d.col(i) = (z.rowwise() - z.row(i)).rowwise().norm();
    const Eigen::VectorXd means = d.rowwise().mean();
    return matrix(((d.colwise() - means).rowwise() - means.transpose()).array() + means.mean());
  };
  const double covariance = (distances(x).array() * distances(y).array()).mean();
  CHECK(hsic{test::radial{kind::energy}, test::radial{kind::energy}}(x, y) == doctest::Approx(covariance).epsilon(1e-12));
}

TEST_CASE("Witness: gradient at the points, many points and few, one block and several") {
  const matrix x = test::normal_rows(1, 150, 3), y = test::normal_rows(2, 90, 3, 0.7);
  const witness f{smooth};
  for (const index_t count : {1, 5, 200}) {
    const matrix points = test::normal_rows(3, count, 3);
    matrix gradient(count, 3);
    const std::vector<double> values = f.value_and_gradient(x, y, points, gradient);
    CHECK(values == f(x, y, points));
    CHECK(close(gradient.topRows(1), differences(points.topRows(1), [&](const matrix& p) { return f(x, y, p)[0]; })));
  }
  const largest_witness rows = f.largest(x, y, 2);
  CHECK(rows.source_values[0] == f(x, y, x)[static_cast<std::size_t>(rows.source[0])]);
  CHECK(rows.source_values[0] == doctest::Approx(f(x, y, x.row(rows.source[0]).eval())[0]).epsilon(1e-13));
  CHECK(rows.target_values[0] <= rows.target_values[1]);
}

TEST_CASE("Mean embeddings: gradients to places and length") {
  const matrix x = test::normal_rows(1, 40, 2), y = test::normal_rows(2, 40, 2, 0.6), places = test::normal_rows(3, 3, 2);
  const mean_embedding_test test{gaussian(1.2), 1e-4};
  matrix gradient(3, 2);
  const auto r = test.value_and_gradient<true>(x, y, places, gradient);
  CHECK(close(gradient, differences(places, [&](const matrix& p) { return test(x, y, p).statistic; })));
  const auto at = [&](double length) { return mean_embedding_test{gaussian(length), 1e-4}(x, y, places).statistic; };
  CHECK(r.log_length_gradient == doctest::Approx((at(1.2 * std::exp(1e-5)) - at(1.2 * std::exp(-1e-5))) / 2e-5));
  matrix twice(2, 2);
  twice << 1, 1, 1, 1;
  CHECK_THROWS_WITH_AS(mean_embedding_test(gaussian(1.2), 0)(x, y, twice), doctest::Contains("singular"), std::invalid_argument);
}

TEST_CASE("Stein discrepancy: zero in the mean under the law, the same with any kernel that is given with its derivatives") {
  const matrix x = test::normal_rows(1, 300, 3), score = -x, wrong = (-x.array() + 1).matrix();
  CHECK(stein_discrepancy(own{}, x, score) == doctest::Approx(stein_discrepancy(stein_multiquadric{}, x, score)).epsilon(1e-12));
  CHECK(stein_test{own{}}(x, score, {.draws = 99}).p_value > 0.05);
  CHECK(stein_test{own{}}(x, wrong, {.draws = 99}).p_value == 0.01);
  CHECK(stein_test{own{}, stein_form::multinomial}(x, wrong, {.draws = 99}).p_value == 0.01);
  CHECK_THROWS_AS(stein_test{own{}}(x, score.topRows(5).eval()), std::invalid_argument);
}

TEST_CASE("Any number of threads gives the same bits") {
  const matrix x = test::normal_rows(1, 150, 4), y = x.leftCols(2) + test::normal_rows(2, 150, 2), z = test::normal_rows(3, 150, 4, 0.3);
  const hsic dependence{smooth, smooth};
  const test_power power{smooth, sutherland_variance{}};
  const test_options options{.draws = 49, .keep_null = true};
  const auto all = [&](int threads) {
    const exec::openmp e{threads};
    matrix gx(150, 4), gy(150, 2), gp(150, 4), gz(150, 4), gw(150, 4);
    std::vector<double> numbers{dependence.value_and_gradient(e, x, y, gradients{gx, gy}),
                                power.value_and_gradient(e, x, z, gradients{gp, gz}), power.log_length_gradient(x, z, e),
                                independence_gamma_test{dependence}(e, x, y).p_value};
    for (const double value : independence_test{dependence}(e, x, y, options).null_sample) numbers.push_back(value);
    for (const double value : stein_test{own{}}(e, x, (-x).eval(), options).null_sample) numbers.push_back(value);
    for (const double value : witness{smooth}.value_and_gradient(e, x, z, x, gw)) numbers.push_back(value);
    for (const matrix* g : {&gx, &gy, &gp, &gz, &gw}) numbers.insert(numbers.end(), g->data(), g->data() + g->size());
    return numbers;
  };
  const std::vector<double> one = all(1);
  for (const int threads : {2, 3, 8}) CHECK(all(threads) == one);
}

TEST_CASE("Bad input of criteria and dependence") {
  const matrix x = test::normal_rows(1, 10, 3), y = test::normal_rows(2, 9, 3);
  matrix nan = x;
  nan(0, 0) = std::numeric_limits<double>::infinity();
  CHECK_THROWS_WITH_AS(test_power{smooth}(x, y), doctest::Contains("test_power: needs n_s = n_t"), std::invalid_argument);
  CHECK_THROWS_AS(hsic(smooth, smooth)(x, y), std::invalid_argument);
  CHECK_THROWS_AS(hsic(smooth, smooth, hsic_estimator::unbiased)(x.topRows(3).eval(), y.topRows(3).eval()), std::invalid_argument);
  CHECK_THROWS_AS(witness{smooth}(x, y, test::normal_rows(1, 4, 2)), std::invalid_argument);
  CHECK_THROWS_AS(witness{smooth}(nan, y, x), std::invalid_argument);
  CHECK_THROWS_AS(independence_gamma_test(hsic(smooth, smooth))(x.topRows(5).eval(), x.topRows(5).eval()), std::invalid_argument);
}
