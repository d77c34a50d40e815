#include "conformance/check_measure.hpp"

#include <doctest/doctest.h>

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
