/// @file
/// libtorch's tensors: variables of its autograd, on which every loss records itself as one node.
#pragma once

#include "dalib/core/graph.hpp"
#include "dalib/core/graph_value.hpp"
#include "dalib/tensor/torch_views.hpp"

namespace dalib {

/// libtorch as the library's losses see it: `mmd{}(x, y)` of at::Tensor is a tensor with a graph. float and double on the CPU; others are
/// refused with a sentence (half precision: x.to(torch::kFloat), whose own node gives the gradient its type back). Threads are those of
/// at::set_num_threads, since both use OpenMP. Only inputs that require a gradient get one. A second derivative throws. Tensors on a
/// device: device_tensor.
template <>
struct graph_traits<at::Tensor> {
  using scalar = void; // a value of run time

  static index_t rows(const at::Tensor& v) { return v.size(0); }
  static matrix_view<const std::byte> view(const at::Tensor& v) { return detail::torch_shape(v); }
  template <class T>
  static matrix_view<const T> view_as(const at::Tensor& v) {
    return torch_view<T>(v);
  }
  template <class F>
  static auto by_scalar(const at::Tensor& v, const F& f) {
    return detail::torch_by_scalar(v, f);
  }

  static at::Tensor concat_rows(const at::Tensor& a, const at::Tensor& b) { return at::cat({a, b}); }
  static at::Tensor slice_rows(const at::Tensor& v, index_t first, index_t count) { return v.narrow(0, first, count); }
  static at::Tensor reverse(const at::Tensor& v, double coefficient) {
    return v.detach() - coefficient * (v - v.detach()); // the difference is 0, its gradient is not
  }
  static at::Tensor detach(const at::Tensor& v) { return v.detach(); }

  template <std::size_t N, class F>
  static at::Tensor record(const std::array<at::Tensor, N>& inputs, F&& f) {
    return detail::record_torch_measure<host_memory, N>({inputs.begin(), inputs.end()}, f);
  }

  template <std::size_t N, class Forward, class Pull>
  static at::Tensor transform(const std::array<at::Tensor, N>& inputs, index_t row_count, index_t cols, Forward&& forward, Pull&& pull) {
    return detail::record_torch_node({inputs.begin(), inputs.end()}, [&](at::TensorList in, const std::vector<bool>& wanted) {
      const at::Tensor output = at::empty({row_count, cols}, in[0].options().requires_grad(false));
      by_scalar(in[0], [&](auto number) {
        using T = decltype(number);
        forward(detail::torch_views<T, host_memory, N>(in), matrix_view<T>(output.mutable_data_ptr<T>(), row_count, cols));
        return 0;
      });
      return std::pair<at::Tensor, detail::torch_pull>(output, [pull, wanted](const at::Tensor& upstream, at::TensorList same) {
        return by_scalar(same[0], [&](auto number) {
          using T = decltype(number);
          std::array<matrix_view<T>, N> targets;
          std::vector<at::Tensor> found = detail::torch_targets<T, host_memory, N>(same, wanted, targets);
          const at::Tensor whole = upstream.contiguous();
          pull(detail::torch_views<T, host_memory, N>(same), torch_view<T>(whole), targets);
          return found;
        });
      });
    });
  }
};

} // namespace dalib
