/// @file
/// Execution on Thrust's device system: CUDA under nvcc, or OpenMP or the calling thread with -DTHRUST_DEVICE_SYSTEM=....
#pragma once

#include "dalib/core/workspace.hpp"
#include "dalib/execution/openmp.hpp"

#include <thrust/execution_policy.h>
#include <thrust/for_each.h>
#include <thrust/iterator/counting_iterator.h>
#include <thrust/system_error.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <stdexcept>
#include <string>

#if THRUST_DEVICE_SYSTEM == THRUST_DEVICE_SYSTEM_CUDA
#  if !defined(__CUDACC__)
#    error "dalib: compile with nvcc, or choose a host system: -DTHRUST_DEVICE_SYSTEM=THRUST_DEVICE_SYSTEM_OMP (or _CPP)"
#  endif
#  include <cuda_runtime_api.h>
#endif

namespace dalib {

/// A call to the device failed: the message starts with the call's name.
struct device_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What the matrix products of float tensors may round their inputs to. Sums are in float in any case; double is never rounded. Host
/// systems always compute in full precision.
enum class product_precision {
  full,    ///< float
  tf32,    ///< 10 bits of mantissa, on tensor cores
  bfloat16 ///< 7 bits of mantissa, on tensor cores
};

#if THRUST_DEVICE_SYSTEM == THRUST_DEVICE_SYSTEM_CUDA
/// A queue of work on the device.
using device_stream = cudaStream_t;
#else
/// Host systems have one queue, the calling thread.
using device_stream = std::nullptr_t;
#endif

namespace detail {

#if THRUST_DEVICE_SYSTEM == THRUST_DEVICE_SYSTEM_CUDA
inline void require_cuda(cudaError_t status, const char* call) {
  if (status == cudaSuccess) return;
  cudaGetLastError(); // an error that does not stick is not to be reported by the next call again
  throw device_error(std::string(call) + ": " + cudaGetErrorString(status));
}

/// One thread for each task. Not thrust::for_each_n: that gives two tasks to a thread, which leaves a device idle where tasks are few, and
/// compiles every task four times.
template <class Task>
__global__ void run_task(index_t count, const __grid_constant__ Task task) {
  const index_t i = static_cast<index_t>(blockIdx.x) * static_cast<index_t>(blockDim.x) + static_cast<index_t>(threadIdx.x);
  if (i < count) task(i);
}
#endif

/// Where a device workspace's memory comes from.
struct device_resource {
  static void* allocate(std::size_t bytes, [[maybe_unused]] std::size_t alignment) {
#if THRUST_DEVICE_SYSTEM == THRUST_DEVICE_SYSTEM_CUDA
    void* p = nullptr;
    require_cuda(cudaMalloc(&p, bytes), "cudaMalloc");
    return p;
#else
    return host_resource::allocate(bytes, alignment);
#endif
  }
  static void deallocate(void* p, [[maybe_unused]] std::size_t alignment) {
#if THRUST_DEVICE_SYSTEM == THRUST_DEVICE_SYSTEM_CUDA
    if (p) cudaFree(p);
#else
    host_resource::deallocate(p, alignment);
#endif
  }
};

/// Sets every element of a view to 0.
template <class T>
struct clear_task {
  matrix_view<T, device_memory> view;
  DALIB_HD void operator()(index_t i) const { view(i / view.cols, i % view.cols) = T(0); }
};

} // namespace detail

/// Scratch memory of measures whose tensors are in device memory; keep one between calls, since allocating on a device is slow.
using device_workspace = basic_workspace<detail::device_resource>;

namespace exec {

/// Runs tasks on Thrust's device system, in the order of `stream`. Work is cut by the problem's size alone and added up in a fixed order,
/// so that a call gives the same bits again, on host systems for any number of threads.
struct thrust {
  using memory = device_memory;

  device_stream stream = nullptr;
  product_precision precision = product_precision::full;

  thrust() = default;
  explicit thrust(device_stream queue, product_precision products = product_precision::full) : stream(queue), precision(products) {}

  /// Calls task(i) for i = 0 .. count - 1, in any order, after all that was run before; returns before they are done.
  /// @throws device_error if the launch fails.
  template <class Task>
  void run(index_t count, const Task& task) const {
    if (count <= 0) return;
#if THRUST_DEVICE_SYSTEM == THRUST_DEVICE_SYSTEM_CUDA
    detail_run(count, task);
#else
    try {
      ::thrust::for_each_n(::thrust::device, ::thrust::counting_iterator<index_t>(0), count, task);
    } catch (const ::thrust::system_error& error) {
      throw device_error(std::string("thrust::for_each_n: ") + error.what());
    }
#endif
  }

  /// Waits until all that was run is done.
  void synchronise() const {
#if THRUST_DEVICE_SYSTEM == THRUST_DEVICE_SYSTEM_CUDA
    detail_require(cudaStreamSynchronize(stream), "cudaStreamSynchronize");
#endif
  }

  /// Copies contiguous elements of the device to the host, and waits for them.
  template <class T>
  void copy_to_host(const T* from, index_t count, T* to) const {
    if (count <= 0) return;
#if THRUST_DEVICE_SYSTEM == THRUST_DEVICE_SYSTEM_CUDA
    detail_require(cudaMemcpyAsync(to, from, static_cast<std::size_t>(count) * sizeof(T), cudaMemcpyDeviceToHost, stream),
                   "cudaMemcpyAsync");
    synchronise();
#else
    std::copy_n(from, count, to);
#endif
  }

  /// Copies contiguous elements of the host to the device; the host's may change on return.
  template <class T>
  void copy_to_device(const T* from, index_t count, T* to) const {
    if (count <= 0) return;
#if THRUST_DEVICE_SYSTEM == THRUST_DEVICE_SYSTEM_CUDA
    detail_require(cudaMemcpyAsync(to, from, static_cast<std::size_t>(count) * sizeof(T), cudaMemcpyHostToDevice, stream),
                   "cudaMemcpyAsync");
    synchronise(); // the host's memory may be pinned: then the copy is still under way
#else
    std::copy_n(from, count, to);
#endif
  }

  /// Sets contiguous elements to 0.
  template <class T>
  void clear(T* elements, index_t count) const {
#if THRUST_DEVICE_SYSTEM == THRUST_DEVICE_SYSTEM_CUDA
    detail_require(cudaMemsetAsync(elements, 0, static_cast<std::size_t>(count) * sizeof(T), stream), "cudaMemsetAsync");
#else
    clear(matrix_view<T, device_memory>(elements, 1, count));
#endif
  }
  /// Sets every element of a view to 0; a view without data is left alone.
  template <class T>
  void clear(const matrix_view<T, device_memory>& view) const {
    if (view.data) run(view.rows * view.cols, dalib::detail::clear_task<T>{view});
  }

private:
#if THRUST_DEVICE_SYSTEM == THRUST_DEVICE_SYSTEM_CUDA
  static void detail_require(cudaError_t status, const char* call) { dalib::detail::require_cuda(status, call); }

  template <class Task>
  void detail_run(index_t count, const Task& task) const {
    constexpr index_t threads = 256;
    const index_t blocks = (count + threads - 1) / threads;
    if (blocks > std::numeric_limits<int>::max()) throw device_error("cudaLaunchKernel: too many tasks for one launch");
    dalib::detail::run_task<<<static_cast<unsigned>(blocks), static_cast<unsigned>(threads), 0, stream>>>(count, task);
    detail_require(cudaGetLastError(), "cudaLaunchKernel");
  }
#endif
};

} // namespace exec
} // namespace dalib
