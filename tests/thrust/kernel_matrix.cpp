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
