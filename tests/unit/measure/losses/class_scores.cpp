/// Losses of class scores: differences, threads, extreme logits, reductions, bad input.
#include "support/loss_checks.hpp"

#include <dalib/measure/batch_nuclear_norm.hpp>
#include <dalib/measure/domain_label.hpp>
#include <dalib/measure/fast_batch_nuclear_norm.hpp>
#include <dalib/measure/information_maximisation.hpp>
#include <dalib/measure/minimum_class_confusion.hpp>
#include <dalib/measure/prediction_entropy.hpp>
#include <dalib/measure/unknown_class_boundary.hpp>
#include <dalib/measure/weighted_cross_entropy.hpp>

#include <doctest/doctest.h>

#include <array>
#include <limits>

using namespace dalib;

namespace {

/// Calls check(loss, name) with every loss of one tensor of logits.
template <class Check>
void for_each_loss(const Check& check) {
  check(prediction_entropy{}, "entropy");
  check(prediction_entropy{1e-5}, "entropy with offset");
  check(tsallis_entropy{1.5}, "Tsallis");
  check(information_maximisation{}, "IM");
  check(information_maximisation{1e-5}, "IM with offset");
  check(fast_batch_nuclear_norm{}, "FBNM");
  check(batch_frobenius_norm{}, "BFM");
  check(batch_nuclear_norm{}, "BNM");
  check(unknown_class_boundary{0.3}, "OSBP");
}

TEST_CASE("gradients agree with central differences, are not zero, and ignore a shift of the logits") {
  const checks::matrix logits = checks::random_matrix(9, 5, 3);
  for_each_loss([&](const auto& loss, const char* name) {
    CAPTURE(name);
    checks::matrix g(9, 5);
    const double value = loss.value_and_gradient(logits, gradient{g});
    CHECK(value == loss(logits));
    CHECK(g.cwiseAbs().maxCoeff() > 1e-4);
    CHECK(checks::relative_error(g, checks::differences([&](const auto& x) { return loss(x); }, logits)) < 1e-7);
    CHECK(g.rowwise().sum().cwiseAbs().maxCoeff() < 1e-15);
  });
}

TEST_CASE("the weights of minimum class confusion are detached") {
  const checks::matrix logits = checks::random_matrix(8, 4, 5);
  const double temperature = 2.5;
  const auto weights = confusion_of(logits).weights; // held fixed
  const auto fixed_weights = [&](const checks::matrix& x) {
    const checks::matrix p = checks::softmax(x / temperature).cast<double>();
    checks::matrix m = p.transpose() * Eigen::Map<const Eigen::VectorXd>(weights.data(), 8).asDiagonal() * p;
    for (Eigen::Index j = 0; j < 4; ++j) m.row(j) /= m.row(j).sum();
    return (m.sum() - m.trace()) / 4;
  };
  checks::matrix g(8, 4);
  CHECK(minimum_class_confusion{}.value_and_gradient(logits, gradient{g}) == doctest::Approx(fixed_weights(logits)).epsilon(1e-13));
  CHECK(checks::relative_error(g, checks::differences(fixed_weights, logits)) < 1e-8);
}

TEST_CASE_TEMPLATE("threads and layouts give the same bits", T, float, double) {
  const checks::row_major<T> logits = checks::random_rows<T>(1030, 7, 9);
  const checks::col_major<T> other = logits;
  const auto check = [&](const auto& loss, const char* name) {
    CAPTURE(name);
    checks::row_major<T> g(1030, 7);
    const T value = loss.value_and_gradient(exec::serial{}, logits, gradient{g});
    for (int threads : {1, 2, 3}) {
      checks::col_major<T> h(1030, 7);
      CHECK(loss.value_and_gradient(exec::openmp{threads}, other, gradient{h}) == value);
      CHECK((h.array() == g.array()).all());
    }
  };
  check(information_maximisation{}, "IM");
  check(minimum_class_confusion{}, "MCC");
  check(batch_nuclear_norm{}, "BNM");
}

TEST_CASE_TEMPLATE("logits up to 1e4 give finite values and gradients", T, float, double) {
  checks::row_major<T> logits = checks::random_rows<T>(40, 6, 2, 1e4);
  logits.topRows(3).setZero();
  logits.row(3) = logits.row(4); // equal rows
  const auto check = [&](const auto& loss, const char* name) {
    CAPTURE(name);
    checks::row_major<T> g(40, 6);
    CHECK(std::isfinite(loss.value_and_gradient(logits, gradient{g})));
    CHECK(g.allFinite());
  };
  for_each_loss(check);
  check(minimum_class_confusion{}, "MCC");
}

TEST_CASE("entropy of nearly sure predictions keeps its digits") {
  const checks::matrix sure = (checks::matrix(1, 2) << 60, 0).finished();
  checks::matrix g(1, 2);
  const double e = std::exp(-60), value = prediction_entropy{}.value_and_gradient(sure, gradient{g});
  CHECK(value == doctest::Approx(61 * e).epsilon(1e-12));
  CHECK(g(0, 0) == doctest::Approx(-60 * e).epsilon(1e-12));
  const checks::matrix clear = 40 * checks::matrix::Identity(4, 4);
  CHECK(minimum_class_confusion{1}(clear) == doctest::Approx(3 * std::exp(-40) * 2).epsilon(1e-9)); // columns and rows
}

TEST_CASE("limits: classes that nobody predicts, one row, one class") {
  checks::matrix first = checks::matrix::Zero(5, 3), g(5, 3);
  first.col(0).setConstant(1e4);
  CHECK(minimum_class_confusion{}.value_and_gradient(first, gradient{g}) == doctest::Approx(2.0 / 3));
  CHECK(g.allFinite());
  CHECK(information_maximisation{}(first) == 0);
  const checks::matrix row = checks::random_matrix(1, 4, 1), one_class = checks::random_matrix(3, 1, 1);
  CHECK(information_maximisation{}(row) == doctest::Approx(0).epsilon(1e-15));
  CHECK(prediction_entropy{}(one_class) == 0);
  CHECK(minimum_class_confusion{}(one_class) == 0);
  CHECK(batch_nuclear_norm{}(one_class) == doctest::Approx(-std::sqrt(3.0) / 3));
}

TEST_CASE("reductions, scale and accumulation") {
  const checks::matrix logits = checks::random_matrix(21, 4, 6);
  const auto each = prediction_entropy{0, reduction::none{}}(logits);
  double total = 0;
  for (double value : each) total += value;
  CHECK(each.size() == 21);
  CHECK(prediction_entropy{0, reduction::sum{}}(logits) == doctest::Approx(total).epsilon(1e-14));
  checks::matrix g(21, 4), sum = checks::matrix::Ones(21, 4);
  for_each_loss([&](const auto& loss, const char* name) {
    CAPTURE(name);
    loss.value_and_gradient(logits, gradient{g});
    sum.setOnes();
    loss.value_and_gradient(logits, gradient{sum, -2.0, write_mode::accumulate});
    CHECK((sum.array() - 1 + 2 * g.array()).abs().maxCoeff() < 1e-15);
  });
}

TEST_CASE("a discriminator's label and weighted cross-entropy against differences") {
  const checks::matrix d = checks::random_matrix(7, 1, 4), logits = checks::random_matrix(7, 3, 8);
  checks::matrix g(7, 1), h(7, 3);
  for (double label : {0.0, 0.5, 1.0}) {
    domain_label{label}.value_and_gradient(d, gradient{g});
    CHECK(checks::relative_error(g, checks::differences([&](const auto& x) { return domain_label{label}(x); }, d)) < 1e-8);
  }
  const std::vector<std::int64_t> labels = {0, 2, 1, 1, 0, 2, 2};
  const std::vector<double> weights = {1, 0.5, 0, 2, 1, 0.25, 1};
  const weighted_cross_entropy loss{labels, weights, weighted_mean::by_weight};
  loss.value_and_gradient(logits, gradient{h});
  CHECK(checks::relative_error(h, checks::differences([&](const auto& x) { return loss(x); }, logits)) < 1e-8);
}

TEST_CASE("bad input is refused before anything is written") {
  const checks::matrix some = checks::random_matrix(4, 3, 1), none(0, 3), one_class = checks::random_matrix(4, 1, 1);
  checks::matrix wrong = checks::matrix::Constant(3, 3, 7), right = checks::matrix::Constant(4, 3, 7);
  using checks::contains;
  using checks::message_of;
  CHECK(contains(message_of([&] { prediction_entropy{}(none); }), "prediction_entropy: "));
  CHECK(contains(message_of([&] { information_maximisation{}.value_and_gradient(some, gradient{wrong}); }), "4 x 3 and 3 x 3"));
  CHECK(contains(message_of([&] { minimum_class_confusion{0.0}.value_and_gradient(some, gradient{right}); }), "temperature"));
  CHECK(contains(message_of([&] { tsallis_entropy{1.0}(some); }), "alpha must not be 1"));
  CHECK(contains(message_of([&] { prediction_entropy{-1.0}(some); }), "offset must not be negative"));
  CHECK(contains(message_of([&] { unknown_class_boundary{}(one_class); }), "known class"));
  CHECK(contains(message_of([&] { unknown_class_boundary{1.0}(some); }), "between 0 and 1"));
  CHECK(contains(message_of([&] { domain_label{1}(some); }), "one logit per sample"));
  const std::vector<std::int64_t> few = {0, 1}, out_of_range = {0, 1, 2, 3};
  const std::vector<double> negative = {1, 1, -1, 1};
  const std::vector<std::int64_t> good = {0, 1, 2, 0};
  CHECK(contains(message_of([&] { weighted_cross_entropy{few}(some); }), "2 labels for 4 rows"));
  CHECK(contains(message_of([&] { weighted_cross_entropy{out_of_range}.value_and_gradient(some, gradient{right}); }), "label 3 of row 3"));
  CHECK(contains(message_of([&] { weighted_cross_entropy{good, negative}(some); }), "not negative"));
  checks::matrix bad = some;
  bad(2, 1) = std::numeric_limits<double>::quiet_NaN();
  CHECK(contains(message_of([&] { checked{minimum_class_confusion{}}(bad); }), "not finite at row 2, column 1"));
  CHECK((wrong.array() == 7).all());
  CHECK((right.array() == 7).all());
}

} // namespace
