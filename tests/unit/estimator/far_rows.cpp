// Estimators of few pairs in float: one far row costs the others nothing, and neither does a scale that takes squares out of float's range.
#include "conformance/samples.hpp"
#include "support/oracle.hpp"

#include <doctest/doctest.h>

using namespace dalib;
using conformance::matrix;
using conformance::normal_rows;
using oracle::complex;
using oracle::real;

namespace {

constexpr dalib::index_t rows = 12, features = 8;

/// Calls use(kernel, formula) for a kernel of each statistic and for one that mixes them.
template <class Use>
void for_each_kernel(const Use& use) {
  const auto gaussian = [](complex s) { return std::exp(-s / real(8)); };
  const auto l1 = [](complex s) { return std::exp(-s / real(3)); };
  use(kernel::gaussian{bandwidth::fixed{2}}, oracle::of(oracle::squared, gaussian));
  use(kernel::laplacian{bandwidth::fixed{2}}, oracle::of(oracle::squared, [](complex s) { return std::exp(-std::sqrt(s) / real(2)); }));
  use(kernel::laplacian_l1{3}, oracle::of(oracle::l1, l1));
  use(kernel::linear{}, oracle::of(oracle::inner, [](complex s) { return s; }));
  use(kernel::cosine{}, oracle::of(oracle::cosine, [](complex s) { return s; }));
  use(kernel::gaussian{bandwidth::fixed{2}} * kernel::linear{} + kernel::laplacian_l1{3},
      oracle::kernel{[=](const std::array<complex, 4>& s) { return gaussian(s[oracle::squared]) * s[oracle::inner] + l1(s[oracle::l1]); },
                     {oracle::squared, oracle::inner, oracle::l1}});
}

/// The largest relative error of a row's gradient.
double worst_row(const oracle::matrix& found, const oracle::matrix& expected) {
  double worst = 0;
  for (dalib::index_t i = 0; i < expected.rows(); ++i) {
    const real size = expected.row(i).norm();
    const real error = (found.row(i) - expected.row(i)).norm();
    worst = std::max(worst, static_cast<double>(size > 0 ? error / size : error));
  }
  return worst;
}

template <class Estimator>
void check_far_row(const Estimator& estimator, const oracle::matrix& weights, real constant) {
  for (const float far : {0.f, 1e4f, 1e6f, 1e8f})
    for (const bool in_source : {true, false}) {
      matrix<float> zs = normal_rows<float>(rows, features, 1), zt = normal_rows<float>(rows, features, 2, 1.2, 0.3);
      (in_source ? zs : zt).row(5).array() += far;
      for_each_kernel([&](const auto& kernel, const oracle::kernel& formula) {
        const auto expected = oracle::evaluate(formula, oracle::joint(zs, zt), weights, constant);
        const auto result = value_and_gradient(mmd{kernel, estimator}, zs, zt);
        CAPTURE(far);
        CHECK(static_cast<double>(result.value) == doctest::Approx(static_cast<double>(expected.value)).epsilon(1e-6));
        CHECK(worst_row(oracle::joint(result.source, result.target), expected.gradient) < 2e-6);
      });
    }
}

} // namespace

TEST_CASE("linear time: a far row, in either domain, costs no other row accuracy") {
  check_far_row(estimator::linear_time{}, oracle::linear_time(rows, rows), 0);
}

TEST_CASE("DALIB's ring: a far row, in either domain, costs no other row accuracy") {
  check_far_row(compat::ring{}, oracle::ring(rows), real(2) / (rows - 1));
}

TEST_CASE("kernel selection: a far row costs the other quadruples nothing") {
  matrix<float> zs = normal_rows<float>(rows, features, 1), zt = normal_rows<float>(rows, features, 2, 1.2, 0.3);
  zs.row(5).array() += 1e8f;
  const mmd loss{kernel::gaussian_ladder{0.5, 3, bandwidth::fixed{2}}, estimator::linear_time{}};
  const auto exact = kernel_statistics_of(exec::serial{}, loss, matrix<double>(zs.cast<double>()), matrix<double>(zt.cast<double>()));
  const auto found = kernel_statistics_of(exec::serial{}, loss, zs, zt);
  for (std::size_t k = 0; k < 3; ++k) CHECK(found.values[k] == doctest::Approx(exact.values[k]).epsilon(1e-5));
}

TEST_CASE("rows times a power of two, and bandwidths with them: the same value, the gradient by the inverse factor") {
  const matrix<float> zs = normal_rows<float>(rows, features, 1), zt = normal_rows<float>(rows, features, 2, 1.2, 0.3);
  const auto check = [&](const auto& kernel_of, const auto& estimator) {
    const auto expected = value_and_gradient(mmd{kernel_of(1.0), estimator}, zs, zt);
    for (const float scale : {0x1p-80f, 0x1p-63f, 0x1p63f, 0x1p75f, 0x1p100f}) {
      const matrix<float> scaled_s = scale * zs, scaled_t = scale * zt;
      const auto result = value_and_gradient(mmd{kernel_of(static_cast<double>(scale)), estimator}, scaled_s, scaled_t);
      CAPTURE(scale);
      CHECK(result.value == doctest::Approx(expected.value).epsilon(1e-5));
      CHECK((result.source.template cast<double>() * scale - expected.source.template cast<double>()).norm() <
            1e-5 * expected.source.norm());
      CHECK((result.target.template cast<double>() * scale - expected.target.template cast<double>()).norm() <
            1e-5 * expected.target.norm());
    }
  };
  const auto each = [&](const auto& estimator) {
    check([](double) { return kernel::gaussian_ladder{}; }, estimator);
    check([](double s) { return kernel::gaussian{bandwidth::fixed{2 * s}}; }, estimator);
    check([](double s) { return kernel::laplacian{bandwidth::fixed{2 * s}}; }, estimator);
    check([](double s) { return kernel::laplacian_l1{3 * s}; }, estimator);
    check([](double s) { return (1 / s) * kernel::energy{}; }, estimator);
    check([](double) { return kernel::cosine{}; }, estimator);
  };
  each(estimator::linear_time{});
  each(compat::ring{});
}
