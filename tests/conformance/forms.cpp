// Every measure of the library has every form of call.
#include "conformance/check_forms.hpp"

#include "autodiff/dalib_graph.hpp"

#include <doctest/doctest.h>

using namespace dalib;

namespace {

using rows = conformance::matrix<double>;

template <class Measure, class Out, class... Inputs>
void check(const Measure& measure, const Out& out, const Inputs&... inputs) {
  const auto found = conformance::check_forms(measure, out, inputs...);
  CHECK_MESSAGE(found.passed(), found.text());
  const auto looked_at = conformance::check_forms(checked{measure}, out, inputs...);
  CHECK_MESSAGE(looked_at.passed(), looked_at.text());
}

/// A measure on a tape has the value and the gradients of the form without one.
template <class Result>
void check_node(const ad::variable<double>& node, const Result& expected, const ad::variable<double>& source,
                const ad::variable<double>& target) {
  CHECK(node.item() == expected.value);
  ad::backward(node);
  CHECK(source.gradient() == expected.source);
  CHECK(target.gradient() == expected.target);
}

} // namespace

/// A matrix that is a tensor and, at once, a value of a graph that counts its nodes: as other frameworks' tensors are.
struct graph_tensor {
  rows elements;
  int* nodes;
};

template <>
struct dalib::matrix_traits<graph_tensor> {
  static constexpr bool owning = true;
  static auto view(const graph_tensor& t) { return const_view_of(t.elements); }
  static rows like(const graph_tensor& t) { return rows(t.elements.rows(), t.elements.cols()); }
};
template <>
struct dalib::graph_traits<graph_tensor> {
  using scalar = double;
  static auto view(const graph_tensor& t) { return const_view_of(t.elements); }
  template <std::size_t N, class F>
  static double record(const std::array<graph_tensor, N>& inputs, F&& f) {
    ++*inputs[0].nodes;
    std::array<matrix_view<const double>, N> views;
    for (std::size_t i = 0; i < N; ++i) views[i] = view(inputs[i]);
    return f(views, std::array<matrix_view<double>, N>{});
  }
};

TEST_CASE("conformance: every measure has every form") {
  const rows a = conformance::normal_rows<double>(7, 4, 1), b = conformance::normal_rows<double>(6, 4, 2), c = a.reverse();
  const rows d = b.reverse(), l = a.leftCols(1), k = b.leftCols(1);
  rows ga(7, 4), gb(6, 4), gc(7, 4), gl(7, 1), gk(6, 1);
  check(mmd{}, gradients{ga, gb}, a, b);
  check(weighted_mmd{kernel::gaussian_ladder{}, estimator::unbiased{}, compat::quadratic_program{}}, gradients{ga, gb}, a, b);
  check(domain_adversarial<>{}, gradients{gl, gk}, l, k);
  check(classifier_discrepancy{}, gradients{ga, gc}, a, c);
  check(class_balance{}, gradient{ga}, a);
  check(margin_disparity{}, gradients{ga, gb}, a, c, b, d);
  check(conditional_domain_adversarial{conditioning::per_domain_entropy{}}, gradients{gl, gk}, l, k, a, b);
  rows ha(7, 4), hb(6, 4);
  check(joint_mmd{}, layer_gradients<double, 2>{layers(ga, ha), layers(gb, hb)}, layers(a, c), layers(b, d));
}

TEST_CASE("conformance: every measure is one node on a tape") {
  const rows a = conformance::normal_rows<double>(7, 4, 1), b = conformance::normal_rows<double>(6, 4, 2), c = a.reverse();
  const rows d = b.reverse(), l = a.leftCols(1), k = b.leftCols(1);
  const auto on_tape = [](const rows& m) { return ad::parameter(m); };
  const auto pair = [&](const auto& measure, const rows& x, const rows& y) {
    const auto vx = on_tape(x), vy = on_tape(y);
    check_node(measure(vx, vy), value_and_gradient(measure, x, y), vx, vy);
  };
  pair(mmd{}, a, b);
  pair(checked{mmd{}}, a, b);
  pair(weighted_mmd{kernel::gaussian_ladder{}, estimator::unbiased{}, compat::quadratic_program{}}, a, b);
  pair(domain_adversarial<>{}, l, k);
  pair(classifier_discrepancy{}, a, c);

  const auto va = on_tape(a), vb = on_tape(b), vc = on_tape(c), vd = on_tape(d), vl = on_tape(l), vk = on_tape(k);
  check_node(margin_disparity{}(va, vc, vb, vd), value_and_gradient(margin_disparity{}, a, c, b, d), vc, vd);
  CHECK_FALSE(va.has_gradient());
  const auto balance = class_balance{}(va);
  ad::backward(balance);
  CHECK(va.gradient() == value_and_gradient(class_balance{}, a).gradient);

  const conditional_domain_adversarial conditional{conditioning::per_domain_entropy{}};
  rows gl(7, 1), gk(6, 1), ga(7, 4), gb(6, 4);
  conditional.value_and_gradient(l, k, c, b, gradients{gl, gk}, gradients{ga, gb});
  vc.clear_gradient();
  vb.clear_gradient();
  ad::backward(conditional(vl, vk, vc, vb));
  CHECK((vl.gradient() == gl && vk.gradient() == gk && vc.gradient() == ga && vb.gradient() == gb));
}

TEST_CASE("conformance: what is a tensor and a graph's value at once is recorded when called, and read by value_and_gradient") {
  int nodes = 0;
  const graph_tensor a{conformance::normal_rows<double>(7, 4, 1), &nodes}, b{conformance::normal_rows<double>(6, 4, 2), &nodes};
  CHECK(mmd{}(a, b) == mmd{}(a.elements, b.elements));
  CHECK(nodes == 1);
  const auto result = value_and_gradient(mmd{}, a, b);
  CHECK(result.source == value_and_gradient(mmd{}, a.elements, b.elements).source);
  CHECK(nodes == 1);
}
