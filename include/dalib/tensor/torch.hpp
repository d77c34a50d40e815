/// @file
/// libtorch's tensors: variables of its autograd, on which every loss records itself as one node.
#pragma once

#include "dalib/core/check.hpp"
#include "dalib/core/graph.hpp"
#include "dalib/core/graph_value.hpp"
#include "dalib/tensor/torch_function.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace dalib {

/// A tensor's elements as a view, without a copy; (n,) is one column. @throws std::invalid_argument for another type than T, another device
/// than the CPU, or more than two dimensions.
template <class T>
matrix_view<const T> torch_view(const at::Tensor& tensor) {
  const auto refuse = [&](const char* sentence) {
    fail("at::Tensor",
         std::string(sentence) + " (got " + std::string(tensor.toString()) + " of " + std::to_string(tensor.dim()) + " dimensions)");
  };
  if (!tensor.defined()) fail("at::Tensor", "the tensor is not defined");
  if (!tensor.device().is_cpu()) refuse("the tensor must be on the CPU: x.cpu()");
  if (tensor.scalar_type() != c10::CppTypeToScalarType<T>::value) refuse("all tensors of a loss must have the same type, float or double");
  if (tensor.dim() != 1 && tensor.dim() != 2) refuse("the tensor must have one or two dimensions: x.flatten(1)");
  const at::Tensor plain = tensor.is_neg() ? tensor.resolve_neg() : tensor;
  if (plain.data_ptr() != tensor.data_ptr()) refuse("the tensor is a lazily negated view: x.resolve_neg()");
  const bool column = tensor.dim() == 1;
  return {tensor.const_data_ptr<T>(), tensor.size(0), column ? 1 : tensor.size(1), tensor.stride(0), column ? 1 : tensor.stride(1)};
}

/// libtorch as the library's losses see it: `mmd{}(x, y)` of at::Tensor is a tensor with a graph. float and double on the CPU; others are
/// refused with a sentence (half precision: x.to(torch::kFloat), whose own node gives the gradient its type back). Threads are those of
/// at::set_num_threads, since both use OpenMP. Only inputs that require a gradient get one. A second derivative throws.
template <>
struct graph_traits<at::Tensor> {
  using scalar = void; // a value of run time

  static index_t rows(const at::Tensor& v) { return v.size(0); }
  /// The shape alone.
  static matrix_view<const std::byte> view(const at::Tensor& v) {
    if (v.dim() != 1 && v.dim() != 2) fail("at::Tensor", "a loss takes tensors of one or two dimensions: x.flatten(1)");
    return {nullptr, v.size(0), v.dim() == 1 ? 1 : v.size(1)};
  }
  template <class T>
  static matrix_view<const T> view_as(const at::Tensor& v) {
    return torch_view<T>(v);
  }
  template <class F>
  static auto by_scalar(const at::Tensor& v, const F& f) {
    if (v.scalar_type() == at::kFloat) return f(float());
    if (v.scalar_type() != at::kDouble)
      fail("at::Tensor",
           std::string("a loss takes tensors of float or double: x.to(torch::kFloat) (got ") + std::string(v.toString()) + ")");
    return f(double());
  }

  static at::Tensor concat_rows(const at::Tensor& a, const at::Tensor& b) { return at::cat({a, b}); }
  static at::Tensor slice_rows(const at::Tensor& v, index_t first, index_t count) { return v.narrow(0, first, count); }
  static at::Tensor reverse(const at::Tensor& v, double coefficient) {
    return v.detach() - coefficient * (v - v.detach()); // the difference is 0, its gradient is not
  }
  static at::Tensor detach(const at::Tensor& v) { return v.detach(); }

