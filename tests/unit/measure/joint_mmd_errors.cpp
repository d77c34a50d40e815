/// JMMD refuses what does not fit, before anything is written, and is finite for degenerate data.
#include "jmmd.hpp"

#include "autodiff/autodiff.hpp"
#include "autodiff/dalib_graph.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace dalib;
using namespace jmmd;

namespace {

TEST_CASE("wrong shapes are refused with both shapes") {
  two_layers<double> d(6, 5, 4, 3), other(7, 5, 4, 2);
  checks::matrix g = checks::matrix::Constant(6, 4, 7), wrong(6, 2);
  const joint_mmd loss;
  const auto refused = [&](const auto& source, const auto& target) { return checks::message_of([&] { loss(source, target); }); };
  CHECK(refused(layers(d.s1, d.s2), layers(d.t1, other.t2)) ==
        "joint_mmd: source and target must have the same number of features (got 6 x 3 and 5 x 2)");
  CHECK(refused(layers(d.s1, other.s2), layers(d.t1, other.t2)) ==
        "joint_mmd: all layers of a domain must have the same number of samples (got 6 x 4 and 7 x 2)");
  const std::vector<double> w(6, 1.0), v(6, 2.0);
  CHECK(checks::contains(refused(layers(weighted(d.s1, w), weighted(d.s2, v)), d.target()), "must have the same weights"));
  CHECK(checks::contains(refused(layers(d.s1.topRows(1), d.s2.topRows(1)), d.target()), "at least 2 samples"));
  CHECK(checks::contains(refused(layers(d.s1.topRows(0), d.s2.topRows(0)), d.target()), "at least one sample"));
  const matrix_view<double> none;
  CHECK(checks::contains(checks::message_of([&] {
                           loss.value_and_gradient(d.source(), d.target(), layer_gradients{layers(g, wrong), layers(none, none)});
                         }),
                         "6 x 3 and 6 x 2"));
  d.s2(4, 1) = std::numeric_limits<double>::quiet_NaN();
  CHECK(checks::message_of([&] {
          checked{loss}.value_and_gradient(d.source(), d.target(), layer_gradients{layers(g, none), layers(none, none)});
        }) == "joint_mmd: the source (6 x 3) has a value that is not finite at row 4, column 1");
  CHECK((g.array() == 7).all());
}

TEST_CASE_TEMPLATE("identical rows: value 0 of the V statistic, gradient 0", T, float, double) {
  two_layers<T> d(5, 4, 6, 3);
  d.s1.setConstant(T(3));
  d.t1.setConstant(T(3));
  d.s2.setConstant(T(1) / 3);
  d.t2.setConstant(T(1) / 3);
  auto [value, gs, gt] = value_and_gradient(joint_mmd{jan_kernels(), estimator::biased{}}, d.source(), d.target());
  CHECK(static_cast<double>(value) == doctest::Approx(0).scale(1).epsilon(1e-6));
  CHECK(std::get<0>(gs).isZero(0));
  CHECK(std::get<1>(gt).isZero(0));
}

TEST_CASE("a second call with the same workspace allocates nothing") {
  two_layers<double> d(50, 40, 8, 3);
  workspace scratch;
  const joint_mmd loss;
  loss(exec::serial{}, d.source(), d.target(), scratch);
  loss(exec::serial{}, d.source(), d.target(), scratch);
  const std::size_t held = scratch.capacity();
  loss(exec::serial{}, d.source(), d.target(), scratch);
  CHECK(scratch.capacity() == held);
}

TEST_CASE("on a tape it is one node with the gradients of every layer") {
  two_layers<double> d(6, 5, 4, 3);
  const joint_mmd loss;
  const auto s1 = ad::parameter(d.s1), s2 = ad::parameter(d.s2), t1 = ad::parameter(d.t1);
  const auto t2 = ad::constant(d.t2);
  const auto node = loss(layers(s1, s2), layers(t1, t2));
  auto [value, gs, gt] = value_and_gradient(loss, d.source(), d.target());
  CHECK(node.item() == doctest::Approx(value).epsilon(1e-14));
  ad::backward(node, 3.0);
  CHECK(checks::relative_error(s1.gradient(), checks::matrix(3 * std::get<0>(gs))) < 1e-13);
  CHECK(checks::relative_error(s2.gradient(), checks::matrix(3 * std::get<1>(gs))) < 1e-13);
  CHECK(checks::relative_error(t1.gradient(), checks::matrix(3 * std::get<0>(gt))) < 1e-13);
  CHECK(!t2.has_gradient());
}

TEST_CASE("checked looks at a tape's variables, of one tensor or of layers") {
  two_layers<double> d(6, 5, 4, 3);
  const auto fine = ad::parameter(d.s2);
  d.s1(2, 1) = std::numeric_limits<double>::infinity();
  const auto bad = ad::parameter(d.s1), t1 = ad::parameter(d.t1), t2 = ad::parameter(d.t2);
  CHECK(checks::contains(checks::message_of([&] { checked{joint_mmd{}}(layers(bad, fine), layers(t1, t2)); }),
                         "joint_mmd: the source (6 x 4) has a value that is not finite at row 2, column 1"));
  CHECK(checks::contains(checks::message_of([&] { checked{mmd{}}(bad, t1); }), "row 2, column 1"));
  const auto loss = checked{joint_mmd{layer_kernels(kernel::gaussian{})}}(layers(fine), layers(t2));
  CHECK(loss.item() == joint_mmd{layer_kernels(kernel::gaussian{})}(layers(d.s2), layers(d.t2)));
}

} // namespace
