// Where gradients may not be written: over an input, its weights, another gradient, or twice into one element; and tensors without memory.
#include "conformance/samples.hpp"

#include <doctest/doctest.h>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

using namespace dalib;
using conformance::matrix;
using conformance::normal_rows;

namespace {

using view = matrix_view<double>;

/// One call of a measure: `inputs` of these shapes, gradients for some of them.
struct call {
  std::string name;
  std::vector<std::pair<dalib::index_t, dalib::index_t>> inputs;
  std::vector<std::size_t> gradient_of; ///< which input each gradient belongs to
  std::function<void(const std::vector<view>&, const std::vector<view>&)> run;
};

std::vector<call> all_calls() {
  const auto pair_of = [](const auto& measure) {
    return [measure](const std::vector<view>& in, const std::vector<view>& out) {
      measure.value_and_gradient(in[0], in[1], gradients<double>{out[0], out[1]});
    };
  };
  const auto exec = exec::serial{};
  std::vector<call> calls = {
      {"mmd", {{8, 3}, {6, 3}}, {0, 1}, pair_of(mmd{})},
      {"mmd of few pairs", {{8, 3}, {6, 3}}, {0, 1}, pair_of(mmd{kernel::gaussian{}, estimator::linear_time{}})},
      {"weighted_mmd",
       {{6, 3}, {6, 3}},
       {0, 1},
       pair_of(weighted_mmd{kernel::gaussian_ladder{}, compat::nonlinear{}, compat::quadratic_program{}})},
      {"checked", {{8, 3}, {6, 3}}, {0, 1}, pair_of(checked{mmd{}})},
      {"domain_adversarial", {{8, 1}, {6, 1}}, {0, 1}, pair_of(domain_adversarial<>{})},
      {"classifier_discrepancy", {{8, 3}, {8, 3}}, {0, 1}, pair_of(classifier_discrepancy{})},
      {"class_balance",
       {{8, 3}},
       {0},
       [](const auto& in, const auto& out) { class_balance{}.value_and_gradient(in[0], gradient<double>{out[0]}); }},
      {"margin_disparity",
       {{8, 3}, {8, 3}, {6, 3}, {6, 3}},
       {1, 3},
       [](const auto& in, const auto& out) {
         margin_disparity{}.value_and_gradient(in[0], in[1], in[2], in[3], gradients<double>{out[0], out[1]});
       }},
      {"conditional_domain_adversarial",
       {{8, 1}, {6, 1}, {8, 3}, {6, 3}},
       {0, 1, 2, 3},
       [](const auto& in, const auto& out) {
         conditional_domain_adversarial{conditioning::joint_entropy{}}.value_and_gradient(
             in[0], in[1], in[2], in[3], gradients<double>{out[0], out[1]}, gradients<double>{out[2], out[3]});
       }},
      {"kernel_matrix_gradient",
       {{8, 3}, {8, 8}},
       {0},
       [=](const auto& in, const auto& out) { kernel_matrix_gradient(exec, kernel::gaussian{}, in[0], in[1], out[0]); }},
      {"joint_mmd", {{8, 3}, {6, 3}, {8, 2}, {6, 2}}, {0, 1, 2, 3}, [](const auto& in, const auto& out) {
         joint_mmd{jan_kernels()}.value_and_gradient(layers(in[0], in[2]), layers(in[1], in[3]),
                                                     layer_gradients<double, 2>{layers(out[0], out[2]), layers(out[1], out[3])});
       }}};
  return calls;
}

/// The message with which a call is refused; empty if it runs.
std::string refusal(const call& one, const std::vector<view>& in, const std::vector<view>& out) {
  try {
    one.run(in, out);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

/// Memory for every input and gradient of a call, apart.
struct apart {
  std::vector<matrix<double>> inputs, gradients;
  std::vector<view> in, out;

  explicit apart(const call& one) {
    for (const auto& [rows, cols] : one.inputs) inputs.push_back(normal_rows<double>(rows, cols, 1 + inputs.size()));
    for (const std::size_t i : one.gradient_of) gradients.push_back(matrix<double>::Constant(inputs[i].rows(), inputs[i].cols(), 42));
    for (auto& m : inputs) in.push_back(view_of(m));
    for (auto& m : gradients) out.push_back(view_of(m));
  }
  bool untouched() const {
    for (const auto& g : gradients)
      if (!(g.array() == 42).all()) return false;
    return true;
  }
};

} // namespace

TEST_CASE("a gradient over any input, in place, by its last element or by a stride, is refused before anything is written") {
  for (const call& one : all_calls()) {
    CAPTURE(one.name);
    apart memory(one);
    CHECK(refusal(one, memory.in, memory.out) == "");
    for (std::size_t g = 0; g < memory.out.size(); ++g)
      for (std::size_t i = 0; i < memory.in.size(); ++i) {
        apart fresh(one);
        const view own = fresh.out[g], other = fresh.in[i];
        const dalib::index_t last = (other.rows - 1) * other.row_stride + other.cols - 1;
        for (const view& wrong :
             {view(other.data, own.rows, own.cols, own.row_stride, 1), view(other.data + last, own.rows, own.cols, 50, 7),
              view(other.data + last, own.rows, own.cols, -own.row_stride, -1)}) {
          std::vector<view> out = fresh.out;
          out[g] = wrong;
          CHECK(refusal(one, fresh.in, out).find("must not share memory with an input") != std::string::npos);
          CHECK(fresh.untouched());
        }
      }
  }
}

TEST_CASE("gradients over each other, or an element that stands twice, are refused before anything is written") {
  for (const call& one : all_calls()) {
    CAPTURE(one.name);
    apart memory(one);
    for (std::size_t a = 0; a < memory.out.size(); ++a)
      for (std::size_t b = 0; b < memory.out.size(); ++b) {
        const auto size = [&](std::size_t g) { return memory.out[g].rows * memory.out[g].cols; };
        if (a == b || size(a) > size(b)) continue; // behind a smaller one an input may lie
        std::vector<view> out = memory.out;
        out[a] = view(out[b].data, out[a].rows, out[a].cols, out[a].row_stride, 1);
        CHECK(refusal(one, memory.in, out).find("must not share memory with each other") != std::string::npos);
        CHECK(memory.untouched());
      }
    std::vector<view> out = memory.out;
    out[0].row_stride = 0;
    CHECK(refusal(one, memory.in, out).find("an element of its own") != std::string::npos);
    CHECK(memory.untouched());
  }
}

TEST_CASE("columns of one matrix may hold all inputs and gradients: the same numbers") {
  for (const call& one : all_calls()) {
    CAPTURE(one.name);
    apart memory(one);
    one.run(memory.in, memory.out);
    std::vector<double> buffer(8 * 64, 0.0);
    dalib::index_t column = 0;
    const auto place = [&](const view& from) {
      const view to(buffer.data() + column, from.rows, from.cols, 64, 1);
      column += from.cols;
      for (dalib::index_t i = 0; i < from.rows; ++i)
        for (dalib::index_t j = 0; j < from.cols; ++j) to(i, j) = from(i, j);
      return to;
    };
    std::vector<view> in, out;
    for (const view& v : memory.in) in.push_back(place(v));
    for (const view& v : memory.out) out.push_back(place(v));
    one.run(in, out);
    for (std::size_t g = 0; g < out.size(); ++g)
      for (dalib::index_t i = 0; i < out[g].rows; ++i)
        for (dalib::index_t j = 0; j < out[g].cols; ++j) CHECK(out[g](i, j) == doctest::Approx(memory.out[g](i, j)).epsilon(1e-13));
  }
}

TEST_CASE("a gradient over the sample's weights is refused; inputs may be the same tensor") {
  const matrix<double> z = normal_rows<double>(6, 1, 1);
  matrix<double> gs = matrix<double>::Constant(6, 1, 1), gt = gs;
  const std::vector<double> wt(6, 1.0);
  CHECK_THROWS_WITH_AS((mmd{}.value_and_gradient(weighted(z, gs), weighted(z, wt), gradients{gs, gt})),
                       doctest::Contains("must not share memory with an input"), std::invalid_argument);
  CHECK(std::abs(mmd{kernel::gaussian{}, estimator::biased{}}.value_and_gradient(z, z, gradients{gs, gt})) < 1e-15);
}

TEST_CASE("tensors without memory are refused with both shapes; only a default-made view is not wanted") {
  const matrix<float> zs = normal_rows<float>(8, 3, 1), zt = normal_rows<float>(6, 3, 2);
  Eigen::MatrixXf g, h, right(6, 3);
  matrix<float> row_major;
  CHECK_THROWS_WITH_AS((mmd{}.value_and_gradient(zs, zt, gradients{g, h})), doctest::Contains("8 x 3 and 0 x 0"), std::invalid_argument);
  CHECK_THROWS_WITH_AS((mmd{}.value_and_gradient(zs, zt, gradients{row_major, right})), doctest::Contains("8 x 3 and 0 x 0"),
                       std::invalid_argument);
  CHECK_THROWS_AS((mmd{}.value_and_gradient(zs, zt, gradients{matrix_view<float>{}, row_major})), std::invalid_argument);
  CHECK_THROWS_AS((mmd{}.value_and_gradient(zs, zt, gradients{matrix_view<float>(nullptr, 8, 3), right})), std::invalid_argument);
  CHECK_THROWS_AS((class_balance{}.value_and_gradient(zs, gradient{row_major})), std::invalid_argument);
  CHECK_THROWS_AS((joint_mmd{layer_kernels(kernel::gaussian{})}.value_and_gradient(layers(zs), layers(zt),
                                                                                   layer_gradients{layers(row_major), layers(right)})),
                  std::invalid_argument);
  CHECK(std::isfinite(mmd{}.value_and_gradient(zs, zt, gradients{matrix_view<float>{}, right})));
  CHECK_THROWS_AS((mmd{}.value_and_gradient(zs, zs, gradients{row_major, row_major})), std::invalid_argument);
}
