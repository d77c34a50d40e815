// Matrix products in device memory beside Eigen's.
#include "conformance/samples.hpp"

#include <dalib/thrust.hpp>

#include <doctest/doctest.h>

using namespace dalib;
using conformance::matrix;
using conformance::normal_rows;
using conformance::relative_difference;

namespace {

/// A product of the transposed or untransposed left and right matrices, accumulated on another; row-major matrices here are transposed
/// ones for device_product.
template <class T>
double product_difference(bool left_transposed, bool right_transposed) {
  constexpr dalib::index_t rows = 70, cols = 130, depth = 33;
  const exec::thrust exec;
  const matrix<T> left = normal_rows<T>(left_transposed ? rows : depth, left_transposed ? depth : rows, 1);
  const matrix<T> right = normal_rows<T>(right_transposed ? depth : cols, right_transposed ? cols : depth, 2);
  const matrix<T> before = normal_rows<T>(cols, rows, 3);
  const device_matrix a(left), b(right);
  device_matrix c(before);
  for (const bool accumulate : {false, true})
    engine::device_product(exec, engine::stored_product<T>{.rows = rows,
                                                           .cols = cols,
                                                           .depth = depth,
                                                           .a = {a.data(), left.cols(), left_transposed},
                                                           .b = {b.data(), right.cols(), right_transposed},
                                                           .c = c.data(),
                                                           .stride = rows,
                                                           .scale = {T(1), accumulate ? T(1) : T(0)}});
  const matrix<T> l = left_transposed ? left : matrix<T>(left.transpose()), r = right_transposed ? right : matrix<T>(right.transpose());
  return relative_difference(c.to_host(), matrix<T>(T(2) * (l * r).transpose()));
}

} // namespace

TEST_CASE("device: products of matrices in any order of storage") {
  for (const bool left : {false, true})
    for (const bool right : {false, true}) {
      CHECK(product_difference<double>(left, right) < 1e-13);
      CHECK(product_difference<float>(left, right) < 1e-5);
    }
}

TEST_CASE("device: products of views with any strides, alpha and beta") {
  constexpr dalib::index_t m = 30, k = 21, n = 17;
  const exec::thrust exec;
  // By rows, by columns, and with gaps both ways, inside (2 rows, 3 cols) of memory.
  const auto placed = [](const device_matrix<double>& memory, dalib::index_t rows, dalib::index_t cols, int where) {
    const dalib::index_t row_stride = where == 0 ? cols : where == 1 ? 1 : 3 * cols, col_stride = where == 0 ? 1 : where == 1 ? rows : 2;
    return matrix_view<double, device_memory>(const_cast<double*>(memory.data()), rows, cols, row_stride, col_stride);
  };
  const auto numbers = [&](const matrix_view<double, device_memory>& v) {
    matrix<double> result(v.rows, v.cols);
    copy_to_host(exec, v, result);
    return result;
  };
  const device_matrix a_memory(normal_rows<double>(2 * m, 3 * k, 1)), b_memory(normal_rows<double>(2 * k, 3 * n, 2));
  for (int where = 0; where < 27; ++where) {
    const device_matrix c_memory(normal_rows<double>(2 * m, 3 * n, 3));
    const auto a = placed(a_memory, m, k, where % 3), b = placed(b_memory, k, n, where / 3 % 3), c = placed(c_memory, m, n, where / 9);
    const matrix<double> expected = 0.5 * numbers(a) * numbers(b) - 3 * numbers(c);
    device_workspace scratch;
    engine::product(exec, a, b, c, {0.5, -3.0}, scratch);
    CHECK(relative_difference(numbers(c), expected) < 1e-13);
  }
}

TEST_CASE("device: sums of columns are added, with a factor") {
  const matrix<double> columns = normal_rows<double>(50, 20, 1), before = normal_rows<double>(1, 50, 2); // one column in each row
  const device_matrix a(columns), ones(matrix<double>(matrix<double>::Ones(1, 20)));
  device_matrix to(before);
  engine::device_column_sums<double>(exec::thrust{}, 20, 50, a.data(), -2.0, ones.data(), to.data());
  CHECK(relative_difference(to.to_host(), matrix<double>(before - 2 * columns.rowwise().sum().transpose())) < 1e-13);
}

TEST_CASE("device: a size that cuBLAS cannot take is refused by the call's name") {
  CHECK(engine::detail::cublas_size(2147483647, "call") == 2147483647);
  CHECK_THROWS_WITH_AS(engine::detail::cublas_size(2147483648, "cublasGemmEx"),
                       "cublasGemmEx: a size or stride of 2147483648 is more than an int holds", device_error);
}

#if THRUST_DEVICE_SYSTEM == THRUST_DEVICE_SYSTEM_CUDA // on the host, sanitizers stop at such a size
TEST_CASE("device: memory that there is not is a device_error with the call's name") {
  CHECK_THROWS_WITH_AS(device_matrix<double>(dalib::index_t{1} << 40, 1 << 10), doctest::Contains("thrust::device_vector: "), device_error);
}
#endif
