/// Every loss that pulls a gradient back through a softmax against the oracle, for logits from 1e-3 to 1e4 and 2 to 1000 classes.
#include "support/softmax_oracle.hpp"

#include <dalib/dalib.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <limits>
#include <string>

using namespace dalib;

namespace {

using oracle_row = softmax_oracle::row;
template <class T>
using rows_of = softmax_oracle::input<T>;

constexpr std::array deviations = {1e-3, 1e-1, 1.0, 3.0, 10.0, 20.0, 30.0, 100.0, 1e3, 1e4};
constexpr std::array<Eigen::Index, 6> class_counts = {2, 3, 10, 65, 345, 1000};

/// What rounding may do, in units of it: a few roundings of an entry, and those of a sum over the classes.
double bound(Eigen::Index classes) { return 8 + 0.4 * std::sqrt(static_cast<double>(classes)); }

/// More rows than a register has lanes where classes are few.
Eigen::Index rows_for(Eigen::Index classes) { return classes > 100 ? 1 : 19; }

template <class T>
oracle_row extended(const rows_of<T>& m, Eigen::Index i) {
  return m.row(i).template cast<long double>();
}

/// Calls test(classes, deviation) for all of them, and names what fails.
template <class Test>
void for_all_logits(const Test& test) {
  for (const Eigen::Index classes : class_counts)
    for (const double deviation : deviations) {
      if (classes > 100 && (deviation == 1e-1 || deviation == 3 || deviation == 20 || deviation == 1e3)) continue; // takes long double long
      CAPTURE(classes);
      CAPTURE(deviation);
      test(classes, deviation);
    }
}

/// The largest error of all rows of a gradient whose row i should be expected(i).
template <class T, class Expected>
double largest_error(const rows_of<T>& found, const Expected& expected) {
  double error = 0;
  for (Eigen::Index i = 0; i < found.rows(); ++i) error = std::max(error, softmax_oracle::error_of_row<T>(found.row(i), expected(i)));
  return error;
}

/// Both gradients of the discrepancy. A class whose shares are the same to within rounding may have either sign: such rows are left out.
template <class T>
void check_discrepancy(const rows_of<T>& y1, const rows_of<T>& y2) {
  const Eigen::Index n = y1.rows(), classes = y1.cols();
  rows_of<T> g1(n, classes), g2(n, classes);
  const T value = classifier_discrepancy{}.value_and_gradient(y1, y2, gradients{g1, g2});
  long double expected_value = 0;
  Eigen::Index compared = 0;
  const long double share = 1 / static_cast<long double>(n * classes);
  for (Eigen::Index i = 0; i < n; ++i) {
    const oracle_row a = extended(y1, i), b = extended(y2, i);
    const auto d = softmax_oracle::softmax_difference(a, b);
    const oracle_row p1 = softmax_oracle::softmax(a), p2 = softmax_oracle::softmax(b);
    expected_value += share * d.value.cwiseAbs().sum();
    const long double resolution = 16 * std::numeric_limits<T>::epsilon();
    if (((d.value.array().abs() < resolution * d.scale.array()) && (d.scale.array() > softmax_oracle::vanishing<T>)).any()) continue;
    ++compared;
    const oracle_row signs = d.value.array().sign();
    CHECK(softmax_oracle::error_of_row<T>(g1.row(i), share * softmax_oracle::pull(p1, signs)) < bound(classes));
    CHECK(softmax_oracle::error_of_row<T>(g2.row(i), -share * softmax_oracle::pull(p2, signs)) < bound(classes));
  }
  CHECK((classes > 100 || 2 * compared > n));
  CHECK(std::abs(static_cast<long double>(value) - expected_value) <
        bound(classes) * std::numeric_limits<T>::epsilon() * expected_value + softmax_oracle::vanishing<T>);
}

TEST_CASE_TEMPLATE("classifier_discrepancy", T, float, double) {
  for_all_logits([](Eigen::Index classes, double deviation) {
    const Eigen::Index n = rows_for(classes);
    const auto y1 = softmax_oracle::normal_logits<T>(n, classes, deviation, 1);
    check_discrepancy<T>(y1, softmax_oracle::normal_logits<T>(n, classes, deviation, 2));
    const rows_of<T> close = y1 + softmax_oracle::normal_logits<T>(n, classes, deviation / 100, 3); // classifiers that nearly agree
    check_discrepancy<T>(y1, close);
  });
}

TEST_CASE_TEMPLATE("class_balance", T, float, double) {
  for_all_logits([](Eigen::Index classes, double deviation) {
    const Eigen::Index n = rows_for(classes);
    const auto y = softmax_oracle::normal_logits<T>(n, classes, deviation, 4);
    rows_of<T> g(n, classes);
    const T value = class_balance{}.value_and_gradient(y, gradient{g});
    softmax_oracle::matrix p(n, classes);
    for (Eigen::Index i = 0; i < n; ++i) p.row(i) = softmax_oracle::softmax(extended(y, i));
    const oracle_row means = p.colwise().mean().array() + 1e-6L;
    softmax_oracle::matrix rest = p; // less 1 where p is near 1: what the other classes have
    oracle_row ones = oracle_row::Zero(classes);
    for (Eigen::Index i = 0; i < n; ++i) {
      Eigen::Index top = 0;
      if (!(p.row(i).maxCoeff(&top) > 0.5L)) continue;
      rest(i, top) = 0;
      rest(i, top) = -rest.row(i).sum();
      ones(top) += 1;
    }
    const oracle_row rests = rest.colwise().sum();
    const long double rows = static_cast<long double>(n), scale = 1 / (rows * static_cast<long double>(classes));
    const auto slope_difference = [&](Eigen::Index c, Eigen::Index k) {
      return scale * ((ones(c) - ones(k)) + (rests(c) - rests(k))) / (rows * means(c) * means(k));
    };
    CHECK(largest_error<T>(g, [&](Eigen::Index i) { return softmax_oracle::pull(p.row(i), slope_difference); }) <
          4 * bound(classes)); // differences of means of 19 rows cancel a little
    CHECK(static_cast<double>(value) ==
          doctest::Approx(static_cast<double>(-means.array().log().mean())).epsilon(200 * std::numeric_limits<T>::epsilon()));
  });
}

TEST_CASE_TEMPLATE("margin_disparity", T, float, double) {
  for_all_logits([](Eigen::Index classes, double deviation) {
    const Eigen::Index n = rows_for(classes);
    const auto y = softmax_oracle::normal_logits<T>(n, classes, deviation, 5);
    const auto adv = softmax_oracle::normal_logits<T>(n, classes, deviation, 6);
    rows_of<T> gs(n, classes), gt(n, classes);
    margin_disparity{4.0}.value_and_gradient(y, adv, y, adv, gradients{gs, gt});
    const auto expected = [&](Eigen::Index i, long double factor, bool is_source) -> oracle_row {
      Eigen::Index k = 0;
      y.row(i).maxCoeff(&k);
      const oracle_row p = softmax_oracle::softmax(extended(adv, i));
      oracle_row others = p;
      others(k) = 0;
      const long double rest = others.sum(); // 1 - p_k
      oracle_row g = (is_source ? rest : p(k)) / rest * others;
      if (!is_source) g = (g.array() * -1).eval();
      g(k) = is_source ? -rest : p(k);
      return factor * g;
    };
    const long double share = 1 / static_cast<long double>(n);
    CHECK(largest_error<T>(gs, [&](Eigen::Index i) { return expected(i, 4 * share, true); }) < bound(classes));
    CHECK(largest_error<T>(gt, [&](Eigen::Index i) { return expected(i, share, false); }) < bound(classes));
  });
}

/// The gradient of one row's entropy -sum p log(p + offset) with respect to its logits.
oracle_row entropy_gradient(const oracle_row& logits, long double offset) {
  const oracle_row p = softmax_oracle::softmax(logits);
  return softmax_oracle::pull(p, [&](Eigen::Index c, Eigen::Index k) {
    if (offset == 0) return logits(k) - logits(c);
    const long double gap = p(logits(k) > logits(c) ? k : c) * -std::expm1(-std::abs(logits(k) - logits(c))); // |p_k - p_c|
    const long double low = std::min(p(c), p(k)) + offset, high = std::max(p(c), p(k)) + offset;
    const long double slope = std::log1p(gap / low) + offset * gap / (low * high);
    return logits(k) > logits(c) ? slope : -slope;
  });
}

TEST_CASE_TEMPLATE("the entropy of CDAN's conditioning, with and without an offset", T, float, double) {
  for (const double offset : {0.0, 1e-5, 0.01, 0.1})
    for_all_logits([&](Eigen::Index classes, double deviation) {
      CAPTURE(offset);
      const Eigen::Index n = rows_for(classes);
      const auto g_s = softmax_oracle::normal_logits<T>(n, classes, deviation, 7);
      const rows_of<T> g_t = g_s, l_s = rows_of<T>::Constant(n, 1, T(-1)), l_t = rows_of<T>::Constant(n, 1, T(-1));
      rows_of<T> gl_s(n, 1), gl_t(n, 1), out_s(n, classes), out_t(n, classes);
      const conditional_domain_adversarial loss{conditioning::per_domain_entropy{true, offset}};
      loss.value_and_gradient(l_s, l_t, g_s, g_t, gradients{gl_s, gl_t}, gradients{out_s, out_t});

      oracle_row entropies(n);
      for (Eigen::Index i = 0; i < n; ++i) {
        const oracle_row x = extended(g_s, i), p = softmax_oracle::softmax(x);
        const long double log_sum = std::log(((x.array() - x.maxCoeff()).exp()).sum()) + x.maxCoeff();
        long double entropy = 0;
        for (Eigen::Index c = 0; c < classes; ++c)
          entropy -= p(c) > 0 ? p(c) * (offset > 0 ? std::log(p(c) + static_cast<long double>(offset)) : x(c) - log_sum) : 0;
        entropies(i) = entropy;
      }
      const long double weights = static_cast<long double>(n) + (-entropies.array()).exp().sum();
      const long double loss_of_sample = std::log1p(std::exp(1.0L)) / static_cast<long double>(2 * n);
      const auto expected = [&](Eigen::Index i) -> oracle_row { // reversed; normalised to sum n, held fixed
        const long double slope = loss_of_sample * std::exp(-entropies(i)) * static_cast<long double>(n) / weights;
        return slope * entropy_gradient(extended(g_s, i), static_cast<long double>(offset));
      };
      CHECK(largest_error<T>(out_s, expected) < bound(classes));
    });
}

/// Small integers, whose products and sums are exact.
template <class T>
rows_of<T> small_integers(Eigen::Index rows, Eigen::Index cols, unsigned seed) {
  std::mt19937 bits(seed);
  return rows_of<T>::NullaryExpr(rows, cols, [&] { return static_cast<T>(static_cast<int>(bits() % 9) - 4); });
}

TEST_CASE_TEMPLATE("CDAN's maps", T, float, double) {
  static constexpr Eigen::Index features = 4, dimension = 16;
  for_all_logits([](Eigen::Index classes, double deviation) {
    const Eigen::Index n = rows_for(classes);
    const auto logits = softmax_oracle::normal_logits<T>(n, classes, deviation, 8);
    const rows_of<T> f = small_integers<T>(n, features, 9), u = small_integers<T>(n, features * classes, 10);
    rows_of<T> g(n, classes);
    multilinear_map{}.pull(exec::serial{}, f, logits, u, gradients<T>{matrix_view<T>{}, g});
    CHECK(largest_error<T>(g, [&](Eigen::Index i) {
            oracle_row slopes(classes);
            for (Eigen::Index c = 0; c < classes; ++c)
              slopes(c) = static_cast<long double>(u.row(i).segment(c * features, features).dot(f.row(i)));
            return softmax_oracle::pull(softmax_oracle::softmax(extended(logits, i)), slopes);
          }) < bound(classes));

    randomised_multilinear_map<T> map(features, classes, dimension, 11);
    const rows_of<T> by_features = small_integers<T>(features, dimension, 12), by_classes = small_integers<T>(classes, dimension, 13);
    for (Eigen::Index k = 0; k < dimension; ++k) {
      for (Eigen::Index j = 0; j < features; ++j) map.feature_matrix()(j, k) = by_features(j, k);
      for (Eigen::Index c = 0; c < classes; ++c) map.class_matrix()(c, k) = by_classes(c, k);
    }
    const rows_of<T> v = small_integers<T>(n, dimension, 14);
    map.pull(exec::serial{}, f, logits, v, gradients<T>{matrix_view<T>{}, g});
    CHECK(largest_error<T>(g, [&](Eigen::Index i) {
            const rows_of<T> left = (f.row(i) * by_features).cwiseProduct(v.row(i)) / T(4);
            const oracle_row slopes = (left * by_classes.transpose()).row(0).template cast<long double>();
            return softmax_oracle::pull(softmax_oracle::softmax(extended(logits, i)), slopes);
          }) < bound(classes));
  });
}

} // namespace
