// K(x, y) of two samples on device tensors beside the same on host tensors.
#include "conformance/samples.hpp"

#include <dalib/thrust.hpp>

#include <cmath>
#include <doctest/doctest.h>
#include <type_traits>

using namespace dalib;
using conformance::matrix;
using conformance::normal_rows;

TEST_CASE_TEMPLATE("device: the kernel matrix of two samples, its sum and gradients", T, float, double) {
  const double bound = std::is_same_v<T, float> ? 1e-5 : 1e-12;
  const auto kernel = kernel::gaussian{} + 0.2 * kernel::linear{} + 0.3 * kernel::cosine{};
  const matrix<T> x = normal_rows<T>(70, 9, 1), y = normal_rows<T>(31, 9, 2, 1.2, 0.3), upstream = normal_rows<T>(70, 31, 3);
  matrix<T> k(70, 31), gx(70, 9), gy(31, 9);
  kernel_matrix(exec::serial{}, kernel, x, y, k);
  const T sum = kernel_matrix_gradient(exec::serial{}, kernel, x, y, upstream, gradients{gx, gy});
  const device_matrix dx(x), dy(y), dr(upstream);
  const matrix<T> no_entries = matrix<T>::Zero(70, 31), no_x = matrix<T>::Zero(70, 9), no_y = matrix<T>::Zero(31, 9);
  device_matrix dk(no_entries), dgx(no_x), dgy(no_y);
  kernel_matrix(exec::thrust{}, kernel, dx, dy, dk);
  const T found = kernel_matrix_gradient(exec::thrust{}, kernel, dx, dy, dr, gradients{dgx, dgy});
  CHECK(static_cast<double>((dk.to_host() - k).norm() / k.norm()) < bound);
  CHECK(static_cast<double>((dgx.to_host() - gx).norm() / gx.norm()) < bound);
  CHECK(static_cast<double>((dgy.to_host() - gy).norm() / gy.norm()) < bound);
  CHECK(std::abs(static_cast<double>(found - sum)) < bound * static_cast<double>(k.norm()));
}

TEST_CASE("device: the matrix of one sample over several tiles is symmetric to the last bit, and has its slopes") {
  const index_t n = 1500; // tiles of 1024 rows
  matrix<float> x = normal_rows<float>(n, 6, 1, 1, 3);
  x.row(n - 1) = x.row(0); // a close pair in a tile off the diagonal
  x.row(7) = x.row(3);
  x(7, 2) += 1e-3f;
  const kernel::gaussian kernel{bandwidth::fixed{2}};
  matrix<float> k(n, n), slopes(n, n);
  kernel_matrix_with_slopes(exec::serial{}, kernel, x, k, slopes);
  const device_matrix dx(x);
  const matrix<float> none = matrix<float>::Zero(n, n);
  device_matrix dk(none), dslopes(none);
  kernel_matrix_with_slopes(exec::thrust{}, kernel, dx, dk, dslopes);
  const matrix<float> found = dk.to_host(), found_slopes = dslopes.to_host();
  CHECK(found == found.transpose());
  CHECK((found - k).cwiseAbs().maxCoeff() < 1e-5f);
  CHECK(found(n - 1, 0) == 1);
  CHECK((found_slopes - slopes).norm() < 1e-5f * slopes.norm());
  device_matrix only(none);
  kernel_matrix(exec::thrust{}, kernel, dx, only);
  CHECK(only.to_host() == found);
}
