#include "conformance/check_measure.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <type_traits>

using namespace dalib;
using conformance::matrix;
using conformance::normal_rows;

TEST_CASE("kernel_matrix fills the caller's memory, whatever its layout, with the same bits for any execution") {
  const auto x = normal_rows<float>(30, 6, 1);
  matrix<float> serial(30, 30);
  Eigen::MatrixXf whole(40, 60);
  kernel_matrix(exec::serial{}, kernel::gaussian{}, x, serial);
  kernel_matrix(exec::default_policy{}, kernel::gaussian{}, x, whole.block(3, 7, 30, 30));
  CHECK(whole.block(3, 7, 30, 30) == serial);
  CHECK(serial.diagonal().isOnes(0));
}

TEST_CASE("kernel_matrix keeps the distances of nearly equal rows in float, also at 1e4") {
  auto x = normal_rows<float>(2, 8, 1, 1, 1e4);
  x.row(1) = x.row(0);
  x(1, 3) += 0.25f;
  matrix<float> k(2, 2);
  kernel_matrix(exec::serial{}, kernel::energy{}, x, k);
  CHECK(k(0, 1) == doctest::Approx(-0.25).epsilon(1e-5));
}

TEST_CASE("wrong shapes are refused with both shapes") {
  const auto x = normal_rows<double>(4, 3, 1);
  matrix<double> small(3, 4), k(4, 4), gradient(4, 2), empty(0, 3);
  conformance::report found;
  conformance::detail::require_refusal(found, "K", {"kernel_matrix", "4 x 3", "3 x 4"},
                                       [&] { kernel_matrix(exec::serial{}, kernel::linear{}, x, small); });
  conformance::detail::require_refusal(found, "no rows", {"kernel_matrix", "0 x 3"},
                                       [&] { kernel_matrix(exec::serial{}, kernel::linear{}, empty, k); });
  conformance::detail::require_refusal(found, "upstream", {"kernel_matrix_gradient", "4 x 3", "3 x 4"},
                                       [&] { kernel_matrix_gradient(exec::serial{}, kernel::linear{}, x, small, gradient); });
  conformance::detail::require_refusal(found, "gradient", {"kernel_matrix_gradient", "4 x 3", "4 x 2"},
                                       [&] { kernel_matrix_gradient(exec::serial{}, kernel::linear{}, x, k, gradient); });
  CHECK_MESSAGE(found.passed(), found.text());
}

TEST_CASE("the gradient for a 1 at (i, j) touches rows i and j only") {
  const auto x = normal_rows<double>(5, 3, 1);
  matrix<double> upstream = matrix<double>::Zero(5, 5), gradient(5, 3);
  upstream(1, 3) = 1;
  kernel_matrix_gradient(exec::serial{}, kernel::gaussian{bandwidth::fixed{1}}, x, upstream, gradient);
  CHECK(gradient.row(1).norm() > 0);
  CHECK((gradient.row(1) + gradient.row(3)).norm() < 1e-15);
  CHECK(gradient.row(0).isZero(0));
  CHECK(gradient.row(4).isZero(0));
}

TEST_CASE_TEMPLATE("entries are those of a loop over pairs, symmetric to the last bit, for sizes around blocks and registers", T, float,
                   double) {
  const double bound = std::is_same_v<T, float> ? 2e-6 : 1e-14;
  for (const index_t n : {1, 17, 130, 401}) {
    CAPTURE(n);
    matrix<T> x = normal_rows<T>(n, 11, 1, 1, 3), k(n, n);
    if (n > 2) x.row(2) = x.row(1) * T(1.0001); // near each other
    Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic> whole(n + 5, n + 3);
    const auto kernel = kernel::gaussian{4.0} + 0.01 * kernel::linear{} + kernel::laplacian_l1{9.0};
    kernel_matrix(exec::openmp{2}, kernel, x, k);
    kernel_matrix(exec::serial{}, kernel, x, whole.block(2, 1, n, n));
    CHECK(whole.block(2, 1, n, n) == k);
    CHECK(k == k.transpose());
    double worst = 0;
    const Eigen::MatrixXd wide = x.template cast<double>();
    for (index_t i = 0; i < n; ++i)
      for (index_t j = 0; j < n; ++j) {
        const double square = (wide.row(i) - wide.row(j)).squaredNorm(), l1 = (wide.row(i) - wide.row(j)).cwiseAbs().sum();
        const double expected = std::exp(-square / 32) + 0.01 * wide.row(i).dot(wide.row(j)) + std::exp(-l1 / 9);
        worst = std::max(worst, std::abs(static_cast<double>(k(i, j)) - expected) / (1 + std::abs(expected)));
      }
    CHECK(worst < bound);
  }
}

