/// The class-balance term of MCD.
#include "support/loss_checks.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace dalib;

namespace {

template <class M>
long double formula(const M& logits) {
  return -(checks::softmax(logits).colwise().mean().array() + 1e-6L).log().mean();
}

TEST_CASE_TEMPLATE("value and gradient agree with the formula", T, float, double) {
  for (const auto& [n, classes] : {std::array<int, 2>{7, 4}, {1, 2}, {300, 31}}) {
    const checks::row_major<T> logits = checks::random_rows<T>(n, classes, 3);
    checks::row_major<T> g(n, classes);
    const T value = class_balance{}.value_and_gradient(logits, gradient{g});
    CHECK(value == class_balance{}(logits));
    CHECK(static_cast<double>(value) == doctest::Approx(static_cast<double>(formula(logits))).epsilon(checks::tolerance<T>()));
    const checks::extended p = checks::softmax(logits);
    const checks::extended slopes = -1 / (static_cast<long double>(n * classes) * (p.colwise().mean().array() + 1e-6L));
    checks::extended want = p.array().rowwise() * slopes.row(0).array();
    want -= p.cwiseProduct(want.rowwise().sum().replicate(1, classes));
    CHECK(checks::relative_error(g, want) < 20 * checks::tolerance<T>());
  }
}

TEST_CASE("the gradient agrees with central differences, for logits and for probabilities") {
  const checks::matrix logits = checks::random_matrix(9, 4, 2);
  checks::matrix g(9, 4);
  class_balance{}.value_and_gradient(logits, gradient{g});
  CHECK(checks::relative_error(g, checks::differences([](const auto& x) { return class_balance{}(x); }, logits)) < 1e-7);
  const checks::matrix p = checks::softmax(logits).cast<double>();
  const class_balance on_probabilities{scores::probabilities{}};
  CHECK(on_probabilities.value_and_gradient(p, gradient{g}) == doctest::Approx(class_balance{}(logits)));
  CHECK(checks::relative_error(g, checks::differences([&](const auto& x) { return on_probabilities(x); }, p)) < 1e-7);
}

TEST_CASE("it is smallest for balanced predictions and bounded for absent classes") {
  checks::matrix balanced = 1e4 * checks::matrix::Identity(4, 4), all_first = balanced;
  all_first.setZero();
  all_first.col(0).setConstant(1e4);
  CHECK(class_balance{}(balanced) == doctest::Approx(std::log(4.0)).epsilon(1e-5));
  CHECK(class_balance{}(all_first) == doctest::Approx(-0.75 * std::log(1e-6)).epsilon(1e-5));
  checks::matrix g(4, 4);
  class_balance{}.value_and_gradient(all_first, gradient{g});
  CHECK(g.allFinite());
  const Eigen::MatrixXf in_float = all_first.cast<float>();
  CHECK(std::isfinite(class_balance{}(in_float)));
  CHECK(class_balance{}(checks::matrix::Zero(3, 1).eval()) == doctest::Approx(-std::log(1 + 1e-6)));
}

TEST_CASE_TEMPLATE("layouts and thread counts give the same bits; scale and accumulation", T, float, double) {
  const checks::row_major<T> logits = checks::random_rows<T>(1500, 10, 8);
  const checks::col_major<T> other = logits;
  checks::row_major<T> g(1500, 10);
  const T value = class_balance{}.value_and_gradient(exec::serial{}, logits, gradient{g});
  for (int threads : {1, 2, 3, 8}) {
    checks::col_major<T> h(1500, 10);
    CHECK(class_balance{}.value_and_gradient(exec::openmp{threads}, other, gradient{h}) == value);
    CHECK((h.array() == g.array()).all());
  }
  checks::row_major<T> sum = checks::row_major<T>::Ones(1500, 10);
  class_balance{}.value_and_gradient(logits, gradient{sum, T(-2), write_mode::accumulate});
  CHECK(((sum.array() - (1 - 2 * g.array())).abs() < T(1e-6)).all());
}

TEST_CASE("errors") {
  const checks::matrix none(0, 3), some = checks::random_matrix(4, 3, 1);
  checks::matrix wrong = checks::matrix::Constant(3, 3, 7);
  CHECK(checks::contains(checks::message_of([&] { class_balance{}(none); }), "class_balance: "));
  CHECK(checks::contains(checks::message_of([&] { class_balance{}.value_and_gradient(some, gradient{wrong}); }), "4 x 3 and 3 x 3"));
  CHECK(checks::contains(checks::message_of([&] { class_balance{scores::logits{}, 0.0}(some); }), "offset"));
  checks::matrix bad = some;
  bad(3, 0) = std::numeric_limits<double>::infinity();
  CHECK(checks::contains(checks::message_of([&] { checked{class_balance{}}(bad); }), "not finite at row 3, column 0"));
  CHECK((wrong.array() == 7).all());
}

} // namespace
