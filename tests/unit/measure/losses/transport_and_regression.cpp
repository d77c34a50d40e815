/// Transport, random features and the losses of regression: differences, limits, bad input.
#include "support/loss_checks.hpp"

#include <dalib/measure/inverse_gram_alignment.hpp>
#include <dalib/measure/joint_distribution_transport.hpp>
#include <dalib/measure/nystrom_mmd.hpp>
#include <dalib/measure/optimal_transport.hpp>
#include <dalib/measure/random_fourier_mmd.hpp>
#include <dalib/measure/regression_disparity.hpp>
#include <dalib/measure/representation_subspace.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <numeric>
#include <vector>

using namespace dalib;
using checks::contains;
using checks::matrix;
using checks::message_of;

namespace {

template <class Loss>
void check_two(const Loss& loss, const matrix& x, const matrix& y, double tolerance = 1e-6) {
  matrix gx(x.rows(), x.cols()), gy(y.rows(), y.cols()), hx = gx, hy = gy;
  const double value = loss.value_and_gradient(x, y, gradients{gx, gy});
  CHECK(value == loss(x, y));
  CHECK(gx.cwiseAbs().maxCoeff() > 1e-5);
  CHECK(checks::relative_error(gx, checks::differences([&](const auto& z) { return loss(z, y); }, x)) < tolerance);
  CHECK(checks::relative_error(gy, checks::differences([&](const auto& z) { return loss(x, z); }, y)) < tolerance);
  for (int threads : {1, 2, 3}) {
    CHECK(loss.value_and_gradient(exec::openmp{threads}, x, y, gradients{hx, hy}) == value);
    CHECK(hx == gx);
    CHECK(hy == gy);
  }
}

TEST_CASE("two samples: differences and threads") {
  const matrix x = checks::random_matrix(4, 9, 1), y = checks::random_matrix(3, 9, 2), z = checks::random_matrix(4, 9, 3);
  check_two(representation_subspace_distance{0}, x, y);
  check_two(representation_subspace_distance{0.5}, x, z);
  const matrix tall_x = checks::random_matrix(12, 4, 1), tall_y = checks::random_matrix(10, 4, 2);
  check_two(inverse_gram_alignment{0.95, 3, 1, 0.1}, tall_x, tall_y);
  check_two(inverse_gram_alignment{}, tall_x, tall_y);
  check_two(optimal_transport{}, tall_x, tall_y);
  check_two(optimal_transport{ground_cost::squared}, tall_x, tall_y);
}

TEST_CASE("angles of 0 and equal rows have finite gradients") {
  matrix same = checks::random_matrix(3, 5, 1), equal_rows = matrix::Ones(3, 5), gx(3, 5), gy(3, 5);
  CHECK(representation_subspace_distance{0}.value_and_gradient(same, same, gradients{gx, gy}) < 1e-12);
  CHECK(gx.norm() < 1e-12);
  CHECK(std::isfinite(representation_subspace_distance{0.1}.value_and_gradient(same, equal_rows, gradients{gx, gy})));
  CHECK(gx.allFinite());
  CHECK(gy.allFinite());
  CHECK(std::isfinite(inverse_gram_alignment{}.value_and_gradient(same, equal_rows, gradients{gx, gy})));
  CHECK(gx.allFinite());
  CHECK(optimal_transport{}.value_and_gradient(equal_rows, equal_rows, gradients{gx, gy}) == 0);
  CHECK(gx.isZero(0));
}

TEST_CASE("an optimal plan has the right sums, its potentials are a certificate, and it beats other plans") {
  const matrix x = checks::random_matrix(40, 3, 4), y = checks::random_matrix(33, 3, 5);
  std::vector<double> w;
  for (int i = 0; i < 40; ++i) w.push_back(1 + i % 4);
  const auto best = optimal_transport{}.plan(weighted(x, w), y);
  const double total = std::accumulate(w.begin(), w.end(), 0.0);
  double dual = 0;
  for (std::size_t i = 0; i < 40; ++i) {
    double row = 0;
    for (std::size_t j = 0; j < 33; ++j) {
      const double p = best.plan[i * 33 + j], cost = (x.row(static_cast<Eigen::Index>(i)) - y.row(static_cast<Eigen::Index>(j))).norm();
      row += p;
      CHECK(best.source_potentials[i] + best.target_potentials[j] <= cost + 1e-12);
      CHECK(p >= 0);
    }
    CHECK(row == doctest::Approx(w[i] / total).epsilon(1e-12));
    dual += w[i] / total * best.source_potentials[i];
  }
  for (std::size_t j = 0; j < 33; ++j) dual += best.target_potentials[j] / 33;
  CHECK(best.cost == doctest::Approx(dual).epsilon(1e-12)); // strong duality
}

TEST_CASE("in one dimension transport is the quantile coupling") {
  const matrix x = checks::random_matrix(20, 1, 4), y = checks::random_matrix(13, 1, 5);
  matrix line_x = matrix::Zero(20, 2), line_y = matrix::Zero(13, 2);
  line_x.col(1) = x;
  line_y.col(1) = y;
  const double far = optimal_transport{ground_cost::squared}(line_x, line_y), near = optimal_transport{ground_cost::squared}(x, y);
  CHECK(far == doctest::Approx(near).epsilon(1e-14));
}

TEST_CASE("random features tend to the MMD, Nystrom with all rows is it") {
  const matrix x = checks::random_matrix(12, 3, 1), y = checks::random_matrix(9, 3, 2).array() + 0.5;
  const double exact = mmd{kernel::matern<kernel::matern_order::three_halves, bandwidth::fixed>{{2.0}}, estimator::biased{}}(x, y);
  matrix frequencies(3, 20000);
  fill_frequencies(frequencies, kernel::matern_profile<kernel::matern_order::three_halves>{std::sqrt(3.0) / 2}, 9);
  CHECK(random_fourier_mmd{}(x, y, frequencies) == doctest::Approx(exact).epsilon(0.05));
}

TEST_CASE("gradients of a coupled loss, of frequencies and of landmarks") {
  const matrix x = checks::random_matrix(5, 3, 1), y = checks::random_matrix(4, 3, 2), scores = checks::random_matrix(4, 3, 6);
  const std::vector<std::int64_t> labels = {0, 2, 1, 1, 0};
  matrix coupling = checks::random_matrix(5, 4, 3).cwiseAbs(), gx(5, 3), gy(4, 3), gz(4, 3);
  coupling(2, 1) = 0;
  const joint_distribution_transport loss{labels, {.features = 0.3, .labels = 0.7}};
  const double value = loss.value_and_gradient(x, y, scores, coupling, gradients{gx, gy}, gradient{gz});
  matrix costs(5, 4);
  loss.pair_costs(x, y, scores, costs);
  CHECK(value == doctest::Approx(costs.cwiseProduct(coupling).sum()).epsilon(1e-13));
  CHECK(checks::relative_error(gx, checks::differences([&](const auto& z) { return loss(z, y, scores, coupling); }, x)) < 1e-8);
  CHECK(checks::relative_error(gy, checks::differences([&](const auto& z) { return loss(x, z, scores, coupling); }, y)) < 1e-8);
  CHECK(checks::relative_error(gz, checks::differences([&](const auto& z) { return loss(x, y, z, coupling); }, scores)) < 1e-8);
  const matrix landmarks = checks::random_matrix(3, 3, 8);
  matrix gl(3, 3);
  const nystrom_mmd few{1.2, 0.01};
  few.value_and_gradient(x, y, landmarks, gradients{gx, gy}, gradient{gl});
  CHECK(checks::relative_error(gx, checks::differences([&](const auto& z) { return few(z, y, landmarks); }, x)) < 1e-7);
  CHECK(checks::relative_error(gl, checks::differences([&](const auto& z) { return few(x, y, z); }, landmarks)) < 1e-7);
}

TEST_CASE("bad input is refused before anything is written") {
  const matrix x = checks::random_matrix(4, 3, 1), y = checks::random_matrix(5, 3, 2), scores = checks::random_matrix(5, 3, 6);
  matrix gx = matrix::Constant(4, 3, 7), gy = matrix::Constant(5, 3, 7), coupling = matrix::Constant(4, 5, 0.05), bad = coupling;
  bad(1, 2) = -0.05;
  const std::vector<std::int64_t> labels = {0, 2, 1, 1}, outside = {0, 3, 1, 1};
  const auto transport = [&](const std::vector<std::int64_t>& l, const matrix& c) {
    return message_of([&] { joint_distribution_transport{l}.value_and_gradient(x, y, scores, c, gradients{gx, gy}); });
  };
  CHECK(contains(transport(labels, bad), "row 1, column 2"));
  CHECK(contains(transport(outside, coupling), "label 3 of row 1"));
  CHECK(contains(transport(labels, coupling.transpose()), "the coupling must be (n_s, n_t)"));
  CHECK(contains(message_of([&] { representation_subspace_distance{0.1}.value_and_gradient(x, y, gradients{gx, gy}); }), "equally many"));
  CHECK(contains(message_of([&] { inverse_gram_alignment{0.9, 5}.value_and_gradient(x, y, gradients{gx, gy}); }), "k must be in 1"));
  const matrix twice = x.topRows(1).replicate(2, 1);
  CHECK(contains(message_of([&] { nystrom_mmd{1, 0}.value_and_gradient(x, y, twice, gradients{gx, gy}); }), "singular"));
  CHECK(contains(message_of([&] { nystrom_mmd{0}.value_and_gradient(x, y, twice, gradients{gx, gy}); }), "sigma"));
  CHECK(contains(message_of([&] {
                   random_fourier_mmd{}.value_and_gradient(x, y, scores, gradients{gx, gy});
                 }),
                 "frequencies must be (F, D)"));
  CHECK(contains(message_of([&] { regression_disparity{}.value_and_gradient(x, y, y, y, gradients{gx, gy}); }), "the same shape"));
  const std::vector<double> negative = {1, -1, 1, 1};
  CHECK(contains(message_of([&] { optimal_plan(coupling, negative); }), "not negative"));
  bad(0, 0) = std::numeric_limits<double>::infinity();
  CHECK(contains(message_of([&] { optimal_plan(bad); }), "not finite"));
  CHECK((gx.array() == 7).all());
  CHECK((gy.array() == 7).all());
}

} // namespace
