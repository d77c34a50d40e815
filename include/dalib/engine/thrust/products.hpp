/// @file
/// Matrix products in device memory: cuBLAS under nvcc, Eigen on host systems.
#pragma once

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

} // namespace detail

/// c = a * b, or c += a * b; c is rows x cols, stored by columns, the inner size is `depth`.
template <class T>
void device_product(const exec::thrust& exec, index_t rows, index_t cols, index_t depth, product_operand<T> a, product_operand<T> b, T* c,
                    index_t stride, bool accumulate) {
  const cublasHandle_t handle = detail::cublas_handle(exec.stream);
  constexpr cudaDataType type = std::is_same_v<T, double> ? CUDA_R_64F : CUDA_R_32F;
  const T one = T(1), before = accumulate ? T(1) : T(0);
  const auto operation = [](const product_operand<T>& o) { return o.transposed ? CUBLAS_OP_T : CUBLAS_OP_N; };
  const auto narrow = [](index_t n) { return detail::cublas_size(n, "cublasGemmEx"); };
  detail::require_cublas(cublasGemmEx(handle, operation(a), operation(b), narrow(rows), narrow(cols), narrow(depth), &one, a.data, type,
                                      narrow(a.stride), b.data, type, narrow(b.stride), &before, c, type, narrow(stride),
                                      detail::compute_type<T>(exec.precision), CUBLAS_GEMM_DEFAULT),
                         "cublasGemmEx");
}

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
  index_t rows, cols, depth;
  product_operand<T> a, b;
  T* c;
  index_t stride;
  bool accumulate;

  void operator()(index_t block) const {
    const index_t first = block * columns, count = std::min(columns, cols - first);
    const auto multiply = [&](const auto& left, const auto& right) {
      Eigen::Map<Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>, 0, Eigen::OuterStride<>> to(c + first * stride, rows, count,
                                                                                               Eigen::OuterStride<>(stride));
      if (accumulate)
        to.noalias() += left * right;
      else
        to.noalias() = left * right;
    };
    const stored_matrix<T> left(a.data, a.transposed ? depth : rows, a.transposed ? rows : depth, Eigen::OuterStride<>(a.stride));
    const stored_matrix<T> right(b.data + (b.transposed ? first : first * b.stride), b.transposed ? count : depth,
                                 b.transposed ? depth : count, Eigen::OuterStride<>(b.stride));
    if (a.transposed && b.transposed)
      multiply(left.transpose(), right.transpose());
    else if (a.transposed)
      multiply(left.transpose(), right);
    else if (b.transposed)
      multiply(left, right.transpose());
    else
      multiply(left, right);
  }
};

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

/// c = a * b, or c += a * b; c is rows x cols, stored by columns, the inner size is `depth`.
template <class T>
void device_product(const exec::thrust& exec, index_t rows, index_t cols, index_t depth, product_operand<T> a, product_operand<T> b, T* c,
                    index_t stride, bool accumulate) {
  using task = detail::product_task<T>;
  exec.run((cols + task::columns - 1) / task::columns, task{rows, cols, depth, a, b, c, stride, accumulate});
}

/// to(j) += factor * sum_i a(i, j) for a, rows x cols, stored by columns without gaps; `ones` holds as many ones as there are rows.
template <class T>
void device_column_sums(const exec::thrust& exec, index_t rows, index_t cols, const T* a, T factor, const T*, T* to) {
  exec.run(cols, detail::column_sum_task<T>{rows, a, factor, to});
}

#endif

} // namespace dalib::engine
