/// @file
/// libtorch's tensors in the memory of Thrust's device system: CUDA tensors under nvcc. Nothing for a compiler that has no such system.
#pragma once

#if defined(__CUDACC__) || defined(THRUST_DEVICE_SYSTEM)

#  include "dalib/core/graph.hpp"
#  include "dalib/core/graph_value.hpp"
#  include "dalib/execution/thrust.hpp"
#  include "dalib/tensor/torch_views.hpp"

#  if THRUST_DEVICE_SYSTEM == THRUST_DEVICE_SYSTEM_CUDA
#    include <c10/cuda/CUDAGuard.h>
#    include <c10/cuda/CUDAStream.h>
#  endif

namespace dalib {

namespace detail {
template <>
struct torch_place<device_memory> {
#  if THRUST_DEVICE_SYSTEM == THRUST_DEVICE_SYSTEM_CUDA
  static bool holds(const at::Tensor& tensor) { return tensor.is_cuda(); }
  static constexpr const char* elsewhere = "a device_tensor must be on a CUDA device: x.cuda()";
#  else
  static bool holds(const at::Tensor& tensor) { return tensor.device().is_cpu(); }
  static constexpr const char* elsewhere = "Thrust's device system is the host here: x.cpu()";
#  endif
};

/// Work on a tensor's device, in the order of torch's current stream there.
class torch_device_scope {
public:
#  if THRUST_DEVICE_SYSTEM == THRUST_DEVICE_SYSTEM_CUDA
  explicit torch_device_scope(const at::Tensor& tensor)
      : guard_(tensor.device()), stream_(c10::cuda::getCurrentCUDAStream(tensor.device().index()).stream()) {}
  exec::thrust execution() const { return exec::thrust(stream_); }

private:
  c10::cuda::OptionalCUDAGuard guard_;
  device_stream stream_;
#  else
  explicit torch_device_scope(const at::Tensor&) {}
  exec::thrust execution() const { return {}; }
#  endif
};
} // namespace detail

/// A tensor whose losses are computed where it lies, on the device: `mmd{}(device_tensor{x}, device_tensor{y})` is a tensor with a graph,
/// as of tensors on the CPU, found on torch's current stream. Which losses there are for a device: dalib/thrust.md; others do not compile.
/// A type of its own, since a tensor's device is a value of run time, and what runs on a device is compiled for it. float and double.
///
/// Needs dalib/thrust.hpp, and nvcc or `-DTHRUST_DEVICE_SYSTEM=...`; then tensors are on the CPU.
struct device_tensor {
  at::Tensor value;
};

template <>
struct graph_traits<device_tensor> {
  using scalar = void; // a value of run time

  static index_t rows(const device_tensor& v) { return v.value.size(0); }
  static matrix_view<const std::byte> view(const device_tensor& v) { return detail::torch_shape(v.value); }
  template <class T>
  static matrix_view<const T, device_memory> view_as(const device_tensor& v) {
    return torch_view<T, device_memory>(v.value);
  }
  template <class F>
  static auto by_scalar(const device_tensor& v, const F& f) {
    return detail::torch_by_scalar(v.value, f);
  }
  static device_tensor detach(const device_tensor& v) { return {v.value.detach()}; }

  template <std::size_t N, class F>
  static at::Tensor record(const std::array<device_tensor, N>& inputs, F&& f) {
    std::vector<at::Tensor> tensors;
    for (const device_tensor& one : inputs) tensors.push_back(one.value);
    if (!tensors[0].defined() || !detail::torch_place<device_memory>::holds(tensors[0]))
      fail("dalib::device_tensor", detail::torch_place<device_memory>::elsewhere);
    const detail::torch_device_scope scope(tensors[0]);
    return detail::record_torch_measure<device_memory, N>(tensors, f, scope.execution());
  }
};

} // namespace dalib

#endif
