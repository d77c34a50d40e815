/// JMMD against the plain double loop in extended precision: estimators, any number of layers, weights, gradient modes.
#include "jmmd.hpp"

#include <doctest/doctest.h>

using namespace dalib;
using namespace jmmd;

namespace {

template <class T, class Estimator>
void check(const Estimator& estimator, const two_layers<T>& data, const oracle::matrix& pairs, oracle::real constant = 0) {
  const joint_mmd loss{layer_kernels(kernel::gaussian_ladder<>(0.125, 5), kernel::gaussian{bandwidth::fixed{0.92}}), estimator};
  auto [value, gs, gt] = value_and_gradient(loss, data.source(), data.target());
  const answer want = data.formula(pairs, constant);
  const double tolerance = std::is_same_v<T, float> ? 2e-6 : 1e-12;
  CHECK(static_cast<double>(value) == doctest::Approx(static_cast<double>(want.value)).epsilon(tolerance).scale(1));
  CHECK(loss(data.source(), data.target()) == doctest::Approx(static_cast<double>(value)).epsilon(tolerance));
  CHECK(oracle::gradient_error(std::get<0>(gs), std::get<0>(gt), want.first) < 5 * tolerance);
  CHECK(oracle::gradient_error(std::get<1>(gs), std::get<1>(gt), want.second) < 5 * tolerance);
  CHECK(want.first.norm() > 1e-6);
  CHECK(want.second.norm() > 1e-6);
}

TEST_CASE_TEMPLATE("every estimator agrees with the double loop", T, float, double) {
  const two_layers<T> unequal(13, 9, 20, 4), equal(10, 10, 6, 3);
  check(estimator::biased{}, unequal, oracle::biased(13, 9));
  check(estimator::unbiased{}, unequal, oracle::unbiased(13, 9));
  check(estimator::linear_time{}, unequal, oracle::linear_time(13, 9));
  check(estimator::block{3}, unequal, oracle::blocks(13, 9, 3, oracle::unbiased(3, 3)));
  oracle::matrix nonlinear = oracle::unbiased(10, 10);
  check(compat::nonlinear{}, equal, nonlinear, 2.0L / 9);
  check(compat::ring{}, equal, oracle::ring(10), 2.0L / 9);
  check(estimator::unbiased{}, two_layers<T>(150, 170, 5, 3), oracle::unbiased(150, 170));
}

TEST_CASE("gradients agree with central differences where bandwidths are fixed") {
  two_layers<double> d(7, 5, 6, 3);
  const auto check_differences = [&](const auto& loss) {
    auto [value, gs, gt] = value_and_gradient(loss, d.source(), d.target());
    const auto f1 = [&](const checks::matrix& x) { return loss(layers(x, d.s2), d.target()); };
    const auto f2 = [&](const checks::matrix& x) { return loss(d.source(), layers(d.t1, x)); };
    CHECK(checks::relative_error(std::get<0>(gs), checks::differences(f1, d.s1)) < 1e-8);
    CHECK(checks::relative_error(std::get<1>(gt), checks::differences(f2, d.t2)) < 1e-8);
  };
  using bandwidth::fixed;
  check_differences(joint_mmd{layer_kernels(kernel::gaussian{fixed{2.0}} + kernel::linear{}, kernel::laplacian{fixed{1.0}})});
  check_differences(joint_mmd{layer_kernels(kernel::laplacian_l1{2.0}, kernel::polynomial{0.5, 1, 2}), estimator::linear_time{}});
}

TEST_CASE("one layer is the MMD, and a third layer whose kernel is 1 changes nothing") {
  two_layers<double> d(8, 11, 5, 3);
  const kernel::gaussian_ladder<> ladder(0.125, 5);
  CHECK(joint_mmd{layer_kernels(ladder)}(layers(d.s1), layers(d.t1)) == doctest::Approx(mmd{ladder}(d.s1, d.t1)).epsilon(1e-14));
  const auto one = kernel::polynomial{0, 1, 1};
  const joint_mmd two{layer_kernels(ladder, ladder)};
  const joint_mmd three{layer_kernels(ladder, one, ladder)};
  const auto source = layers(d.s1, d.s1, d.s2), target = layers(d.t1, d.t1, d.t2);
  auto [value, gs, gt] = value_and_gradient(three, source, target);
  CHECK(value == doctest::Approx(two(d.source(), d.target())).epsilon(1e-13));
  CHECK(std::get<1>(gs).isZero(0));
  CHECK(checks::relative_error(std::get<2>(gs), std::get<1>(value_and_gradient(two, d.source(), d.target()).source)) < 1e-12);
}

TEST_CASE("an integer weight is that many copies of the row, in every layer") {
  two_layers<double> d(6, 5, 4, 3);
  const std::vector<double> ws = {2, 1, 1, 3, 1, 1}, wt(5, 1.0);
  std::vector<int> rows = {0, 0, 1, 2, 3, 3, 3, 4, 5};
  checks::matrix s1(9, 4), s2(9, 3);
  for (int i = 0; i < 9; ++i) {
    s1.row(i) = d.s1.row(rows[static_cast<std::size_t>(i)]);
    s2.row(i) = d.s2.row(rows[static_cast<std::size_t>(i)]);
  }
  const auto compare = [&](const auto& loss) {
    CHECK(loss(weighted(d.source(), ws), weighted(d.target(), wt)) == doctest::Approx(loss(layers(s1, s2), d.target())).epsilon(1e-12));
  };
  compare(joint_mmd{jan_kernels(), estimator::biased{}});
  compare(joint_mmd{jan_kernels(), estimator::unbiased{}});
}

TEST_CASE_TEMPLATE("scale, accumulation, gradients that are not wanted", T, float, double) {
  two_layers<T> d(12, 9, 7, 3);
  const joint_mmd loss;
  auto [value, gs, gt] = value_and_gradient(loss, d.source(), d.target());
  checks::row_major<T> a = checks::row_major<T>::Ones(12, 7), b = checks::row_major<T>::Ones(9, 3);
  const matrix_view<T> unwanted;
  workspace scratch;
  CHECK(loss.value_and_gradient(exec::serial{}, d.source(), d.target(),
                                layer_gradients{layers(a, unwanted), layers(unwanted, b), T(-2), write_mode::accumulate},
                                scratch) == value);
  CHECK(((a.array() - (1 - 2 * std::get<0>(gs).array())).abs() < T(1e-6)).all());
  CHECK(((b.array() - (1 - 2 * std::get<1>(gt).array())).abs() < T(1e-6)).all());
}

TEST_CASE_TEMPLATE("layouts agree, thread counts give the same bits", T, float, double) {
  two_layers<T> d(300, 211, 33, 10);
  const checks::col_major<T> s1 = d.s1, t2 = d.t2;
  for (int which = 0; which < 2; ++which) {
    const auto run = [&](int threads, const auto& source, const auto& target, auto& g1, auto& g2) {
      const layer_gradients<T, 2> out{layers(g1, matrix_view<T>{}), layers(matrix_view<T>{}, g2)};
      if (which == 0) return joint_mmd{}.value_and_gradient(exec::openmp{threads}, source, target, out);
      return joint_mmd{jan_kernels(), estimator::linear_time{}}.value_and_gradient(exec::openmp{threads}, source, target, out);
    };
    checks::row_major<T> g1(300, 33), g2(211, 10);
    const T value = run(1, d.source(), d.target(), g1, g2);
    for (int threads : {1, 2, 3, 8}) {
      checks::col_major<T> h1(300, 33), h2(211, 10);
      CHECK(run(threads, layers(s1, d.s2), layers(d.t1, t2), h1, h2) == value);
      CHECK((h1.array() == g1.array()).all());
      CHECK((h2.array() == g2.array()).all());
    }
  }
}

} // namespace
