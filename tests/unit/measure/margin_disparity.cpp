/// Values and gradients of the margin disparity against the paper's formula, in every reduction, layout and thread count.
#include "mdd.hpp"

#include <doctest/doctest.h>

using namespace dalib;
using namespace mdd;

namespace {

TEST_CASE_TEMPLATE("value and gradients agree with the formula in extended precision", T, float, double) {
  for (const auto& [n_s, n_t, classes] : {std::array<int, 3>{7, 5, 4}, {1, 1, 2}, {33, 50, 3}, {3, 200, 31}}) {
    const problem<T> p(n_s, n_t, classes);
    checks::row_major<T> gs(n_s, classes), gt(n_t, classes);
    const margin_disparity loss{3.0};
    const answer want = formula(p, 3.0L);
    CHECK(static_cast<double>(loss(p.s, p.s_adv, p.t, p.t_adv)) ==
          doctest::Approx(static_cast<double>(want.value)).epsilon(checks::tolerance<T>()));
    CHECK(loss.value_and_gradient(p.s, p.s_adv, p.t, p.t_adv, gradients{gs, gt}) == loss(p.s, p.s_adv, p.t, p.t_adv));
    CHECK(checks::relative_error(gs, want.source) < checks::tolerance<T>());
    CHECK(checks::relative_error(gt, want.target) < checks::tolerance<T>());
  }
}

TEST_CASE("gradients agree with central differences") {
  const problem<double> p(6, 9, 5);
  checks::matrix gs(6, 5), gt(9, 5);
  const auto check = [&](const auto& loss) {
    loss.value_and_gradient(p.s, p.s_adv, p.t, p.t_adv, gradients{gs, gt});
    CHECK(checks::relative_error(gs, checks::differences([&](const auto& x) { return loss(p.s, x, p.t, p.t_adv); }, p.s_adv)) < 1e-8);
    CHECK(checks::relative_error(gt, checks::differences([&](const auto& x) { return loss(p.s, p.s_adv, p.t, x); }, p.t_adv)) < 1e-8);
    CHECK(gs.cwiseAbs().minCoeff() > 0);
    CHECK(gt.cwiseAbs().minCoeff() > 0);
  };
  check(margin_disparity{4.0});
  check(margin_disparity{2.0, reduction::sum{}});
  check(margin_disparity{4.0, reduction::mean{}, compat::shifted_log_complement{}});
}

TEST_CASE("the classifier's own logits matter by their argmax alone") {
  problem<double> p(4, 4, 3);
  const margin_disparity loss;
  const double before = loss(p.s, p.s_adv, p.t, p.t_adv);
  CHECK(checks::differences([&](const auto& x) { return loss(x, p.s_adv, p.t, p.t_adv); }, p.s).isZero(0));
  CHECK(checks::differences([&](const auto& x) { return loss(p.s, p.s_adv, x, p.t_adv); }, p.t).isZero(0));
  p.s *= 100;
  CHECK(loss(p.s, p.s_adv, p.t, p.t_adv) == before);
  p.s.row(0).setConstant(1); // a tie: the first class
  checks::matrix first = p.s;
  first(0, 0) = 2;
  CHECK(loss(p.s, p.s_adv, p.t, p.t_adv) == loss(first, p.s_adv, p.t, p.t_adv));
}

TEST_CASE_TEMPLATE("reductions: none gives every row's value, mean and sum follow from it", T, float, double) {
  const problem<T> p(7, 20, 4);
  const auto each = margin_disparity{4.0, reduction::none{}}(p.s, p.s_adv, p.t, p.t_adv);
  REQUIRE(each.size() == 27);
  double source = 0, target = 0;
  for (std::size_t i = 0; i < each.size(); ++i) (i < 7 ? source : target) += static_cast<double>(each[i]);
  const auto approx = [](double x) { return doctest::Approx(x).epsilon(1e-6); };
  CHECK(static_cast<double>(margin_disparity{4.0, reduction::sum{}}(p.s, p.s_adv, p.t, p.t_adv)) == approx(source + target));
  CHECK(static_cast<double>(margin_disparity{4.0}(p.s, p.s_adv, p.t, p.t_adv)) == approx(source / 7 + target / 20));

  // The gradient of `none` is each sample's own: n_s times the mean's.
  checks::row_major<T> gs(7, 4), gt(20, 4), ms(7, 4), mt(20, 4);
  margin_disparity{4.0, reduction::none{}}.value_and_gradient(p.s, p.s_adv, p.t, p.t_adv, gradients{gs, gt});
  margin_disparity{4.0}.value_and_gradient(p.s, p.s_adv, p.t, p.t_adv, gradients{ms, mt});
  CHECK(checks::relative_error(ms * T(7), gs) < 1e-6);
  CHECK(checks::relative_error(mt * T(20), gt) < 1e-6);
}

TEST_CASE_TEMPLATE("scale, accumulation and gradients that are not wanted", T, float, double) {
  const problem<T> p(5, 8, 6);
  const margin_disparity loss;
  checks::row_major<T> gs(5, 6), gt(8, 6), as = checks::row_major<T>::Constant(5, 6, 2), at = checks::row_major<T>::Constant(8, 6, 2);
  const T value = loss.value_and_gradient(p.s, p.s_adv, p.t, p.t_adv, gradients{gs, gt});
  CHECK(loss.value_and_gradient(p.s, p.s_adv, p.t, p.t_adv, gradients{as, at, T(-3), write_mode::accumulate}) == value);
  CHECK(checks::relative_error(as, checks::matrix((2 - 3 * gs.template cast<double>().array()).matrix())) < checks::tolerance<T>());
  CHECK(checks::relative_error(at, checks::matrix((2 - 3 * gt.template cast<double>().array()).matrix())) < checks::tolerance<T>());
  checks::row_major<T> only(8, 6);
  CHECK(loss.value_and_gradient(p.s, p.s_adv, p.t, p.t_adv, gradients<T>{matrix_view<T>{}, view_of(only)}) == value);
  CHECK((only.array() == gt.array()).all());
}

TEST_CASE_TEMPLATE("layouts and thread counts give the same bits", T, float, double) {
  const problem<T> p(301, 1000, 10);
  const margin_disparity loss;
  checks::row_major<T> gs(301, 10), gt(1000, 10);
  const T value = loss.value_and_gradient(exec::serial{}, p.s, p.s_adv, p.t, p.t_adv, gradients{gs, gt});
  for (int threads : {1, 2, 3, 8}) {
    const checks::col_major<T> s = p.s, s_adv = p.s_adv, t = p.t, t_adv = p.t_adv;
    checks::col_major<T> cs(301, 10), ct(1000, 10);
    CHECK(loss.value_and_gradient(exec::openmp{threads}, s, s_adv, t, t_adv, gradients{cs, ct}) == value);
    CHECK((cs.array() == gs.array()).all());
    CHECK((ct.array() == gt.array()).all());
  }
  // Every second column of a wider matrix.
  checks::row_major<T> wide(301, 20);
  using strided = Eigen::Map<checks::row_major<T>, 0, Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>>;
  strided part(wide.data(), 301, 10, Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>(20, 2));
  part = p.s_adv;
  CHECK(loss(p.s, part, p.t, p.t_adv) == value);
}

} // namespace
