// Kernels of inner products on rows far from 0: a linear kernel is exact whatever the estimator, and a polynomial one is as exact as its
// rows.
#include "conformance/samples.hpp"
#include "support/accuracy.hpp"

#include <doctest/doctest.h>

using namespace dalib;
using conformance::matrix;
using conformance::normal_rows;
using oracle::complex;
using oracle::real;

namespace {

constexpr dalib::index_t features = 24;

const support::formula_case<kernel::linear> linear{{}, oracle::of(oracle::inner, [](complex s) { return s; })};
const support::formula_case<decltype(kernel::gaussian{bandwidth::fixed{8}} + 0.3 * kernel::linear{})> beside_gaussian{
    kernel::gaussian{bandwidth::fixed{8}} + 0.3 * kernel::linear{},
    {[](const std::array<complex, 4>& s) { return std::exp(-s[oracle::squared] / 128.0L) + 0.3L * s[oracle::inner]; },
     {oracle::squared, oracle::inner}}};

/// Value and gradient against the formula on rows less `shift`, which must make no difference.
template <class T, class Kernel, class Estimator>
void check(const support::formula_case<Kernel>& one, const Estimator& estimator, const oracle::matrix& weights, const matrix<T>& zs,
           const matrix<T>& zt, double shift, real constant = 0) {
  const oracle::matrix z = oracle::joint(zs, zt).array() - static_cast<real>(shift);
  const auto expected = oracle::evaluate(one.formula, z, weights, constant);
  const auto result = value_and_gradient(mmd{one.kernel, estimator}, zs, zt);
  CAPTURE(shift);
  CHECK(static_cast<double>(result.value) == doctest::Approx(static_cast<double>(expected.value)).epsilon(support::gradient_bound<T>));
  CHECK(oracle::gradient_error(result.source, result.target, expected.gradient) < support::gradient_bound<T>);
  CHECK(static_cast<double>(mmd{one.kernel, estimator}(zs, zt)) == doctest::Approx(static_cast<double>(result.value)));
}

/// Minus the part of a V statistic that the domains have in common: coefficients that do not cancel.
struct across_only {
  pair_coefficients coefficients(const sample_sizes& n) const { return {0.25, 0, 1 / (n.source_weight * n.target_weight), true, 0.5}; }
};

} // namespace

TEST_CASE_TEMPLATE("linear kernels: no estimator sees a shift", T, float, double) {
  for (const double shift : {0.0, 100.0, 1e4, 1e6}) {
    // Shifts are whole numbers and rows multiples of 1/16, so that the shifted rows differ from each other as the first ones do.
    const auto at = [&](dalib::index_t n, unsigned seed, double mean) -> matrix<T> {
      return (normal_rows<double>(n, features, seed, 1, mean) * 16).array().round().matrix().template cast<T>() / T(16) +
             matrix<T>::Constant(n, features, static_cast<T>(shift));
    };
    const matrix<T> zs = at(14, 1, 0), zt = at(14, 2, 0.3), fewer = at(11, 3, 0.3);
    const auto each = [&](const auto& one) {
      check(one, estimator::linear_time{}, oracle::linear_time(14, 14), zs, zt, shift);
      check(one, compat::ring{}, oracle::ring(14), zs, zt, shift, real(2) / 13);
      check(one, estimator::biased{}, oracle::biased(14, 11), zs, fewer, shift);
      check(one, estimator::unbiased{}, oracle::unbiased(14, 11), zs, fewer, shift);
      check(one, estimator::block{5}, oracle::blocks(14, 11, 5, oracle::unbiased(5, 5)), zs, fewer, shift);
    };
    each(linear);
    each(beside_gaussian);
  }
}

TEST_CASE_TEMPLATE("linear kernels: where coefficients do not cancel the rows count as they are given", T, float, double) {
  oracle::matrix weights = oracle::matrix::Zero(25, 25);
  weights.topLeftCorner(14, 14).setConstant(0.25L);
  weights.topRightCorner(14, 11).setConstant(1 / real(14 * 11));
  weights.bottomLeftCorner(11, 14).setConstant(1 / real(14 * 11));
  weights.diagonal().setZero();
  check(linear, across_only{}, weights, normal_rows<T>(14, features, 1, 1, 2), normal_rows<T>(11, features, 2, 1, 2), 0, 0.5L);
}

