/// @file
/// libtorch's tensors on the device: Thrust's host system under g++, where they are on the CPU, and CUDA under nvcc. The same numbers as on
/// the host, gradients by autograd, refusals.
#include <dalib/thrust.hpp>
#include <dalib/torch.hpp>

#include <torch/csrc/autograd/autograd.h>
#include <torch/types.h>

#include <string>

#undef CHECK // c10 has one, which ends the program
#include <doctest/doctest.h>

using namespace dalib;

namespace {

#if THRUST_DEVICE_SYSTEM == THRUST_DEVICE_SYSTEM_CUDA
constexpr auto place = at::kCUDA;
#else
constexpr auto place = at::kCPU;
#endif

at::Tensor numbers(index_t rows, index_t cols, int seed) {
  const at::Tensor count = at::arange(static_cast<double>(rows * cols), at::TensorOptions(at::kDouble));
  return at::sin(count * 1.7 + seed).view({rows, cols}).mul(2);
}

struct outcome {
  at::Tensor value;
  torch::autograd::variable_list gradients;
};

/// Value and gradients of three times the loss, on the CPU.
template <class Make, class Loss>
outcome run(const Loss& loss, const std::vector<at::Tensor>& inputs, const std::vector<std::size_t>& differentiable, const Make& make) {
  std::vector<at::Tensor> leaves;
  for (const at::Tensor& one : inputs) leaves.push_back(one.detach().clone());
  torch::autograd::variable_list wanted;
  for (const std::size_t i : differentiable) wanted.push_back(leaves[i].requires_grad_(true));
  const at::Tensor value = make(loss, leaves);
  torch::autograd::variable_list found = torch::autograd::grad({3 * value}, wanted);
  for (at::Tensor& one : found) one = one.cpu();
  return {value.detach().cpu(), found};
}

void check_alike(const outcome& got, const outcome& want, double tolerance) {
  CHECK(at::abs(got.value - want.value).item<double>() < tolerance);
  REQUIRE(got.gradients.size() == want.gradients.size());
  for (std::size_t i = 0; i < got.gradients.size(); ++i) {
    CHECK(want.gradients[i].abs().max().item<double>() > 0);
    CHECK(at::abs(got.gradients[i] - want.gradients[i]).max().item<double>() < tolerance);
  }
}

std::vector<at::Tensor> on(at::DeviceType device, at::ScalarType type, const std::vector<at::Tensor>& all) {
  std::vector<at::Tensor> result;
  for (const at::Tensor& one : all) result.push_back(one.to(at::TensorOptions(type).device(device)));
  return result;
}

} // namespace

TEST_CASE("losses of tensors on the device are those on the host, and so are their gradients") {
  const auto two = [](const auto& loss, const auto& in) { return loss(in[0], in[1]); };
  const auto two_there = [](const auto& loss, const auto& in) { return loss(device_tensor{in[0]}, device_tensor{in[1]}); };
  const auto four = [](const auto& loss, const auto& in) { return loss(in[0], in[1], in[2], in[3]); };
  const auto four_there = [](const auto& loss, const auto& in) {
    return loss(device_tensor{in[0]}, device_tensor{in[1]}, device_tensor{in[2]}, device_tensor{in[3]});
  };
  for (const auto type : {at::kFloat, at::kDouble}) {
    const double tolerance = type == at::kFloat ? 1e-5 : 1e-12;
    const std::vector<at::Tensor> samples{numbers(9, 7, 1), numbers(6, 7, 5) + 0.5};
    check_alike(run(mmd{}, on(place, type, samples), {0, 1}, two_there), run(mmd{}, on(at::kCPU, type, samples), {0, 1}, two), tolerance);
    const std::vector<at::Tensor> scores{numbers(8, 4, 1), numbers(8, 4, 2), numbers(5, 4, 3), numbers(5, 4, 4)};
    check_alike(run(margin_disparity{}, on(place, type, scores), {1, 3}, four_there),
                run(margin_disparity{}, on(at::kCPU, type, scores), {1, 3}, four), tolerance);
  }
}

TEST_CASE("only what requires a gradient gets one, and a second derivative throws") {
  const std::vector<at::Tensor> in = on(place, at::kDouble, {numbers(6, 3, 1), numbers(5, 3, 2)});
  const at::Tensor x = in[0].requires_grad_(true), y = in[1];
  const at::Tensor value = mmd{}(device_tensor{x}, device_tensor{y});
  CHECK((value.device().type() == place && value.dim() == 0));
  const auto first = torch::autograd::grad({value}, {x}, {}, true, true);
  CHECK_THROWS_WITH_AS(torch::autograd::grad({first[0].sum()}, {x}), doctest::Contains("second derivatives"), c10::Error);
  mmd{}(device_tensor{x}, device_tensor{y}).backward();
  CHECK(x.grad().defined());
  CHECK_FALSE(y.grad().defined());
}

TEST_CASE("refusals") {
  const at::Tensor x = numbers(4, 3, 1);
  const auto call = [](const at::Tensor& a, const at::Tensor& b) { return mmd{}(device_tensor{a}, device_tensor{b}); };
  CHECK_THROWS_WITH_AS(call(at::Tensor(), x), doctest::Contains("device"), std::invalid_argument);
  const auto there = on(place, at::kDouble, {x, numbers(4, 2, 1)});
  CHECK_THROWS_WITH_AS(call(there[0], there[1]), doctest::Contains("mmd"), std::invalid_argument);
  CHECK_THROWS_WITH_AS(call(there[0], there[0].to(at::kFloat)), doctest::Contains("same type"), std::invalid_argument);
  CHECK_THROWS_WITH_AS(call(there[0].to(at::kLong), there[0]), doctest::Contains("float or double"), std::invalid_argument);
}
