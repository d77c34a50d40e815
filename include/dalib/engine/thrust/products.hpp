/// @file
/// Matrix products in device memory: cuBLAS under nvcc, Eigen on host systems.
#pragma once

#include "dalib/engine/backend.hpp"
#include "dalib/execution/thrust.hpp"

#if THRUST_DEVICE_SYSTEM == THRUST_DEVICE_SYSTEM_CUDA
#  include <cublas_v2.h>
#else
#  include <Eigen/Core>
#endif

#include <limits>
#include <map>
#include <string>
#include <type_traits>

namespace dalib::engine {

namespace detail {
/// to[i] = 1.
template <class T>
struct ones_task {
  T* to;
  DALIB_HD void operator()(index_t i) const { to[i] = T(1); }
};
} // namespace detail

/// A matrix stored by columns: element (i, j) is data[i + j * stride]; used transposed if `transposed`.
template <class T>
struct product_operand {
  const T* data;
  index_t stride;
  bool transposed = false;
};

/// What a BLAS computes: c = alpha a b + beta c; c is rows x cols, stored by columns `stride` apart, the inner size is `depth`.
template <class T>
struct stored_product {
  index_t rows, cols, depth;
  product_operand<T> a, b;
  T* c;
  index_t stride;
  product_scale<T> scale{}; ///< with beta = 1 the product is added
};

namespace detail {

/// A size or stride as cuBLAS takes it, in int. @throws device_error if it is too large: it must not wrap.
inline int cublas_size(index_t n, const char* call) {
  if (n > std::numeric_limits<int>::max())
    throw device_error(std::string(call) + ": a size or stride of " + std::to_string(n) + " is more than an int holds");
  return static_cast<int>(n);
}
} // namespace detail

#if THRUST_DEVICE_SYSTEM == THRUST_DEVICE_SYSTEM_CUDA

namespace detail {

inline void require_cublas(cublasStatus_t status, const char* call) {
  if (status != CUBLAS_STATUS_SUCCESS) throw device_error(std::string(call) + ": " + cublasGetStatusString(status));
}

/// The cuBLAS handle of this thread for its device, set to a stream. Made when it is first needed, and kept: making one takes longer than
/// most calls.
inline cublasHandle_t cublas_handle(device_stream stream) {
  struct owner {
    cublasHandle_t handle = nullptr;
    ~owner() {
      if (handle) cublasDestroy(handle);
    }
  };
  thread_local std::map<int, owner> of_devices;
  int device = 0;
  dalib::detail::require_cuda(cudaGetDevice(&device), "cudaGetDevice");
  cublasHandle_t& handle = of_devices[device].handle;
  if (!handle) require_cublas(cublasCreate(&handle), "cublasCreate");
  require_cublas(cublasSetStream(handle, stream), "cublasSetStream");
  return handle;
}

template <class T>
cublasComputeType_t compute_type(product_precision precision) {
  if (std::is_same_v<T, double>) return CUBLAS_COMPUTE_64F;
  switch (precision) {
  case product_precision::tf32:
    return CUBLAS_COMPUTE_32F_FAST_TF32;
  case product_precision::bfloat16:
    return CUBLAS_COMPUTE_32F_FAST_16BF;
  default:
    return CUBLAS_COMPUTE_32F;
  }
}

template <class T>
void multiply(const exec::thrust& exec, const stored_product<T>& p) {
  const cublasHandle_t handle = cublas_handle(exec.stream);
  constexpr cudaDataType type = std::is_same_v<T, double> ? CUDA_R_64F : CUDA_R_32F;
  const auto operation = [](const product_operand<T>& o) { return o.transposed ? CUBLAS_OP_T : CUBLAS_OP_N; };
  const auto narrow = [](index_t n) { return cublas_size(n, "cublasGemmEx"); };
  require_cublas(cublasGemmEx(handle, operation(p.a), operation(p.b), narrow(p.rows), narrow(p.cols), narrow(p.depth), &p.scale.alpha,
                              p.a.data, type, narrow(p.a.stride), p.b.data, type, narrow(p.b.stride), &p.scale.beta, p.c, type,
                              narrow(p.stride), compute_type<T>(exec.precision), CUBLAS_GEMM_DEFAULT),
                 "cublasGemmEx");
}

} // namespace detail

/// to(j) += factor * sum_i a(i, j) for a, rows x cols, stored by columns without gaps; `ones` holds as many ones as there are rows.
template <class T>
void device_column_sums(const exec::thrust& exec, index_t rows, index_t cols, const T* a, T factor, const T* ones, T* to) {
  const cublasHandle_t handle = detail::cublas_handle(exec.stream);
  const T one = T(1);
  if constexpr (std::is_same_v<T, double>) {
    const int m = detail::cublas_size(rows, "cublasDgemv"), n = detail::cublas_size(cols, "cublasDgemv");
    detail::require_cublas(cublasDgemv(handle, CUBLAS_OP_T, m, n, &factor, a, m, ones, 1, &one, to, 1), "cublasDgemv");
  } else {
    const int m = detail::cublas_size(rows, "cublasSgemv"), n = detail::cublas_size(cols, "cublasSgemv");
    detail::require_cublas(cublasSgemv(handle, CUBLAS_OP_T, m, n, &factor, a, m, ones, 1, &one, to, 1), "cublasSgemv");
  }
}

#else

namespace detail {

template <class T>
using stored_matrix = Eigen::Map<const Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>, 0, Eigen::OuterStride<>>;

/// One block of columns of a product. Blocks are cut by the problem's size, and Eigen runs on the task's own thread, so that the bits do
/// not depend on the number of threads.
template <class T>
struct product_task {
  static constexpr index_t columns = 64;
  stored_product<T> p;

