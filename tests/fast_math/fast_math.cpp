// The library under -Ofast: values and gradients against the plain formulas in long double, and what such flags are known to break.
#include "support/oracle.hpp"

#include <dalib/dalib.hpp>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <doctest/doctest.h>
#include <limits>
#include <random>

#if !defined(__FAST_MATH__)
#  error "this test is about -ffast-math"
#endif

using namespace dalib;

namespace {

template <class T>
using matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;

template <class T>
matrix<T> normal_rows(Eigen::Index rows, Eigen::Index features, double mean, unsigned seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<double> law(mean, 1);
  return matrix<T>::NullaryExpr(rows, features, [&] { return static_cast<T>(law(engine)); });
}

template <class T>
constexpr double tolerance = sizeof(T) == 4 ? 2e-4 : 1e-11;

template <class T, class Measure>
void check(const Measure& measure, const oracle::kernel& k, const oracle::matrix& weights, const matrix<T>& zs, const matrix<T>& zt) {
  const oracle::answer expected = oracle::evaluate(k, oracle::joint(zs, zt), weights);
  const auto [value, gs, gt] = value_and_gradient(measure, zs, zt);
  CHECK(std::abs(static_cast<double>(value - expected.value)) < tolerance<T> * (1 + std::abs(static_cast<double>(expected.value))));
  CHECK(oracle::gradient_error(gs, gt, expected.gradient) < tolerance<T>);
}

/// e^x by long double, of a number that the compiler does not know.
template <class T>
double error_of_exp(T x) {
  T lanes[pack<T>::size];
  exp(pack<T>(x)).store(lanes);
  const long double expected = std::exp(static_cast<long double>(x));
  return std::abs(static_cast<double>((static_cast<long double>(lanes[0]) - expected) / expected));
}

} // namespace

TEST_CASE_TEMPLATE("kernels of every statistic, all pairs and few", T, float, double) {
  const matrix<T> zs = normal_rows<T>(40, 8, 0, 1), zt = normal_rows<T>(34, 8, 0.5, 2);
  const oracle::matrix z = oracle::joint(zs, zt);
  const oracle::real width = oracle::mean_squared_distance(z);
  const oracle::kernel ladder = oracle::of(oracle::squared, [=](oracle::complex s) {
    oracle::complex sum = 0;
    for (oracle::real alpha = 0.125L; alpha < 3; alpha *= 2) sum += std::exp(-s / (2 * alpha * width));
    return sum;
  });
  const auto weights = oracle::unbiased(40, 34);
  check(mmd{kernel::gaussian_ladder(1. / 8, 5), estimator::unbiased{}}, ladder, weights, zs, zt);
  check(mmd{kernel::gaussian_ladder(1. / 8, 5), estimator::unbiased{}, accumulator::compensated{}}, ladder, weights, zs, zt);
  check(mmd{kernel::gaussian_ladder(1. / 8, 5), estimator::linear_time{}}, ladder, oracle::linear_time(40, 34), zs, zt);
  check(mmd{kernel::laplacian{bandwidth::fixed{2}}, estimator::biased{}},
        oracle::of(oracle::squared,
                   [](oracle::complex s) { return s == oracle::complex(0) ? oracle::complex(1) : std::exp(-std::sqrt(s) / 2.0L); }),
        oracle::biased(40, 34), zs, zt);
  check(mmd{kernel::linear{}, estimator::unbiased{}}, oracle::of(oracle::inner, [](oracle::complex s) { return s; }), weights, zs, zt);
  check(mmd{kernel::cosine{}, estimator::unbiased{}}, oracle::of(oracle::cosine, [](oracle::complex s) { return s; }), weights, zs, zt);
  check(mmd{kernel::laplacian_l1{5.}, estimator::unbiased{}}, oracle::of(oracle::l1, [](oracle::complex s) { return std::exp(-s / 5.0L); }),
        weights, zs, zt);
}

