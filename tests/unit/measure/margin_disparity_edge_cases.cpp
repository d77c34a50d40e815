/// The margin disparity where others break: extreme logits, one class, equal rows, NaN, n-d tensors, wrong shapes, DALIB's offset.
#include "mdd.hpp"

#ifdef DALIB_TEST_XTENSOR
#  include <dalib/xtensor.hpp>
#endif

#include <doctest/doctest.h>

#include <limits>

using namespace dalib;
using namespace mdd;

namespace {

TEST_CASE_TEMPLATE("logits up to 1e4 give the right value and a living gradient", T, float, double) {
  for (double width : {50.0, 1e3, 5e3}) { // differences of logits up to 1e4
    const problem<T> p(40, 30, 7, width);
    checks::row_major<T> gs(40, 7), gt(30, 7);
    const answer want = formula(p, 4.0L);
    const margin_disparity loss;
    CHECK(static_cast<double>(loss.value_and_gradient(p.s, p.s_adv, p.t, p.t_adv, gradients{gs, gt})) ==
          doctest::Approx(static_cast<double>(want.value)).epsilon(checks::tolerance<T>()));
    CHECK(checks::relative_error(gs, want.source) < 10 * checks::tolerance<T>());
    CHECK(checks::relative_error(gt, want.target) < 10 * checks::tolerance<T>());
  }
  // Both classifiers are sure of the same class: here a softmax with an offset has no gradient left.
  problem<T> sure(1, 1, 3);
  sure.t << T(1e4), 0, 0;
  sure.t_adv = sure.t;
  checks::row_major<T> gs(1, 3), gt(1, 3);
  margin_disparity{}.value_and_gradient(sure.s, sure.s_adv, sure.t, sure.t_adv, gradients{gs, gt});
  CHECK(gt(0, 0) == doctest::Approx(1));
  CHECK(gt(0, 1) == doctest::Approx(-0.5));
  margin_disparity{4.0, reduction::mean{}, compat::shifted_log_complement{}}.value_and_gradient(sure.s, sure.s_adv, sure.t, sure.t_adv,
                                                                                                gradients{gs, gt});
  CHECK(gt.isZero(0));
}

TEST_CASE("one class: no others to disagree, so the value is 0") {
  const problem<double> p(3, 2, 1);
  checks::matrix gs = checks::matrix::Ones(3, 1), gt = checks::matrix::Ones(2, 1);
  CHECK(margin_disparity{}.value_and_gradient(p.s, p.s_adv, p.t, p.t_adv, gradients{gs, gt}) == 0);
  CHECK(gs.isZero(0));
  CHECK(gt.isZero(0));
  const margin_disparity dalib_form{4.0, reduction::mean{}, compat::shifted_log_complement{}};
  CHECK(dalib_form.value_and_gradient(p.s, p.s_adv, p.t, p.t_adv, gradients{gs, gt}) == doctest::Approx(-std::log(1e-6)));
  CHECK(gt.isZero(0));
}

TEST_CASE("equal rows: the uniform softmax") {
  problem<double> p(4, 4, 5);
  for (auto* m : {&p.s, &p.s_adv, &p.t, &p.t_adv}) m->setConstant(1234.5);
  CHECK(margin_disparity{4.0}(p.s, p.s_adv, p.t, p.t_adv) == doctest::Approx(4 * std::log(5.0) - std::log(0.8)));
}

TEST_CASE_TEMPLATE("NaN and infinity: an error in checked mode, and never an invalid class", T, float, double) {
  for (T bad : {std::numeric_limits<T>::quiet_NaN(), std::numeric_limits<T>::infinity()}) {
    problem<T> p(20, 3, 4);
    p.s.row(2).setConstant(bad);
    p.t(1, 0) = bad;
    checks::row_major<T> gs = checks::row_major<T>::Constant(20, 4, 7), gt = checks::row_major<T>::Constant(3, 4, 7);
    const checked loss{margin_disparity{}};
    const std::string message = checks::message_of([&] { loss.value_and_gradient(p.s, p.s_adv, p.t, p.t_adv, gradients{gs, gt}); });
    CHECK(message == "margin_disparity: y_s (20 x 4) has a value that is not finite at row 2, column 0");
    CHECK((gs.array() == T(7)).all());
    // Unchecked: the argmax of such a row is still a class, so the adversarial logits decide.
    margin_disparity{}.value_and_gradient(p.s, p.s_adv, p.t, p.t_adv, gradients{gs, gt});
    CHECK(gs.allFinite());
    CHECK(gt.allFinite());
  }
  const problem<T> fine(3, 3, 4);
  CHECK(checked{margin_disparity{}}(exec::serial{}, fine.s, fine.s_adv, fine.t, fine.t_adv) ==
        margin_disparity{}(exec::serial{}, fine.s, fine.s_adv, fine.t, fine.t_adv));
}

TEST_CASE("wrong shapes are refused with both shapes, before anything is written") {
  const problem<double> p(6, 5, 4), other(6, 5, 3);
  checks::matrix gs = checks::matrix::Constant(6, 4, 7), gt = checks::matrix::Constant(5, 4, 7), wrong(5, 3);
  const margin_disparity loss;
  const auto refused = [&](const auto& s, const auto& s_adv, const auto& t, const auto& t_adv, const gradients<double>& out) {
    return checks::message_of([&] { loss.value_and_gradient(s, s_adv, t, t_adv, out); });
  };
  const gradients<double> out{gs, gt};
  CHECK(refused(p.s, p.t_adv, p.t, p.t_adv, out) ==
        "margin_disparity: both tensors of class scores of the same samples must have the same shape (got 6 x 4 and 5 x 4)");
  CHECK(refused(p.s, p.s_adv, other.t, other.t_adv, out) ==
        "margin_disparity: source and target must have the same number of classes (got 6 x 4 and 5 x 3)");
  CHECK(checks::contains(refused(p.s, p.s_adv, p.t, p.t_adv, {gs, wrong}), "5 x 4 and 5 x 3"));
  const checks::row_major<double> none(0, 4);
  CHECK(checks::contains(refused(none, none, p.t, p.t_adv, out), "at least one sample"));
  CHECK(checks::contains(checks::message_of([&] { margin_disparity{-1.0}(p.s, p.s_adv, p.t, p.t_adv); }), "margin must be positive"));
  CHECK((gs.array() == 7).all());
  CHECK((gt.array() == 7).all());
}

TEST_CASE("shift_log is log(min(x + offset, 1)), with slope 0 beyond") {
  double slope = 0;
  CHECK(compat::shift_log(0.25, 1e-6, slope) == doctest::Approx(std::log(0.250001)));
  CHECK(slope == doctest::Approx(1 / 0.250001));
  CHECK(compat::shift_log(0.0, 1e-6, slope) == doctest::Approx(std::log(1e-6)));
  CHECK(compat::shift_log(1.0, 1e-6, slope) == 0);
  CHECK(slope == 0);
}

#ifdef DALIB_TEST_XTENSOR
TEST_CASE_TEMPLATE("a tensor (N, C, d1, d2) is read as N d1 d2 rows of C classes", T, float, double) {
  constexpr std::size_t n = 2, classes = 5, height = 3, width = 4;
  const problem<T> rows(n * height * width, n * height * width, classes);
  const auto spread = [&](const checks::row_major<T>& m) {
    xt::xarray<T> result(std::vector<std::size_t>{n, classes, height, width});
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t c = 0; c < classes; ++c)
        for (std::size_t y = 0; y < height; ++y)
          for (std::size_t x = 0; x < width; ++x)
            result(i, c, y, x) = m(static_cast<Eigen::Index>((i * height + y) * width + x), static_cast<Eigen::Index>(c));
    return result;
  };
  const auto s = spread(rows.s), s_adv = spread(rows.s_adv), t = spread(rows.t), t_adv = spread(rows.t_adv);
  auto gs = s, gt = t;
  checks::row_major<T> want_s = rows.s, want_t = rows.t;
  const margin_disparity loss;
  CHECK(loss.value_and_gradient(s, s_adv, t, t_adv, gradients{gs, gt}) ==
        loss.value_and_gradient(rows.s, rows.s_adv, rows.t, rows.t_adv, gradients{want_s, want_t}));
  CHECK((gs == spread(want_s)));
  CHECK((gt == spread(want_t)));
  CHECK(margin_disparity{4.0, reduction::none{}}(s, s_adv, t, t_adv).size() == 2 * n * height * width);
  // The same elements as a matrix (N, C d1 d2) are other scores.
  const xt::xarray<T> empty(std::vector<std::size_t>{2, 5, 0});
  CHECK(checks::contains(checks::message_of([&] { loss(empty, empty, t, t_adv); }), "at least one sample"));
}
#endif

} // namespace
