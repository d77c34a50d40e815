// K(x, y) of two samples, and the gradient of a weighted sum of its entries.
#include "conformance/check_measure.hpp"
#include "support/accuracy.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <stdexcept>
#include <type_traits>
#include <utility>

using namespace dalib;
using conformance::matrix;
using conformance::normal_rows;

namespace {

const kernel::gaussian<bandwidth::fixed> fixed_gaussian{bandwidth::fixed{3}};

oracle::kernel gaussian_of(double squared_scale) {
  return oracle::of(oracle::squared, [=](oracle::complex s) { return std::exp(-s / (2 * oracle::real(squared_scale))); });
}

} // namespace

TEST_CASE_TEMPLATE("two samples of unequal sizes: entries, sum and gradients against long double, bandwidth of the joint sample", T, float,
                   double) {
  for (const auto& sizes : {std::pair{7, 40}, std::pair{40, 1}, std::pair{200, 130}}) {
    const dalib::index_t nx = sizes.first, ny = sizes.second;
    CAPTURE(nx);
    const matrix<T> x = normal_rows<T>(nx, 9, 1), y = normal_rows<T>(ny, 9, 2, 1.2, 0.3), upstream = normal_rows<T>(nx, ny, 3);
    const oracle::matrix z = oracle::joint(x, y);
    const oracle::kernel formula = gaussian_of(static_cast<double>(oracle::mean_squared_distance(z)));
    oracle::matrix weights = oracle::matrix::Zero(nx + ny, nx + ny);
    weights.topRightCorner(nx, ny) = upstream.template cast<oracle::real>();
    const auto expected = oracle::evaluate(formula, z, weights);
    matrix<T> k(nx, ny), gx(nx, 9), gy(ny, 9);
    kernel_matrix(exec::serial{}, kernel::gaussian{}, x, y, k);
    double worst = 0;
    for (Eigen::Index i = 0; i < nx; ++i)
      for (Eigen::Index j = 0; j < ny; ++j) {
        const auto entry = formula.value(oracle::statistics(z.row(i), z.row(nx + j))).real();
        worst = std::max(worst, static_cast<double>(std::abs(entry - oracle::real(k(i, j)))));
      }
    CHECK(worst < (std::is_same_v<T, float> ? 1e-6 : 1e-14));
    const T sum = kernel_matrix_gradient(exec::serial{}, kernel::gaussian{}, x, y, upstream, gradients{gx, gy});
    CHECK(std::abs(static_cast<double>(expected.value) - static_cast<double>(sum)) <
          support::gradient_bound<T> * static_cast<double>(k.norm()));
    CHECK(oracle::gradient_error(gx, gy, expected.gradient) < support::gradient_bound<T>);
  }
}

TEST_CASE("a linear kernel: R y and R' x, for either side alone, scaled, added, and through strides") {
  const matrix<double> x = normal_rows<double>(6, 4, 1, 1, 2), y = normal_rows<double>(9, 4, 2), upstream = normal_rows<double>(6, 9, 3);
  const matrix<double> rx = upstream * y, ry = upstream.transpose() * x;
  Eigen::MatrixXd whole = Eigen::MatrixXd::Zero(20, 30), k(6, 9);
  kernel_matrix(exec::serial{}, kernel::linear{}, x, y, k);
  CHECK((k - x * y.transpose()).norm() < 1e-13 * k.norm());
  const double sum =
      kernel_matrix_gradient(exec::serial{}, kernel::linear{}, x, y, upstream, gradients{whole.block(1, 2, 6, 4), matrix_view<double>{}});
  CHECK(std::abs(sum - (upstream.array() * k.array()).sum()) < 1e-12);
  CHECK((whole.block(1, 2, 6, 4) - rx).norm() < 1e-12);
  matrix<double> gy = matrix<double>::Ones(9, 4);
  kernel_matrix_gradient(exec::serial{}, kernel::linear{}, x, y, upstream,
                         gradients{matrix_view<double>{}, gy, -2.0, write_mode::accumulate});
  CHECK((gy.array() - 1 + 2 * ry.array()).matrix().norm() < 1e-12);
  CHECK(whole.norm() == doctest::Approx(rx.norm()));
}

TEST_CASE("gradients are what differences of the entries give") {
  matrix<double> x = normal_rows<double>(5, 3, 1), y = normal_rows<double>(4, 3, 2), upstream = normal_rows<double>(5, 4, 3), k(5, 4),
                 gx(5, 3), gy(4, 3);
  kernel_matrix_gradient(exec::serial{}, fixed_gaussian, x, y, upstream, gradients{gx, gy});
  const auto sum = [&] {
    kernel_matrix(exec::serial{}, fixed_gaussian, x, y, k);
    return (upstream.array() * k.array()).sum();
  };
  CHECK((gx - conformance::central_differences(sum, x, 1e-5)).norm() < 1e-8);
  CHECK((gy - conformance::central_differences(sum, y, 1e-5)).norm() < 1e-8);
}

