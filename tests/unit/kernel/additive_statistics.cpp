// Pair statistics that add up over the features: chi-squared, powers of differences, and one of a user's own.
#include "conformance/samples.hpp"
#include "support/accuracy.hpp"
#include "support/foreign.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace dalib;
using conformance::matrix;
using conformance::normal_rows;
using oracle::real;

namespace {

/// phi(x, y) and its derivative with respect to x, by the formula.
struct formula {
  real (*term)(real, real);
  real (*slope)(real, real);
};
const formula chi{[](real x, real y) { return x + y > 0 ? (x - y) * (x - y) / (x + y) : 0; },
                  [](real x, real y) { return x + y > 0 ? (x - y) * (x + 3 * y) / ((x + y) * (x + y)) : 0; }};
const formula root{[](real x, real y) { return std::sqrt(std::abs(x - y)); },
                   [](real x, real y) { return x == y ? 0 : std::copysign(1 / (2 * std::sqrt(std::abs(x - y))), x - y); }};
const formula cube{[](real x, real y) { return std::pow(std::abs(x - y), real(3)); },
                   [](real x, real y) { return 3 * (x - y) * std::abs(x - y); }};
const formula logarithm{[](real x, real y) { return std::log1p((x - y) * (x - y)); },
                        [](real x, real y) { return 2 * (x - y) / (1 + (x - y) * (x - y)); }};

/// sum weights(i, j) exp(-s / 4) and its gradient.
oracle::answer evaluate(const formula& phi, const oracle::matrix& z, const oracle::matrix& weights) {
  oracle::answer result{0, oracle::matrix::Zero(z.rows(), z.cols())};
  for (Eigen::Index i = 0; i < z.rows(); ++i)
    for (Eigen::Index j = 0; j < z.rows(); ++j) {
      real s = 0;
      for (Eigen::Index f = 0; f < z.cols(); ++f) s += phi.term(z(i, f), z(j, f));
      const real share = weights(i, j) * std::exp(-s / 4);
      result.value += share;
      for (Eigen::Index f = 0; f < z.cols(); ++f) {
        result.gradient(i, f) -= share / 4 * phi.slope(z(i, f), z(j, f));
        result.gradient(j, f) -= share / 4 * phi.slope(z(j, f), z(i, f));
      }
    }
  return result;
}

template <class Statistic, class T>
void check(const formula& phi, dalib::index_t n, dalib::index_t features) {
  CAPTURE(n);
  // Features >= 0, some of them 0 or equal in several rows.
  matrix<T> zs = normal_rows<T>(n, features, 1).cwiseMax(T(0)), zt = normal_rows<T>(n - 3, features, 2, 1.2, 0.3).cwiseMax(T(0));
  zt.row(1) = zs.row(2);
  const auto kernel = kernel::from_value<Statistic>([](auto s) {
    using std::exp;
    return exp(-s / 4);
  });
  const auto compare = [&](const auto& estimator, const oracle::matrix& weights) {
    const auto expected = evaluate(phi, oracle::joint(zs, zt), weights);
    const auto result = value_and_gradient(mmd{kernel, estimator}, zs, zt);
    CHECK(static_cast<double>(result.value) ==
          doctest::Approx(static_cast<double>(expected.value)).epsilon(10 * support::gradient_bound<T>));
    CHECK(oracle::gradient_error(result.source, result.target, expected.gradient) < support::gradient_bound<T>);
    CHECK(expected.gradient.norm() > 1e-3);
  };
  compare(estimator::unbiased{}, oracle::unbiased(n, n - 3));
  if (n < 100) compare(estimator::linear_time{}, oracle::linear_time(n, n - 3));
}

} // namespace

static_assert(additive_statistic<chi_squared_distance> && additive_statistic<power_distance<3, 2>> && additive_statistic<l1_distance>);
static_assert(pair_statistic<foreign::log_distance> && !gram_statistic<foreign::log_distance> && !additive_statistic<squared_distance>);

TEST_CASE_TEMPLATE("additive statistics: value and gradient against long double", T, float, double) {
  for (const auto& size : {std::pair{9, 5}, std::pair{40, 17}}) {
    check<chi_squared_distance, T>(chi, size.first, size.second);
    check<power_distance<1, 2>, T>(root, size.first, size.second);
    check<power_distance<3>, T>(cube, size.first, size.second);
  }
  for (const auto& size : {std::pair{9, 5}, std::pair{40, 17}, std::pair{150, 20}})
    check<foreign::log_distance, T>(logarithm, size.first, size.second);
}

TEST_CASE("additive statistics: beside kernels of the distance, in a kernel matrix, and with any number of threads") {
  const matrix<double> zs = normal_rows<double>(170, 6, 1).cwiseAbs(), zt = normal_rows<double>(120, 6, 2).cwiseAbs();
  const auto own = kernel::from_value<foreign::log_distance>([](auto s) { return 1 / (1 + s); });
  const auto gaussian = kernel::gaussian{bandwidth::fixed{2}};
  const mmd loss{own + gaussian, estimator::biased{}};
  const auto both = value_and_gradient(loss, zs, zt);
  const auto first = value_and_gradient(mmd{own, estimator::biased{}}, zs, zt),
             second = value_and_gradient(mmd{gaussian, estimator::biased{}}, zs, zt);
  CHECK(both.value == doctest::Approx(first.value + second.value).epsilon(1e-12));
  CHECK((both.source - first.source - second.source).norm() < 1e-12 * both.source.norm());
  matrix<double> k(170, 170), gs(170, 6), gt(120, 6);
  kernel_matrix(exec::serial{}, own, zs, k);
  CHECK(std::abs(k(3, 7) - 1 / (1 + (1 + (zs.row(3) - zs.row(7)).array().square()).log().sum())) < 1e-14);
  for (int threads = 1; threads <= 3; ++threads) {
    CHECK(loss.value_and_gradient(exec::openmp{threads}, zs, zt, gradients{gs, gt}) == both.value);
    CHECK(((gs == both.source) && (gt == both.target)));
  }
}