  template <std::size_t N, class F>
  static at::Tensor record(const std::array<at::Tensor, N>& inputs, F&& f) {
    return detail::record_torch_node({inputs.begin(), inputs.end()}, [&f](at::TensorList in, const std::vector<bool>& wanted) {
      return by_scalar(in[0], [&](auto number) {
        using T = decltype(number);
        std::array<matrix_view<T>, N> targets;
        std::vector<at::Tensor> found = targets_of<T, N>(in, wanted, targets);
        const at::Tensor output = output_of(f(views_of<T, N>(in), targets), in[0]);
        return std::pair<at::Tensor, detail::torch_pull>(
            output, [found](const at::Tensor& upstream, at::TensorList) { return scaled(found, upstream); });
      });
    });
  }

  template <std::size_t N, class Forward, class Pull>
  static at::Tensor transform(const std::array<at::Tensor, N>& inputs, index_t row_count, index_t cols, Forward&& forward, Pull&& pull) {
    return detail::record_torch_node({inputs.begin(), inputs.end()}, [&](at::TensorList in, const std::vector<bool>& wanted) {
      const at::Tensor output = at::empty({row_count, cols}, in[0].options().requires_grad(false));
      by_scalar(in[0], [&](auto number) {
        using T = decltype(number);
        forward(views_of<T, N>(in), matrix_view<T>(output.mutable_data_ptr<T>(), row_count, cols));
        return 0;
      });
      return std::pair<at::Tensor, detail::torch_pull>(output, [pull, wanted](const at::Tensor& upstream, at::TensorList same) {
        return by_scalar(same[0], [&](auto number) {
          using T = decltype(number);
          std::array<matrix_view<T>, N> targets;
          std::vector<at::Tensor> found = targets_of<T, N>(same, wanted, targets);
          const at::Tensor whole = upstream.contiguous();
          pull(views_of<T, N>(same), torch_view<T>(whole), targets);
          return found;
        });
      });
    });
  }

private:
  template <class T, std::size_t N>
  static std::array<matrix_view<const T>, N> views_of(at::TensorList inputs) {
    std::array<matrix_view<const T>, N> views;
    for (std::size_t i = 0; i < N; ++i) views[i] = torch_view<T>(inputs[i]);
    return views;
  }

  /// New tensors for the gradients that are wanted.
  template <class T, std::size_t N>
  static std::vector<at::Tensor> targets_of(at::TensorList inputs, const std::vector<bool>& wanted,
                                            std::array<matrix_view<T>, N>& targets) {
    std::vector<at::Tensor> found(N);
    for (std::size_t i = 0; i < N; ++i) {
      if (!wanted[i]) continue;
      found[i] = at::empty(inputs[i].sizes(), inputs[i].options().requires_grad(false));
      targets[i] = {found[i].template mutable_data_ptr<T>(), inputs[i].size(0), inputs[i].dim() == 1 ? 1 : inputs[i].size(1)};
    }
    return found;
  }

  template <class T>
  requires std::is_floating_point_v<T>
  static at::Tensor output_of(T value, const at::Tensor& like) { return at::scalar_tensor(value, like.options().requires_grad(false)); }
  /// One value per row of the inputs taken together.
  template <class T>
  static at::Tensor output_of(const std::vector<T>& values, const at::Tensor& like) {
    return at::tensor(at::ArrayRef<T>(values), like.options().requires_grad(false));
  }

  /// The gradients times the upstream one, which is a number, or one for each row of the inputs taken together.
  static std::vector<at::Tensor> scaled(const std::vector<at::Tensor>& gradients, const at::Tensor& upstream) {
    std::vector<at::Tensor> result(gradients.size());
    index_t first = 0;
    for (std::size_t i = 0; i < gradients.size(); ++i) {
      if (!gradients[i].defined()) continue;
      if (upstream.dim() == 0) {
        result[i] = gradients[i] * upstream;
        continue;
      }
      const index_t rows = gradients[i].size(0);
      first = i == 0 ? 0 : upstream.size(0) - rows; // of two inputs: those of the second come last
      const at::Tensor part = upstream.narrow(0, first, rows);
      result[i] = gradients[i] * (gradients[i].dim() == 1 ? part : part.unsqueeze(1));
    }
    return result;
  }
};

} // namespace dalib