TEST_CASE("linear kernels: a weight is a number of copies, gradients are scaled, added, and given for one domain alone") {
  const matrix<double> zs = normal_rows<double>(5, 3, 1), zt = normal_rows<double>(4, 3, 2, 1, 0.5);
  matrix<double> copies(8, 3);
  copies << zs, zs.row(1), zs.row(3), zs.row(3);
  const Eigen::VectorXd counts = (Eigen::VectorXd(5) << 1, 2, 1, 3, 1).finished();
  const auto each = [&](const auto& loss) {
    const auto expected = value_and_gradient(loss, copies, zt);
    matrix<double> gs = matrix<double>::Ones(5, 3), gt(4, 3), alone(4, 3);
    const double value = loss.value_and_gradient(exec::serial{}, weighted(zs, counts), zt, gradients{gs, gt, -2.0, write_mode::accumulate});
    CHECK(value == doctest::Approx(expected.value).epsilon(1e-13));
    CHECK((gs.row(3).array() - 1 + 2 * (expected.source.row(3) + expected.source.bottomRows(2).colwise().sum()).array()).matrix().norm() <
          1e-13);
    loss.value_and_gradient(exec::serial{}, copies, zt, gradients{matrix_view<double>{}, alone});
    CHECK((alone - expected.target).norm() < 1e-14);
  };
  each(mmd{2 * kernel::linear{} + kernel::linear{} * 0.5, estimator::unbiased{}});
  each(mmd{kernel::linear{}, estimator::biased{}});
}

TEST_CASE("linear kernels: the same bits for any number of threads") {
  const matrix<float> zs = normal_rows<float>(900, 40, 1, 1, 7), zt = normal_rows<float>(700, 40, 2, 1, 7.5);
  const mmd loss{kernel::linear{}, estimator::unbiased{}};
  matrix<float> gs(900, 40), gt(700, 40), gs2(900, 40), gt2(700, 40);
  const float value = loss.value_and_gradient(exec::serial{}, zs, zt, gradients{gs, gt});
  for (int threads = 1; threads <= 3; ++threads) {
    CHECK(loss.value_and_gradient(exec::openmp{threads}, zs, zt, gradients{gs2, gt2}) == value);
    CHECK(((gs2 == gs) && (gt2 == gt)));
  }
}

TEST_CASE("polynomial and cosine kernels of float rows far from 0 are what they are of the same rows in double") {
  const auto check_far = [](const auto& kernel, const oracle::kernel& formula) {
    for (const double shift : {0.0, 1.0, 10.0, 100.0, 1e4})
      for (const dalib::index_t n : {30, 150}) {
        if (n > 30 && shift != 100) continue; // the formula takes seconds for so many rows
        CAPTURE(shift);
        const matrix<float> zs = normal_rows<float>(n, features, 1, 1, shift),
                            zt = normal_rows<float>(n - 7, features, 2, 1.2, shift + 0.3);
        const mmd loss{kernel, estimator::unbiased{}};
        const auto expected = oracle::evaluate(formula, oracle::joint(zs, zt), oracle::unbiased(n, n - 7));
        const auto result = value_and_gradient(loss, zs, zt);
        CHECK(static_cast<double>(result.value) == doctest::Approx(static_cast<double>(expected.value)).epsilon(2e-6));
        CHECK(oracle::gradient_error(result.source, result.target, expected.gradient) < 2e-6);
        matrix<float> gs = matrix<float>::Ones(n, features);
        loss.value_and_gradient(exec::openmp{2}, zs, zt, gradients{gs, matrix_view<float>{}, 0.5f, write_mode::accumulate});
        CHECK((gs.array() - 1 - 0.5f * result.source.array()).matrix().norm() < 1e-6f * (1 + gs.norm()));
      }
  };
  for (const int degree : {2, 3})
    check_far(kernel::polynomial{1.0 / features, 1, degree},
              oracle::of(oracle::inner, [=](complex s) { return std::pow(s / real(features) + real(1), degree); }));
  check_far(kernel::cosine{}, oracle::of(oracle::cosine, [](complex s) { return s; }));
}