namespace {
/// |K - k(s)| and |D - k'(s)| at worst, against a kernel's own jet at the statistic of each pair.
template <class T, class Kernel, class Statistic>
double slope_error(const Kernel& kernel, const matrix<T>& x, const Statistic& statistic) {
  const index_t n = x.rows();
  matrix<T> k(n, n), plain(n, n);
  Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic> slopes(n, n), again(n, n);
  kernel_matrix(exec::serial{}, kernel, x, plain);
  kernel_matrix_with_slopes(exec::serial{}, kernel, x, k, slopes);
  kernel_matrix_with_slopes(exec::openmp{3}, kernel, x, plain, again);
  CHECK((plain == k && again == slopes && slopes == slopes.transpose()));
  double worst = 0;
  const Eigen::MatrixXd wide = x.template cast<double>();
  for (index_t i = 0; i < n; ++i)
    for (index_t j = 0; j < n; ++j) {
      const jet<double> expected = kernel(statistic(wide.row(i), wide.row(j)));
      worst = std::max({worst, std::abs(static_cast<double>(k(i, j)) - expected.value) / (1 + std::abs(expected.value)),
                        std::abs(static_cast<double>(slopes(i, j)) - expected.slope) / (1 + std::abs(expected.slope))});
    }
  return worst;
}

/// k = 1 / (1 + s) of any statistic.
template <class Statistic>
struct rational {
  using statistic = Statistic;
  template <class T>
  DALIB_HD jet<T> operator()(const T& s) const {
    const T u = T(1) / (T(1) + s);
    return {u, -(u * u)};
  }
};
} // namespace

TEST_CASE_TEMPLATE("the matrix with its slopes is the matrix, and the kernel's derivatives, beyond one block too", T, float, double) {
  const double bound = std::is_same_v<T, float> ? 5e-6 : 1e-13;
  for (const index_t n : {1, 40, 230}) {
    CAPTURE(n);
    const matrix<T> x = normal_rows<T>(n, 7, 1, 1, 2);
    CHECK(slope_error(rational<squared_distance>{}, x, [](const auto& a, const auto& b) { return (a - b).squaredNorm(); }) < bound);
    CHECK(slope_error(rational<l1_distance>{}, x, [](const auto& a, const auto& b) { return (a - b).cwiseAbs().sum(); }) < bound);
  }
}

TEST_CASE("slopes are those of the rows as they are given where these are counted in another unit") {
  const matrix<float> x = normal_rows<float>(20, 5, 1) * 1e-15f;
  matrix<float> k(20, 20), slopes(20, 20);
  kernel_matrix_with_slopes(exec::serial{}, kernel::gaussian{bandwidth::fixed{1e-15}}, x, k, slopes);
  CHECK((slopes + k * 5e29f).norm() < 1e-5f * slopes.norm()); // k' = -k / (2 sigma^2)
  CHECK(slopes.allFinite());
}

TEST_CASE("slopes of another shape, or over K, are refused") {
  const auto x = normal_rows<double>(4, 3, 1);
  matrix<double> k(4, 4), small(3, 4);
  CHECK_THROWS_WITH_AS(kernel_matrix_with_slopes(exec::serial{}, kernel::gaussian{}, x, k, small),
                       doctest::Contains("kernel_matrix_with_slopes"), std::invalid_argument);
  CHECK_THROWS_AS(kernel_matrix_with_slopes(exec::serial{}, kernel::gaussian{}, x, k, k), std::invalid_argument);
}
