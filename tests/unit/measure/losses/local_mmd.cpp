/// Local MMD against its definition, pair by pair: labels in any order, tiles that are left out, near rows, threads.
#include "support/loss_checks.hpp"

#include <dalib/measure/local_mmd.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

using namespace dalib;
using checks::matrix;

namespace {

struct example {
  matrix x, y, p;
  std::vector<std::int64_t> labels;

  example(int sources, int targets, int features, int classes, bool in_order = false) {
    x = checks::random_matrix(sources, features, 1);
    y = checks::random_matrix(targets, features, 2).array() + 0.3;
    p = checks::softmax(checks::random_matrix(targets, classes, 3)).cast<double>();
    for (int i = 0; i < sources; ++i) labels.push_back(i * 7 % 11 % classes);
    if (in_order) std::sort(labels.begin(), labels.end());
  }
  /// Rows in a few narrow clusters, so that pairs are near.
  void cluster() {
    const matrix all = x, others = y;
    for (Eigen::Index i = 0; i < x.rows(); ++i) x.row(i) = all.row(i % 5) + 1e-3 * all.row(i);
    for (Eigen::Index i = 0; i < y.rows(); ++i) y.row(i) = all.row(i % 7 % x.rows()) + 1e-3 * others.row(i);
  }
};

struct result {
  double value;
  matrix of_x, of_y;
};

/// By the definition, from differences of rows.
result by_pairs(const local_mmd& loss, const example& at) {
  const Eigen::Index n = at.x.rows(), m = at.y.rows(), classes = at.p.cols();
  const local_weights weights = loss.weights(at.p);
  matrix z(n + m, at.x.cols()), w(n + m, classes);
  z << at.x, at.y;
  for (Eigen::Index i = 0; i < n + m; ++i)
    for (Eigen::Index c = 0; c < classes; ++c)
      w(i, c) = i < n ? weights.source[static_cast<std::size_t>(i * classes + c)]
                      : -weights.target[static_cast<std::size_t>((i - n) * classes + c)];
  const matrix counts = w * w.transpose() / static_cast<double>(weights.used);
  double total = 0;
  for (Eigen::Index i = 0; i < n + m; ++i) total += (z.rowwise() - z.row(i)).squaredNorm();
  const double unit = total / static_cast<double>((n + m) * (n + m - 1));
  result out{0, matrix::Zero(n, z.cols()), matrix::Zero(m, z.cols())};
  const auto pulled = [&](Eigen::Index i) { return i < n ? out.of_x.row(i) : out.of_y.row(i - n); };
  for (Eigen::Index i = 0; i < n + m; ++i)
    for (Eigen::Index j = 0; j <= i; ++j) {
      const Eigen::RowVectorXd apart = z.row(i) - z.row(j);
      double slope = 0;
      for (const double size : {0.25, 0.5, 1.0, 2.0, 4.0}) {
        const double k = std::exp(-apart.squaredNorm() / (size * unit));
        out.value += (i == j ? 1 : 2) * counts(i, j) * k;
        slope -= k / (size * unit);
      }
      pulled(i) += 4 * counts(i, j) * slope * apart;
      pulled(j) -= 4 * counts(i, j) * slope * apart;
    }
  return out;
}

template <class T>
void check(const local_mmd& loss, example at, double tolerance) {
  const checks::row_major<T> x = at.x.cast<T>(), y = at.y.cast<T>(), p = at.p.cast<T>();
  at.x = x.template cast<double>(), at.y = y.template cast<double>(), at.p = p.template cast<double>();
  const result want = by_pairs(loss, at);
  checks::row_major<T> gx = x, gy = y, hx = x, hy = y;
  const T value = loss.value_and_gradient(exec::serial{}, x, y, p, gradients{gx, gy});
  CHECK(std::abs(static_cast<double>(value) - want.value) < tolerance * std::abs(want.value));
  CHECK(checks::relative_error(matrix(gx.template cast<double>()), want.of_x) < tolerance);
  CHECK(checks::relative_error(matrix(gy.template cast<double>()), want.of_y) < tolerance);
  CHECK(loss(x, y, p) == value);
  for (const int threads : {1, 2, 3}) {
    CHECK(loss.value_and_gradient(exec::openmp{threads}, x, y, p, gradients{hx, hy}) == value);
    CHECK((hx.array() == gx.array()).all());
    CHECK((hy.array() == gy.array()).all());
  }
  hx.setOnes(), hy.setOnes();
  loss.value_and_gradient(x, y, p, gradients{hx, hy, T(-2), write_mode::accumulate});
  CHECK((hx.array() - 1 + 2 * gx.array()).abs().maxCoeff() < tolerance);
  CHECK((hy.array() - 1 + 2 * gy.array()).abs().maxCoeff() < tolerance);
}

TEST_CASE_TEMPLATE("values and gradients are those of the definition, in either schedule, with labels in any order", T, float, double) {
  constexpr bool in_float = sizeof(T) == 4;
  struct shape {
    int sources, targets, features, classes;
  };
  for (const shape& of : {shape{36, 30, 19, 7}, {36, 30, 20, 1}, {128, 70, 32, 11}, {70, 65, 19, 7}, {230, 60, 19, 7}, {200, 60, 20, 1}})
    for (const bool in_order : {false, true})
      for (const bool near : {false, true}) {
        CAPTURE(of.sources);
        CAPTURE(of.features);
        CAPTURE(in_order);
        CAPTURE(near);
        example at(of.sources, of.targets, of.features, of.classes, in_order);
        if (near) at.cluster();
        const local_mmd loss(at.labels, in_order ? local_classes::shared : local_classes::source);
        check<T>(loss, at, in_float ? 1e-5 : 1e-11);
      }
}

TEST_CASE("source rows of a class that is not in use are pulled by nothing") {
  example at(100, 40, 8, 5);
  at.p.col(3).setZero(); // no target row's most probable class
  at.p.array().colwise() /= at.p.rowwise().sum().array();
  matrix gx(100, 8), gy(40, 8);
  CHECK(local_mmd(at.labels).value_and_gradient(at.x, at.y, at.p, gradients{gx, gy}) > 0);
  for (Eigen::Index i = 0; i < 100; ++i) CHECK(gx.row(i).isZero(0) == (at.labels[static_cast<std::size_t>(i)] == 3));
  check<double>(local_mmd(at.labels), at, 1e-11);
}

TEST_CASE("the order of the source's rows changes nothing but where their gradients are") {
  example at(130, 70, 12, 6);
  const auto loss = [&] { return local_mmd(at.labels, local_classes::source); };
  matrix gx(130, 12), gy(70, 12), hx(130, 12), hy(70, 12);
  const double value = loss().value_and_gradient(at.x, at.y, at.p, gradients{gx, gy});
  at.x = matrix(at.x.colwise().reverse());
  std::reverse(at.labels.begin(), at.labels.end());
  CHECK(loss().value_and_gradient(at.x, at.y, at.p, gradients{hx, hy}) == doctest::Approx(value).epsilon(1e-13));
  CHECK(checks::relative_error(hx, matrix(gx.colwise().reverse())) < 1e-12);
  CHECK(checks::relative_error(hy, gy) < 1e-12);
}

} // namespace
