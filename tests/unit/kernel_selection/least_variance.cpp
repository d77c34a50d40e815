/// The quadratic program of kernel selection: optimality conditions, and the best of all supports.
#include "support/loss_checks.hpp"

#include <doctest/doctest.h>

#include <Eigen/Cholesky>

using namespace dalib;

namespace {

struct program {
  checks::matrix a;
  Eigen::VectorXd values;

  /// A = B B^T + ridge, B n x rank.
  program(Eigen::Index n, Eigen::Index rank, double ridge, std::uint64_t seed) : values(checks::random_matrix(n, 1, seed + 1, 1).col(0)) {
    const checks::matrix b = checks::random_matrix(n, rank, seed, 1);
    a = b * b.transpose() + ridge * checks::matrix::Identity(n, n);
  }

  selection::least_variance_result solve() const {
    const std::vector<double> matrix(a.data(), a.data() + a.size()), v(values.data(), values.data() + values.size());
    return selection::least_variance(matrix, v).solve();
  }
};

/// Relative violation of: A beta = lambda values + mu, mu >= 0, mu beta = 0, values . beta = 1, beta >= 0.
double violation(const program& p, const Eigen::VectorXd& beta) {
  const double objective = beta.dot(p.a * beta); // = lambda
  const Eigen::VectorXd mu = p.a * beta - objective * p.values;
  double worst = std::abs(p.values.dot(beta) - 1);
  for (Eigen::Index i = 0; i < beta.size(); ++i) {
    CHECK(beta(i) >= 0);
    worst = std::max(worst, (beta(i) > 0 ? std::abs(mu(i)) : std::max(-mu(i), 0.0)) / (objective * p.values.maxCoeff()));
  }
  return worst;
}

/// The least objective over every set of kernels that gets weight, by the closed form on each.
double best_of_all_supports(const program& p) {
  double best = 1e300;
  const auto n = p.values.size();
  for (int mask = 1; mask < (1 << n); ++mask) {
    std::vector<Eigen::Index> place;
    for (Eigen::Index i = 0; i < n; ++i)
      if (mask >> i & 1) place.push_back(i);
    const checks::matrix a = p.a(place, place);
    const Eigen::VectorXd v = p.values(place), x = a.llt().solve(v);
    if (v.dot(x) <= 0 || x.minCoeff() < 0) continue;
    best = std::min(best, 1 / v.dot(x));
  }
  return best;
}

TEST_CASE("random programs meet the optimality conditions and no support is better") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const program p(1 + static_cast<Eigen::Index>(seed % 8), 1 + static_cast<Eigen::Index>(seed % 5), 1e-3, seed * 10);
    if (p.values.maxCoeff() <= 0) continue;
    const auto found = p.solve();
    const Eigen::VectorXd beta = Eigen::Map<const Eigen::VectorXd>(found.beta.data(), p.values.size());
    CHECK(found.residual <= 1e-10);
    CHECK(violation(p, beta) <= 1e-10);
    CHECK(beta.dot(p.a * beta) == doctest::Approx(best_of_all_supports(p)).epsilon(1e-10));
  }
}

TEST_CASE("nearly equal kernels, a tiny ridge, scales far apart") {
  for (double ridge : {1e-4, 1e-6, 1e-8}) {
    program p(16, 2, ridge, 77);
    p.values = p.values.cwiseAbs();
    CHECK(p.solve().residual <= 1e-10);
  }
  program scaled(6, 6, 1e-4, 5);
  scaled.values = scaled.values.cwiseAbs() * 1e-7;
  scaled.a *= 1e9;
  CHECK(scaled.solve().residual <= 1e-10);
}

TEST_CASE("the identity gives the positive part of the values") {
  program p(5, 1, 1, 3);
  p.a.setIdentity();
  p.values << 0.5, -1, 0.25, 0, 1;
  const auto beta = p.solve().beta;
  const double norm = 0.25 + 0.0625 + 1;
  CHECK(beta[0] == doctest::Approx(0.5 / norm));
  CHECK(beta[1] == 0);
  CHECK(beta[3] == 0);
  CHECK(beta[4] == doctest::Approx(1 / norm));
}

TEST_CASE("what has no solution is refused") {
  program p(3, 3, 1e-2, 3);
  p.values << -1, -2, 0;
  CHECK(checks::contains(checks::message_of([&] { p.solve(); }), "at least one value must be positive"));
  p.values << 1, 1, 1;
  p.a = -checks::matrix::Identity(3, 3);
  CHECK(checks::contains(checks::message_of([&] { p.solve(); }), "positive definite"));
  CHECK(checks::contains(checks::message_of([] { selection::least_variance({1, 2}, {1, 2}).solve(); }), "one row and one column"));
}

} // namespace