TEST_CASE_TEMPLATE("rows far from the origin and pairs that are close", T, float, double) {
  matrix<T> zs = normal_rows<T>(20, 6, 300, 3), zt = normal_rows<T>(20, 6, 300.5, 4);
  zs.row(3) = zs.row(2);
  zs.row(3)(1) += T(1) / 256;
  zt.row(5) = zs.row(7);
  check(mmd{kernel::gaussian{bandwidth::fixed{2}}, estimator::unbiased{}},
        oracle::of(oracle::squared, [](oracle::complex s) { return std::exp(-s / 8.0L); }), oracle::unbiased(20, 20), zs, zt);
}

TEST_CASE("the exponential over its whole range") {
  std::mt19937 engine(5);
  std::uniform_real_distribution<double> narrow(-87, 88), wide(-708, 709);
  double worst_float = 0, worst_double = 0;
  for (int i = 0; i < 20000; ++i) {
    worst_float = std::max(worst_float, error_of_exp(static_cast<float>(narrow(engine))));
    worst_double = std::max(worst_double, error_of_exp(wide(engine)));
  }
  CHECK(worst_float < 2 * static_cast<double>(std::numeric_limits<float>::epsilon()));
  CHECK(worst_double < 2 * std::numeric_limits<double>::epsilon());
}

TEST_CASE_TEMPLATE("losses of logits", T, float, double) {
  const matrix<T> logits = normal_rows<T>(37, 1, 0, 6) * T(8);
  matrix<T> g(37, 1), h(37, 1);
  const double value = static_cast<double>(domain_adversarial{}.value_and_gradient(logits, logits, gradients{g, h}));
  double expected = 0, error = 0;
  for (Eigen::Index i = 0; i < 37; ++i) {
    const double x = static_cast<double>(logits(i));
    expected += (std::log1p(std::exp(-std::abs(x))) + std::max(-x, 0.0) + std::log1p(std::exp(-std::abs(x))) + std::max(x, 0.0)) / 74;
    error = std::max(error, std::abs(static_cast<double>(g(i)) + 1 / (1 + std::exp(x)) / 74) * (1 + std::exp(x)) * 74);
  }
  CHECK(value == doctest::Approx(expected).epsilon(tolerance<T>));
  CHECK(error < tolerance<T>); // relative, of every entry
}

TEST_CASE_TEMPLATE("log1p and expm1 of small numbers, sums that compensate", T, float, double) {
  for (T x = T(1); x > std::numeric_limits<T>::epsilon() / 8; x /= 3) {
    const double error = std::abs(static_cast<double>(log1p(pack<T>(x)).smallest()) - std::log1p(static_cast<double>(x)));
    const double opposite = std::abs(static_cast<double>(expm1(pack<T>(x)).smallest()) - std::expm1(static_cast<double>(x)));
    CHECK(error <= 4 * static_cast<double>(std::numeric_limits<T>::epsilon() * x));
    CHECK(opposite <= 8 * static_cast<double>(std::numeric_limits<T>::epsilon() * x));
  }
  accumulator::compensated::state sum;
  volatile double terms[] = {1, 1e100, 1, -1e100};
  for (const volatile double& term : terms) accumulator::compensated::add(sum, term);
  CHECK(accumulator::compensated::result(sum) == 2);
}

TEST_CASE_TEMPLATE("checked sees NaN and infinity, and so do the checks of parameters", T, float, double) {
  using bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  const bits infinity = sizeof(T) == 4 ? bits{0x7f800000} : static_cast<bits>(std::uint64_t{0x7ff0000000000000});
  const matrix<T> zs = normal_rows<T>(9, 4, 0, 7);
  for (const bits pattern : {infinity, static_cast<bits>(infinity | 1), static_cast<bits>(~bits{0})}) {
    matrix<T> zt = zs;
    std::memcpy(&zt(3, 1), &pattern, sizeof(T));
    CHECK_THROWS_AS(checked{mmd{kernel::gaussian{}}}(zs, zt), std::invalid_argument);
    T parameter;
    std::memcpy(&parameter, &pattern, sizeof(T));
    if (static_cast<bits>(pattern) == infinity)
      CHECK_THROWS_AS(mmd(kernel::gaussian{bandwidth::fixed{static_cast<double>(parameter)}})(zs, zs), std::invalid_argument);
  }
}
