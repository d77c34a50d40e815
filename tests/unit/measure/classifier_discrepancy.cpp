/// The discrepancy of two classifiers: formula, gradients, reductions, layouts, extreme logits, errors.
#include "support/loss_checks.hpp"

#ifdef DALIB_TEST_XTENSOR
#  include <dalib/xtensor.hpp>
#endif

#include <doctest/doctest.h>

#include <limits>

using namespace dalib;

namespace {

template <class T>
struct pair_of_logits {
  checks::row_major<T> a, b, ga, gb;
  pair_of_logits(Eigen::Index n, Eigen::Index classes, double width = 3)
      : a(checks::random_rows<T>(n, classes, 5, width)), b(checks::random_rows<T>(n, classes, 6, width)), ga(n, classes), gb(n, classes) {}
};

/// mean |p - q|.
template <class M>
long double formula(const M& a, const M& b) {
  return (checks::softmax(a) - checks::softmax(b)).cwiseAbs().mean();
}

/// Its gradient with respect to the first logits. The signs of the differences come from the sums of the others where p is near 1.
template <class M>
checks::extended gradient_of_first(const M& a, const M& b) {
  const checks::extended p = checks::softmax(a), q = checks::softmax(b);
  checks::extended g(p.rows(), p.cols());
  for (Eigen::Index i = 0; i < p.rows(); ++i)
    for (Eigen::Index c = 0; c < p.cols(); ++c) {
      g(i, c) = 0;
      const auto sign = [&](Eigen::Index k) { return p(i, k) > q(i, k) ? 1.0L : (p(i, k) < q(i, k) ? -1.0L : 0.0L); };
      for (Eigen::Index k = 0; k < p.cols(); ++k) g(i, c) += p(i, c) * p(i, k) * (sign(c) - sign(k));
      g(i, c) /= static_cast<long double>(p.size());
    }
  return g;
}

TEST_CASE_TEMPLATE("value and gradients agree with the formula in extended precision", T, float, double) {
  for (const auto& [n, classes] : {std::array<int, 2>{7, 4}, {1, 2}, {100, 31}, {33, 3}}) {
    pair_of_logits<T> p(n, classes);
    const classifier_discrepancy loss;
    const T value = loss.value_and_gradient(p.a, p.b, gradients{p.ga, p.gb});
    CHECK(value == loss(p.a, p.b));
    CHECK(static_cast<double>(value) == doctest::Approx(static_cast<double>(formula(p.a, p.b))).epsilon(checks::tolerance<T>()));
    CHECK(checks::relative_error(p.ga, gradient_of_first(p.a, p.b)) < checks::tolerance<T>());
    CHECK(checks::relative_error(p.gb, gradient_of_first(p.b, p.a)) < checks::tolerance<T>());
  }
}

TEST_CASE("gradients agree with central differences, for logits and for probabilities") {
  pair_of_logits<double> p(8, 5);
  const auto check = [&](const auto& loss, const checks::matrix& a, const checks::matrix& b) {
    loss.value_and_gradient(a, b, gradients{p.ga, p.gb});
    CHECK(checks::relative_error(p.ga, checks::differences([&](const auto& x) { return loss(x, b); }, a)) < 1e-8);
    CHECK(checks::relative_error(p.gb, checks::differences([&](const auto& x) { return loss(a, x); }, b)) < 1e-8);
    CHECK(p.ga.cwiseAbs().maxCoeff() > 1e-3);
  };
  const checks::matrix a = p.a, b = p.b;
  check(classifier_discrepancy{}, a, b);
  check(classifier_discrepancy{scores::logits{}, reduction::sum{}}, a, b);
  const checks::matrix pa = checks::softmax(a).cast<double>(), pb = checks::softmax(b).cast<double>();
  check(classifier_discrepancy{scores::probabilities{}}, pa, pb);
  CHECK(classifier_discrepancy{scores::probabilities{}}(pa, pb) == doctest::Approx(classifier_discrepancy{}(a, b)).epsilon(1e-13));
}

TEST_CASE_TEMPLATE("reductions, scale, accumulation", T, float, double) {
  pair_of_logits<T> p(21, 6);
  const auto each = classifier_discrepancy{scores::logits{}, reduction::none{}}(p.a, p.b);
  REQUIRE(each.size() == 21);
  double total = 0;
  for (T value : each) total += static_cast<double>(value);
  CHECK(static_cast<double>(classifier_discrepancy{scores::logits{}, reduction::sum{}}(p.a, p.b)) == doctest::Approx(total).epsilon(1e-6));
  CHECK(static_cast<double>(classifier_discrepancy{}(p.a, p.b)) == doctest::Approx(total / 21).epsilon(1e-6));

  // Step B of MCD: 0.01 (balance(l1) + balance(l2)) - discrepancy, from two measures into one memory.
  const T loss = T(0.01) * (class_balance{}.value_and_gradient(p.a, gradient{p.ga, T(0.01)}) +
                            class_balance{}.value_and_gradient(p.b, gradient{p.gb, T(0.01)})) -
                 classifier_discrepancy{}.value_and_gradient(p.a, p.b, gradients{p.ga, p.gb, T(-1), write_mode::accumulate});
  const checks::matrix a = p.a.template cast<double>(), b = p.b.template cast<double>();
  const auto step_b = [&](const checks::matrix& x) {
    return 0.01 * (class_balance{}(x) + class_balance{}(b)) - classifier_discrepancy{}(x, b);
  };
  CHECK(static_cast<double>(loss) == doctest::Approx(step_b(a)).epsilon(1e-5));
  CHECK(checks::relative_error(p.ga, checks::differences(step_b, a)) < 1e-4);
}

TEST_CASE_TEMPLATE("layouts and thread counts give the same bits", T, float, double) {
  pair_of_logits<T> p(1111, 10);
  const T value = classifier_discrepancy{}.value_and_gradient(exec::serial{}, p.a, p.b, gradients{p.ga, p.gb});
  const checks::col_major<T> a = p.a, b = p.b;
  checks::col_major<T> ga(1111, 10), gb(1111, 10);
  for (int threads : {1, 2, 3, 8}) {
    CHECK(classifier_discrepancy{}.value_and_gradient(exec::openmp{threads}, a, b, gradients{ga, gb}) == value);
    CHECK((ga.array() == p.ga.array()).all());
    CHECK((gb.array() == p.gb.array()).all());
  }
}

TEST_CASE_TEMPLATE("logits up to 1e4, also of classifiers that agree", T, float, double) {
  for (double width : {50.0, 5e3}) {
    pair_of_logits<T> p(50, 6, width);
    p.b.topRows(25) = p.a.topRows(25) * T(0.999);
    const double value = static_cast<double>(classifier_discrepancy{}.value_and_gradient(p.a, p.b, gradients{p.ga, p.gb}));
    CHECK(value == doctest::Approx(static_cast<double>(formula(p.a, p.b))).epsilon(checks::tolerance<T>()));
    // Gradients are of the order of 1 / (n C) or, where every softmax is saturated, below the smallest number of T.
    const checks::extended error = p.ga.template cast<long double>() - gradient_of_first(p.a, p.b);
    CHECK(static_cast<double>(error.cwiseAbs().maxCoeff()) < 10 * checks::tolerance<T>() / static_cast<double>(p.ga.size()));
  }
  // Both are nearly sure of class 0, and the difference is below the rounding of 1.
  pair_of_logits<T> sure(1, 2);
  const T far = std::is_same_v<T, float> ? T(20) : T(40);
  sure.a << far, 0;
  sure.b << far + 1, 0;
  classifier_discrepancy{}.value_and_gradient(sure.a, sure.b, gradients{sure.ga, sure.gb});
  CHECK(sure.ga(0, 0) < 0);
  CHECK(checks::relative_error(sure.ga, gradient_of_first(sure.a, sure.b)) < checks::tolerance<T>());
}

TEST_CASE("degenerate input: one class, one sample, equal classifiers") {
  pair_of_logits<double> one(4, 1), equal(5, 3);
  CHECK(classifier_discrepancy{}.value_and_gradient(one.a, one.b, gradients{one.ga, one.gb}) == 0);
  CHECK(one.ga.isZero(0));
  CHECK(classifier_discrepancy{}.value_and_gradient(equal.a, equal.a, gradients{equal.ga, equal.gb}) == 0);
  CHECK(equal.ga.isZero(0));
  CHECK(equal.gb.isZero(0));
}

TEST_CASE("wrong shapes and NaN") {
  pair_of_logits<double> p(4, 3), other(5, 3);
  p.ga.setConstant(7);
  CHECK(checks::message_of([&] {
          classifier_discrepancy{}.value_and_gradient(p.a, other.b, gradients{p.ga, p.gb});
        }) == "classifier_discrepancy: both tensors of class scores of the same samples must have the same shape (got 4 x 3 and 5 x 3)");
  CHECK(checks::contains(checks::message_of([&] {
                           classifier_discrepancy{}.value_and_gradient(p.a, p.b, gradients{p.ga, other.gb});
                         }),
                         "4 x 3 and 5 x 3"));
  p.b(2, 1) = std::numeric_limits<double>::quiet_NaN();
  CHECK(checks::message_of([&] {
          checked{classifier_discrepancy{}}.value_and_gradient(p.a, p.b, gradients{p.ga, p.gb});
        }) == "classifier_discrepancy: the second classifier's scores (4 x 3) has a value that is not finite at row 2, column 1");
  CHECK((p.ga.array() == 7).all());
}

#ifdef DALIB_TEST_XTENSOR
TEST_CASE("a tensor (N, C, d) is read as N d rows of C classes") {
  xt::xarray<double> a(std::vector<std::size_t>{2, 3, 4}), b = a, ga = a, gb = a;
  checks::matrix rows_a(8, 3), rows_b(8, 3), ra(8, 3), rb(8, 3);
  const checks::matrix values = checks::random_matrix(48, 1, 9);
  for (std::size_t i = 0, next = 0; i < 2; ++i)
    for (std::size_t c = 0; c < 3; ++c)
      for (std::size_t d = 0; d < 4; ++d, next += 2) {
        const auto row = static_cast<Eigen::Index>(i * 4 + d), col = static_cast<Eigen::Index>(c);
        rows_a(row, col) = a(i, c, d) = values(static_cast<Eigen::Index>(next));
        rows_b(row, col) = b(i, c, d) = values(static_cast<Eigen::Index>(next + 1));
      }
  CHECK(classifier_discrepancy{}.value_and_gradient(a, b, gradients{ga, gb}) ==
        classifier_discrepancy{}.value_and_gradient(rows_a, rows_b, gradients{ra, rb}));
  CHECK(class_balance{}(a) == class_balance{}(rows_a));
  for (std::size_t i = 0; i < 2; ++i)
    for (std::size_t c = 0; c < 3; ++c)
      for (std::size_t d = 0; d < 4; ++d) CHECK(ga(i, c, d) == ra(static_cast<Eigen::Index>(i * 4 + d), static_cast<Eigen::Index>(c)));
}
#endif

} // namespace
