/// @file
/// The node by which libtorch's autograd knows a loss: value and gradients are found together, a backward only multiplies.
#pragma once

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/custom_class.h>

#include <functional>
#include <utility>
#include <vector>

namespace dalib::detail {

/// What a node does with its upstream gradient: a gradient for each input, undefined where none is wanted.
using torch_pull = std::function<std::vector<at::Tensor>(const at::Tensor& upstream, at::TensorList inputs)>;

/// What a node computes: its output, and how that is differentiated.
using torch_forward = std::function<std::pair<at::Tensor, torch_pull>(at::TensorList inputs, const std::vector<bool>& wanted)>;

struct torch_pull_holder : torch::CustomClassHolder {
  torch_pull pull;
  explicit torch_pull_holder(torch_pull p) : pull(std::move(p)) {}
};

/// The backward of a node where a graph of it is asked for: its own backward throws, so that a second derivative is never silently wrong.
struct torch_refusing_backward : torch::autograd::Function<torch_refusing_backward> {
  static torch::autograd::variable_list forward(torch::autograd::AutogradContext*, at::TensorList upstream_and_inputs,
                                                const torch_pull* pull, std::vector<bool>* defined) {
    torch::autograd::variable_list result;
    for (const at::Tensor& gradient : (*pull)(upstream_and_inputs[0], upstream_and_inputs.slice(1))) {
      defined->push_back(gradient.defined());
      if (gradient.defined()) result.push_back(gradient);
    }
    return result;
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext*, const torch::autograd::variable_list&) {
    TORCH_CHECK(false, "dalib: second derivatives are not available: the gradient of this loss was found with its value and has no graph");
  }
};

/// One node for any loss and any map.
struct torch_node : torch::autograd::Function<torch_node> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, at::TensorList inputs, const torch_forward* compute,
                            const std::vector<bool>* wanted) {
    auto [output, pull] = (*compute)(inputs, *wanted);
    context->save_for_backward(inputs.vec());
    context->saved_data["pull"] = at::IValue::make_capsule(c10::make_intrusive<torch_pull_holder>(std::move(pull)));
    return output;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& upstream) {
    const torch::autograd::variable_list inputs = context->get_saved_variables();
    const auto held = context->saved_data["pull"].toCapsule();
    const torch_pull& pull = static_cast<const torch_pull_holder&>(*held).pull;
    torch::autograd::variable_list result;
    if (!at::GradMode::is_enabled()) {
      result = pull(upstream[0], inputs);
    } else {
      torch::autograd::variable_list all{upstream[0]};
      all.insert(all.end(), inputs.begin(), inputs.end());
      std::vector<bool> defined;
      const auto found = torch_refusing_backward::apply(at::TensorList(all), &pull, &defined);
      std::size_t next = 0;
      for (const bool one : defined) result.push_back(one ? found[next++] : at::Tensor());
    }
    result.resize(inputs.size() + 2); // the two arguments that are no tensors
    return result;
  }
};

/// Records a node of these inputs.
inline at::Tensor record_torch_node(const std::vector<at::Tensor>& inputs, const torch_forward& compute) {
  std::vector<bool> wanted;
  for (const at::Tensor& one : inputs) wanted.push_back(at::GradMode::is_enabled() && one.requires_grad());
  return torch_node::apply(at::TensorList(inputs), &compute, &wanted);
}

} // namespace dalib::detail
