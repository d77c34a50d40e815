/// @file
/// libtorch's tensors as views, and the node of a measure on them, for the memory of either side.
#pragma once

#include "dalib/core/check.hpp"
#include "dalib/core/matrix_view.hpp"
#include "dalib/tensor/torch_function.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace dalib {

namespace detail {
/// Whether a tensor's elements lie in `Memory`; dalib/tensor/torch_device.hpp says it for the device's.
template <class Memory>
struct torch_place {
  static bool holds(const at::Tensor& tensor) { return tensor.device().is_cpu(); }
  static constexpr const char* elsewhere = "the tensor must be on the CPU: x.cpu(), or dalib::device_tensor{x} in a program for the device";
};
} // namespace detail

/// A tensor's elements as a view, without a copy; (n,) is one column. @throws std::invalid_argument for another type than T, another device
/// than `Memory`'s, or more than two dimensions.
template <class T, class Memory = host_memory>
matrix_view<const T, Memory> torch_view(const at::Tensor& tensor) {
  const auto refuse = [&](const char* sentence) {
    fail("at::Tensor",
         std::string(sentence) + " (got " + std::string(tensor.toString()) + " of " + std::to_string(tensor.dim()) + " dimensions)");
  };
  if (!tensor.defined()) fail("at::Tensor", "the tensor is not defined");
  if (!detail::torch_place<Memory>::holds(tensor)) refuse(detail::torch_place<Memory>::elsewhere);
  if (tensor.scalar_type() != c10::CppTypeToScalarType<T>::value) refuse("all tensors of a loss must have the same type, float or double");
  if (tensor.dim() != 1 && tensor.dim() != 2) refuse("the tensor must have one or two dimensions: x.flatten(1)");
  if (tensor.is_neg()) refuse("the tensor is a lazily negated view: x.resolve_neg()");
  const bool column = tensor.dim() == 1;
  return {tensor.const_data_ptr<T>(), tensor.size(0), column ? 1 : tensor.size(1), tensor.stride(0), column ? 1 : tensor.stride(1)};
}

namespace detail {

/// f(T()) with a tensor's scalar type.
template <class F>
auto torch_by_scalar(const at::Tensor& v, const F& f) {
  if (v.scalar_type() == at::kFloat) return f(float());
  if (v.scalar_type() != at::kDouble)
    fail("at::Tensor", std::string("a loss takes tensors of float or double: x.to(torch::kFloat) (got ") + std::string(v.toString()) + ")");
  return f(double());
}

/// The shape alone.
inline matrix_view<const std::byte> torch_shape(const at::Tensor& v) {
  if (v.dim() != 1 && v.dim() != 2) fail("at::Tensor", "a loss takes tensors of one or two dimensions: x.flatten(1)");
  return {nullptr, v.size(0), v.dim() == 1 ? 1 : v.size(1)};
}

template <class T, class Memory, std::size_t N>
std::array<matrix_view<const T, Memory>, N> torch_views(at::TensorList inputs) {
  std::array<matrix_view<const T, Memory>, N> views;
  for (std::size_t i = 0; i < N; ++i) views[i] = torch_view<T, Memory>(inputs[i]);
  return views;
}

/// New tensors for the gradients that are wanted.
template <class T, class Memory, std::size_t N>
std::vector<at::Tensor> torch_targets(at::TensorList inputs, const std::vector<bool>& wanted,
                                      std::array<matrix_view<T, Memory>, N>& targets) {
  std::vector<at::Tensor> found(N);
  for (std::size_t i = 0; i < N; ++i) {
    if (!wanted[i]) continue;
    found[i] = at::empty(inputs[i].sizes(), inputs[i].options().requires_grad(false));
    targets[i] = {found[i].template mutable_data_ptr<T>(), inputs[i].size(0), inputs[i].dim() == 1 ? 1 : inputs[i].size(1)};
  }
  return found;
}

template <class T>
requires std::is_floating_point_v<T> at::Tensor torch_output(T value, const at::Tensor& like) {
  return at::scalar_tensor(value, like.options().requires_grad(false));
}
/// One value per row of the inputs taken together.
template <class T>
at::Tensor torch_output(const std::vector<T>& values, const at::Tensor& like) {
  return at::tensor(at::ArrayRef<T>(values), like.options().requires_grad(false));
}

/// The gradients times the upstream one, which is a number, or one for each row of the inputs taken together.
inline std::vector<at::Tensor> torch_scaled(const std::vector<at::Tensor>& gradients, const at::Tensor& upstream) {
  std::vector<at::Tensor> result(gradients.size());
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    if (!gradients[i].defined()) continue;
    if (upstream.dim() == 0) {
      result[i] = gradients[i] * upstream;
      continue;
    }
    const index_t rows = gradients[i].size(0);
    const index_t first = i == 0 ? 0 : upstream.size(0) - rows; // of two inputs: those of the second come last
    const at::Tensor part = upstream.narrow(0, first, rows);
    result[i] = gradients[i] * (gradients[i].dim() == 1 ? part : part.unsqueeze(1));
  }
  return result;
}

/// One node of a measure: `f(views, gradients, execution...)` as graph_traits' record has it.
template <class Memory, std::size_t N, class F, class... Execution>
at::Tensor record_torch_measure(const std::vector<at::Tensor>& inputs, const F& f, const Execution&... execution) {
  return record_torch_node(inputs, [&](at::TensorList in, const std::vector<bool>& wanted) {
    return torch_by_scalar(in[0], [&](auto number) {
      using T = decltype(number);
      std::array<matrix_view<T, Memory>, N> targets;
      std::vector<at::Tensor> found = torch_targets<T, Memory, N>(in, wanted, targets);
      const at::Tensor output = torch_output(f(torch_views<T, Memory, N>(in), targets, execution...), in[0]);
      return std::pair<at::Tensor, torch_pull>(
          output, [found](const at::Tensor& upstream, at::TensorList) { return torch_scaled(found, upstream); });
    });
  });
}

} // namespace detail

} // namespace dalib