TEST_CASE("the same bits for any number of threads, and K(x, x) is the matrix of one sample") {
  for (const dalib::index_t n : {30, 300}) {
    const matrix<float> x = normal_rows<float>(n, 20, 1), y = normal_rows<float>(n / 2, 20, 2), upstream = normal_rows<float>(n, n / 2, 3);
    matrix<float> k(n, n / 2), gx(n, 20), gy(n / 2, 20), own(n, n), same(n, n);
    kernel_matrix(exec::serial{}, kernel::gaussian{}, x, y, k);
    const float sum = kernel_matrix_gradient(exec::serial{}, kernel::gaussian{}, x, y, upstream, gradients{gx, gy});
    for (int threads = 1; threads <= 3; ++threads) {
      matrix<float> k2(n, n / 2), gx2(n, 20), gy2(n / 2, 20);
      kernel_matrix(exec::openmp{threads}, kernel::gaussian{}, x, y, k2);
      CHECK(kernel_matrix_gradient(exec::openmp{threads}, kernel::gaussian{}, x, y, upstream, gradients{gx2, gy2}) == sum);
      CHECK(((k2 == k) && (gx2 == gx) && (gy2 == gy)));
    }
    kernel_matrix(exec::serial{}, fixed_gaussian + 0.3 * kernel::cosine{}, x, own);
    kernel_matrix(exec::serial{}, fixed_gaussian + 0.3 * kernel::cosine{}, x, x, same);
    CHECK(own == same);
  }
}

TEST_CASE("two samples: wrong shapes, empty samples and shared memory are refused") {
  matrix<double> x = normal_rows<double>(4, 3, 1), y = normal_rows<double>(2, 3, 2), wide(2, 4), none(0, 3), k(4, 2), turned(2, 4),
                 gx(4, 3), gy(2, 3);
  const auto entries = [&](const auto& a, const auto& b, auto&& to) { kernel_matrix(exec::serial{}, kernel::linear{}, a, b, to); };
  const auto gradient = [&](const auto& r, auto& a, auto& b) {
    kernel_matrix_gradient(exec::serial{}, kernel::linear{}, x, y, r, gradients{a, b});
  };
  wide.setZero();
  k.setZero();
  turned.setZero();
  CHECK_THROWS_WITH_AS(entries(x, y, turned), doctest::Contains("kernel_matrix"), std::invalid_argument);
  CHECK_THROWS_AS(entries(x, wide, k), std::invalid_argument);
  CHECK_THROWS_AS(entries(x, none, k), std::invalid_argument);
  CHECK_THROWS_AS(entries(none, y, k), std::invalid_argument);
  CHECK_THROWS_AS(entries(x, y, x.leftCols(2)), std::invalid_argument);
  CHECK_THROWS_WITH_AS(gradient(turned, gx, gy), doctest::Contains("kernel_matrix_gradient"), std::invalid_argument);
  CHECK_THROWS_AS(gradient(k, gy, gx), std::invalid_argument);
  CHECK_THROWS_AS(gradient(k, gx, y), std::invalid_argument);
  CHECK_THROWS_AS(gradient(k, gx, k), std::invalid_argument);
}

namespace {
/// A Gaussian that counts for how many registers of pairs it was asked.
struct counting_gaussian {
  using statistic = squared_distance;
  static inline dalib::index_t registers = 0;
  template <class T>
  jet<T> operator()(const T& s) const {
    using std::exp;
    registers += std::is_same_v<T, pack<float>>;
    const T k = exp(T(-0.1) * s);
    return {k, T(-0.1) * k};
  }
};
} // namespace

TEST_CASE("many blocks, few rows against many, clusters and pairs near each other: the gradient is that of the joint sample's matrix") {
  for (const auto& sizes : {std::pair{500, 300}, std::pair{3, 900}, std::pair{700, 20}}) {
    const dalib::index_t nx = sizes.first, ny = sizes.second;
    CAPTURE(nx);
    matrix<float> x = normal_rows<float>(nx, 20, 1), y = normal_rows<float>(ny, 20, 2);
    const matrix<float> upstream = normal_rows<float>(nx, ny, 3);
    for (dalib::index_t i = 0; i < nx; ++i) x.row(i) = x.row(i % 3) * 20 + x.row(i) * 0.01f; // three clusters
    for (dalib::index_t i = 0; i < ny; ++i) y.row(i) = x.row(i % nx) + y.row(i) * 0.01f;
    y.row(1) = x.row(2);
    matrix<float> z(nx + ny, 20), weights = matrix<float>::Zero(nx + ny, nx + ny), gz(nx + ny, 20), gx(nx, 20), gy(ny, 20);
    z << x, y;
    weights.topRightCorner(nx, ny) = upstream;
    const auto kernel = kernel::gaussian{2.0};
    const float expected = kernel_matrix_gradient(exec::serial{}, kernel, z, weights, gz);
    const float sum = kernel_matrix_gradient(exec::serial{}, kernel, x, y, upstream, gradients{gx, gy});
    CHECK(std::abs(sum - expected) < 1e-5f * upstream.norm() * std::sqrt(float(nx)));
    CHECK((gz.topRows(nx) - gx).norm() < 2e-5f * gz.norm());
    CHECK((gz.bottomRows(ny) - gy).norm() < 2e-5f * gz.norm());
    matrix<float> hx(nx, 20), hy(ny, 20);
    CHECK(kernel_matrix_gradient(exec::openmp{3}, kernel, x, y, upstream, gradients{hx, hy}) == sum);
    CHECK((hx == gx && hy == gy));
  }
}

TEST_CASE("pairs within a sample are not evaluated") {
  const matrix<float> x = normal_rows<float>(64, 5, 1), y = normal_rows<float>(640, 5, 2), upstream = normal_rows<float>(64, 640, 3);
  matrix<float> gx(64, 5), gy(640, 5);
  counting_gaussian::registers = 0;
  kernel_matrix_gradient(exec::serial{}, counting_gaussian{}, x, y, upstream, gradients{gx, gy});
  CHECK(counting_gaussian::registers > 0);
  CHECK(counting_gaussian::registers * pack<float>::size < 3 * 64 * 640 / 2);
}
