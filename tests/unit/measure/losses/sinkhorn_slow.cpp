/// The Sinkhorn divergence: differences, limits, threads, bad input.
#include "support/loss_checks.hpp"

#include <dalib/measure/optimal_transport.hpp>
#include <dalib/measure/sinkhorn_divergence.hpp>

#include <doctest/doctest.h>

#include <limits>
#include <vector>

using namespace dalib;
using checks::contains;
using checks::matrix;
using checks::message_of;

namespace {

TEST_CASE("gradients agree with central differences: powers, entropic, unbalanced, weights") {
  const matrix x = checks::random_matrix(6, 3, 1), y = checks::random_matrix(5, 3, 2).array() + 0.3;
  const std::vector<double> a = {0.1, 0.3, 0.2, 0.1, 0.2, 0.4}, b = {0.2, 0.1, 0.3, 0.1, 0.1};
  for (const sinkhorn_settings& set :
       {sinkhorn_settings{.blur = 0.6, .tolerance = 1e-13}, sinkhorn_settings{.power = 1, .blur = 0.5, .tolerance = 1e-13},
        sinkhorn_settings{.blur = 0.6, .debias = false, .tolerance = 1e-13},
        sinkhorn_settings{.blur = 0.6, .reach = 1.5, .tolerance = 1e-13}}) {
    const sinkhorn_divergence loss{set};
    matrix gx(6, 3), gy(5, 3);
    const double value = loss.value_and_gradient(weighted(x, a), weighted(y, b), gradients{gx, gy});
    CHECK(value == loss(weighted(x, a), weighted(y, b)));
    CHECK(gx.cwiseAbs().maxCoeff() > 1e-3);
    CHECK(checks::relative_error(gx, checks::differences([&](const auto& z) { return loss(weighted(z, a), weighted(y, b)); }, x)) < 1e-7);
    CHECK(checks::relative_error(gy, checks::differences([&](const auto& z) { return loss(weighted(x, a), weighted(z, b)); }, y)) < 1e-7);
    const auto of_weights = loss.weight_gradients(weighted(x, a), weighted(y, b));
    CHECK(of_weights[0].size() == 6);
    if (!set.unbalanced()) continue;
    std::vector<double> more = a, less = a;
    more[2] += 1e-5;
    less[2] -= 1e-5;
    const double slope = (loss(weighted(x, more), weighted(y, b)) - loss(weighted(x, less), weighted(y, b))) / 2e-5;
    CHECK(of_weights[0][2] == doctest::Approx(slope).epsilon(1e-6));
  }
}

TEST_CASE("a small blur tends to exact transport, a large one to the distance of the means") {
  const matrix x = checks::random_matrix(12, 2, 1), y = checks::random_matrix(9, 2, 2);
  const double exact = optimal_transport{ground_cost::squared}(x, y) / 2;
  CHECK(sinkhorn_divergence{{.blur = 0.05, .debias = false, .tolerance = 1e-6}}(x, y) == doctest::Approx(exact).epsilon(0.02));
  const double means = (x.colwise().mean() - y.colwise().mean()).squaredNorm() / 2;
  CHECK(sinkhorn_divergence{{.blur = 100}}(x, y) == doctest::Approx(means).epsilon(1e-3));
}

TEST_CASE("the same sample, equal rows, rows of weight 0, a shift of everything") {
  const matrix x = checks::random_matrix(7, 3, 1), y = checks::random_matrix(5, 3, 2), same = matrix::Ones(4, 3);
  const sinkhorn_divergence loss{{.blur = 0.5, .tolerance = 1e-12}};
  matrix gx(7, 3), gy(7, 3), hx(4, 3), hy(4, 3);
  CHECK(std::abs(loss.value_and_gradient(x, x, gradients{gx, gy})) < 1e-10);
  CHECK(gx.norm() < 1e-8);
  CHECK(loss.value_and_gradient(same, same, gradients{hx, hy}) == doctest::Approx(0));
  CHECK(hx.allFinite());
  const sinkhorn_divergence by_distance{{.power = 1, .blur = 0.5}};
  CHECK(std::isfinite(by_distance.value_and_gradient(same, same, gradients{hx, hy})));
  CHECK(hx.isZero(0));
  const std::vector<double> w = {1, 1, 1, 1, 1, 0, 0};
  CHECK(loss(weighted(x, w), y) == doctest::Approx(loss(matrix(x.topRows(5)), y)).epsilon(1e-9));
  const matrix far_x = x.array() + 1e4, far_y = y.array() + 1e4;
  CHECK(loss(far_x, far_y) == doctest::Approx(loss(x, y)).epsilon(1e-8));
}

TEST_CASE("threads give the same bits, blocks change nothing") {
  const matrix x = checks::random_matrix(150, 4, 1), y = checks::random_matrix(300, 4, 2);
  const sinkhorn_divergence loss{{.blur = 0.7, .tolerance = 1e-7}};
  matrix gx(150, 4), gy(300, 4), hx = gx, hy = gy;
  const double value = loss.value_and_gradient(exec::serial{}, x, y, gradients{gx, gy});
  for (int threads : {1, 2, 3}) {
    CHECK(loss.value_and_gradient(exec::openmp{threads}, x, y, gradients{hx, hy}) == value);
    CHECK(hx == gx);
    CHECK(hy == gy);
  }
  CHECK(loss.solve(x, y).converged);
}

TEST_CASE("costs that are too many to keep: each row many times is each row once") {
  const matrix x = checks::random_matrix(55, 2, 1), y = checks::random_matrix(50, 2, 2).array() + 0.4;
  const matrix many_x = x.replicate(20, 1), many_y = y.replicate(20, 1); // 1.1 million pairs
  const sinkhorn_divergence loss{{.blur = 3, .debias = false, .tolerance = 1e-11}};
  matrix gx(55, 2), gy(50, 2), hx(1100, 2), hy(1000, 2);
  const double value = loss.value_and_gradient(x, y, gradients{gx, gy});
  CHECK(loss.value_and_gradient(many_x, many_y, gradients{hx, hy}) == doctest::Approx(value).epsilon(1e-9));
  CHECK(checks::relative_error(matrix(20 * hx.topRows(55)), gx) < 1e-9);
  CHECK(checks::relative_error(matrix(20 * hy.bottomRows(50)), gy) < 1e-9);
}

TEST_CASE("float rows: to the tolerance, costs kept or not, a sample with itself in an even and an odd number of blocks") {
  for (const index_t n : {150, 300, 1100}) {
    const matrix x = checks::random_matrix(n, 5, 1), y = checks::random_matrix(n - 20, 5, 2).array() + 0.4;
    const Eigen::MatrixXf fx = x.cast<float>(), fy = y.cast<float>();
    const sinkhorn_divergence exact{{.blur = 1, .tolerance = 1e-9}}, loss{{.blur = 1, .tolerance = 1e-3}};
    matrix gx(n, 5), gy(n - 20, 5);
    Eigen::MatrixXf hx(n, 5), hy(n - 20, 5), kx = hx, ky = hy;
    const double value = exact.value_and_gradient(fx.cast<double>().eval(), fy.cast<double>().eval(), gradients{gx, gy});
    const float rough = loss.value_and_gradient(exec::serial{}, fx, fy, gradients{hx, hy});
    CHECK(rough == doctest::Approx(value).epsilon(1e-4));
    CHECK(checks::relative_error(matrix(hx.cast<double>()), gx) < 2e-3);
    CHECK(checks::relative_error(matrix(hy.cast<double>()), gy) < 2e-3);
    CHECK(loss.value_and_gradient(exec::openmp{3}, fx, fy, gradients{kx, ky}) == rough);
    CHECK(kx == hx);
    CHECK(ky == hy);
  }
}

TEST_CASE("a start so far from the fixed point that plans leave the range of numbers") {
  const matrix x = checks::random_matrix(12, 2, 1), y = 5 + checks::random_matrix(9, 2, 2).array();
  const double gradual = sinkhorn_divergence{{.blur = 0.2, .tolerance = 1e-8}}(x, y);
  CHECK(sinkhorn_divergence{{.blur = 0.2, .scaling = 0.001, .tolerance = 1e-8}}(x, y) == doctest::Approx(gradual).epsilon(1e-7));
}

TEST_CASE("a warm start: the same answer in fewer sweeps, also after the rows have moved; anew for other numbers of rows") {
  matrix x = checks::random_matrix(30, 3, 1);
  const matrix y = checks::random_matrix(24, 3, 2).array() + 0.5;
  sinkhorn_divergence warm{{.blur = 0.3, .tolerance = 1e-8}};
  const sinkhorn_divergence cold = warm;
  sinkhorn_memory memory;
  warm.memory = &memory;
  CHECK(warm(x, y) == cold(x, y));
  CHECK(memory.across.size() == 54);
  CHECK(memory.source.size() == 30);
  const int first = cold.solve(x, y).sweeps;
  CHECK(warm.solve(x, y).sweeps < first / 4);
  x.array() *= 1.001;
  const auto moved = warm.solve(x, y);
  CHECK(moved.converged);
  CHECK(moved.sweeps < first);
  CHECK(warm(x, y) == doctest::Approx(cold(x, y)).epsilon(1e-7));
  const matrix fewer = x.topRows(20);
  CHECK(warm(fewer, y) == doctest::Approx(cold(fewer, y)).epsilon(1e-7));
}

TEST_CASE("bad input is refused before anything is written") {
  const matrix x = checks::random_matrix(4, 3, 1), y = checks::random_matrix(5, 3, 2);
  matrix gx = matrix::Constant(4, 3, 7), gy = matrix::Constant(5, 3, 7), bad = y;
  bad(1, 1) = std::numeric_limits<double>::quiet_NaN();
  const auto message = [&](const sinkhorn_settings& set, const matrix& t) {
    return message_of([&] { sinkhorn_divergence{set}.value_and_gradient(x, t, gradients{gx, gy}); });
  };
  CHECK(contains(message({.blur = 0}, y), "the blur must be positive"));
  CHECK(contains(message({.reach = -1}, y), "the reach must not be negative"));
  CHECK(contains(message({.power = 3}, y), "the power must be 1 or 2"));
  CHECK(contains(message({.scaling = 1}, y), "the scaling"));
  CHECK(contains(message({}, bad), "features must be finite"));
  CHECK(contains(message({}, matrix(matrix::Ones(5, 2))), "the same number of features"));
  CHECK((gx.array() == 7).all());
  CHECK((gy.array() == 7).all());
}

} // namespace