  void operator()(index_t block) const {
    const index_t first = block * columns, count = std::min(columns, p.cols - first);
    Eigen::Map<Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>, 0, Eigen::OuterStride<>> to(p.c + first * p.stride, p.rows, count,
                                                                                             Eigen::OuterStride<>(p.stride));
    if (p.scale.beta == T(0))
      to.setZero();
    else if (p.scale.beta != T(1))
      to *= p.scale.beta;
    const auto multiply = [&](const auto& left, const auto& right) { to.noalias() += p.scale.alpha * (left * right); };
    const stored_matrix<T> left(p.a.data, p.a.transposed ? p.depth : p.rows, p.a.transposed ? p.rows : p.depth,
                                Eigen::OuterStride<>(p.a.stride));
    const stored_matrix<T> right(p.b.data + (p.b.transposed ? first : first * p.b.stride), p.b.transposed ? count : p.depth,
                                 p.b.transposed ? p.depth : count, Eigen::OuterStride<>(p.b.stride));
    if (p.a.transposed && p.b.transposed)
      multiply(left.transpose(), right.transpose());
    else if (p.a.transposed)
      multiply(left.transpose(), right);
    else if (p.b.transposed)
      multiply(left, right.transpose());
    else
      multiply(left, right);
  }
};

template <class T>
void multiply(const exec::thrust& exec, const stored_product<T>& p) {
  using task = product_task<T>;
  exec.run((p.cols + task::columns - 1) / task::columns, task{p});
}

/// to(j) += factor * sum_i a(i, j) for one column.
template <class T>
struct column_sum_task {
  index_t rows;
  const T* a;
  T factor;
  T* to;

  void operator()(index_t j) const {
    T sum = T(0);
    for (index_t i = 0; i < rows; ++i) sum += a[j * rows + i];
    to[j] += factor * sum;
  }
};

} // namespace detail

/// to(j) += factor * sum_i a(i, j) for a, rows x cols, stored by columns without gaps; `ones` holds as many ones as there are rows.
template <class T>
void device_column_sums(const exec::thrust& exec, index_t rows, index_t cols, const T* a, T factor, const T*, T* to) {
  exec.run(cols, detail::column_sum_task<T>{rows, a, factor, to});
}

#endif

/// A product of stored matrices, on the policy's stream.
template <class T>
void device_product(const exec::thrust& exec, const stored_product<T>& product) {
  detail::multiply(exec, product);
}

namespace detail {

/// to(i, j) = from(i, j): task = row * columns + column.
template <class T>
struct copy_view_task {
  matrix_view<const T, device_memory> from;
  matrix_view<T, device_memory> to;
  DALIB_HD void operator()(index_t i) const { to(i / to.cols, i % to.cols) = from(i / to.cols, i % to.cols); }
};

/// Whether a BLAS reads a view by rows as it lies: a row's elements are neighbours.
template <class T>
bool has_rows(const matrix_view<T, device_memory>& v) {
  return v.col_stride == 1 && v.row_stride >= v.cols;
}

/// A factor of a product as it lies, or a copy of it without gaps where a BLAS has no strides for it.
template <class T>
matrix_view<const T, device_memory> readable_factor(const exec::thrust& exec, const matrix_view<const T, device_memory>& v,
                                                    device_workspace& scratch) {
  if (has_rows(v) || has_rows(v.transposed())) return v;
  const matrix_view<T, device_memory> copy(scratch.allocate<T>(v.rows * v.cols), v.rows, v.cols);
  exec.run(v.rows * v.cols, copy_view_task<T>{v, copy});
  return copy;
}

/// The transpose of a view as a factor stored by columns.
template <class T>
product_operand<T> transposed_factor(const matrix_view<const T, device_memory>& v) {
  if (has_rows(v)) return {v.data, v.row_stride};
  return {v.data, v.col_stride, true};
}

/// c = alpha a b + beta c of views with any strides. What a BLAS has no strides for is copied.
template <class T>
void multiply_views(const exec::thrust& exec, const matrix_view<const T, device_memory>& a, const matrix_view<const T, device_memory>& b,
                    const matrix_view<T, device_memory>& c, product_scale<T> scale, device_workspace& scratch) {
  if (c.rows == 0 || c.cols == 0) return;
  if (!has_rows(c)) {
    if (has_rows(c.transposed())) return multiply_views(exec, b.transposed(), a.transposed(), c.transposed(), scale, scratch);
    const matrix_view<T, device_memory> staged(scratch.allocate<T>(c.rows * c.cols), c.rows, c.cols);
    if (scale.beta != T(0)) exec.run(c.rows * c.cols, copy_view_task<T>{c, staged});
    multiply_views(exec, a, b, staged, scale, scratch);
    return exec.run(c.rows * c.cols, copy_view_task<T>{staged, c});
  }
  const auto left = readable_factor(exec, a, scratch), right = readable_factor(exec, b, scratch);
  // A matrix by rows is its transpose by columns: c^T = b^T a^T.
  multiply(exec, stored_product<T>{c.cols, c.rows, a.cols, transposed_factor(right), transposed_factor(left), c.data, c.row_stride, scale});
}

} // namespace detail
} // namespace dalib::engine
