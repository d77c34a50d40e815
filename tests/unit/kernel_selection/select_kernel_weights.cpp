/// Kernel selection: statistics of each kernel against their definitions, both rules, and the use of the weights.
#include "support/loss_checks.hpp"

#include <doctest/doctest.h>

#include <array>
#include <limits>

using namespace dalib;

namespace {

/// Two samples that differ in the variance of one of their features.
template <class T>
struct samples {
  checks::row_major<T> s, t;
  samples(Eigen::Index n, Eigen::Index m, Eigen::Index features = 6)
      : s(checks::random_rows<T>(n, features, 1)), t(checks::random_rows<T>(m, features, 2)) {
    t.col(0) *= T(3);
  }
};

auto sum_of_three() {
  using bandwidth::fixed;
  return kernel::gaussian{fixed{0.5}} + kernel::gaussian{fixed{2.0}} + kernel::laplacian{fixed{1.5}};
}

/// h of the three kernels for one quadruple, by the formula.
template <class T>
std::array<double, 3> quadruple(const samples<T>& d, Eigen::Index i, Eigen::Index j) {
  std::array<double, 3> h{};
  const auto add = [&](const auto& x, const auto& y, double sign) {
    const double squared = (x - y).template cast<double>().squaredNorm();
    h[0] += sign * std::exp(-squared / 0.5);
    h[1] += sign * std::exp(-squared / 8);
    h[2] += sign * std::exp(-std::sqrt(squared) / 1.5);
  };
  add(d.s.row(i), d.s.row(j), 1);
  add(d.t.row(i), d.t.row(j), 1);
  add(d.s.row(i), d.t.row(j), -1);
  add(d.s.row(j), d.t.row(i), -1);
  return h;
}

/// Mean and covariance of rows, times a factor, against the statistics.
void check_statistics(const selection::kernel_statistics& got, const std::vector<std::array<double, 3>>& rows, double factor,
                      double tolerance) {
  REQUIRE(got.size() == 3);
  std::array<double, 3> mean{};
  for (const auto& row : rows)
    for (std::size_t k = 0; k < 3; ++k) mean[k] += row[k] / static_cast<double>(rows.size());
  for (std::size_t k = 0; k < 3; ++k) {
    CHECK(got.values[k] == doctest::Approx(mean[k]).epsilon(tolerance).scale(1));
    for (std::size_t l = 0; l < 3; ++l) {
      double total = 0;
      for (const auto& row : rows) total += (row[k] - mean[k]) * (row[l] - mean[l]);
      total *= factor / static_cast<double>(rows.size() - 1);
      CHECK(got.covariance_of(static_cast<int>(k), static_cast<int>(l)) == doctest::Approx(total).epsilon(tolerance).scale(0.1));
    }
  }
}

TEST_CASE_TEMPLATE("statistics of the linear-time estimator", T, float, double) {
  const double tolerance = std::is_same_v<T, float> ? 1e-5 : 1e-12;
  const samples<T> d(1301, 1290);
  const mmd loss{sum_of_three(), estimator::linear_time{}};
  std::vector<std::array<double, 3>> h;
  for (Eigen::Index q = 0; q < 645; ++q) h.push_back(quadruple(d, 2 * q, 2 * q + 1));
  const auto found = kernel_statistics_of(exec::serial{}, loss, d.s, d.t);
  check_statistics(found, h, 1, tolerance);
  CHECK(found.values[1] ==
        doctest::Approx(mmd{kernel::gaussian{bandwidth::fixed{2.0}}, estimator::linear_time{}}(d.s, d.t)).epsilon(100 * tolerance));
  const checks::col_major<T> s = d.s;
  for (int threads : {1, 2, 3, 8}) {
    const auto again = kernel_statistics_of(exec::openmp{threads}, loss, s, d.t);
    CHECK(again.values == found.values);
    CHECK(again.covariance == found.covariance);
  }
}

TEST_CASE_TEMPLATE("statistics of the unbiased estimator", T, float, double) {
  const samples<T> d(30, 30);
  std::vector<std::array<double, 3>> means(30);
  for (Eigen::Index i = 0; i < 30; ++i)
    for (Eigen::Index j = 0; j < 30; ++j) {
      if (i == j) continue;
      const auto h = quadruple(d, i, j);
      for (std::size_t k = 0; k < 3; ++k) means[static_cast<std::size_t>(i)][k] += h[k] / 29;
    }
  check_statistics(kernel_statistics_of(exec::openmp{2}, mmd{sum_of_three()}, d.s, d.t), means, 4, std::is_same_v<T, float> ? 1e-5 : 1e-12);
}

TEST_CASE("the terms of a ladder are its Gaussians, with the bandwidth of the joint sample") {
  const samples<double> d(40, 40);
  const auto found = kernel_statistics_of(exec::serial{}, mmd{kernel::gaussian_ladder<>(0.125, 5), estimator::linear_time{}}, d.s, d.t);
  REQUIRE(found.size() == 5);
  for (int k = 0; k < 5; ++k)
    CHECK(found.values[static_cast<std::size_t>(k)] ==
          doctest::Approx(mmd{kernel::gaussian{bandwidth::mean{0.125 * std::ldexp(1.0, k)}}, estimator::linear_time{}}(d.s, d.t)));
}

TEST_CASE("maximum power beats every single kernel's ratio, and its weights go back into the sum") {
  const samples<double> d(3000, 3000);
  const mmd loss{kernel::gaussian_ladder<>(0.125, 5), estimator::linear_time{}};
  const auto statistics = kernel_statistics_of(exec::default_policy{}, loss, d.s, d.t);
  const selection::maximum_power rule{1e-6};
  const kernel_weights w = select_kernel_weights(loss, d.s, d.t, rule);
  CHECK(w.raw == rule.weights(statistics).raw);
  double sum = 0, value = 0, variance = 0;
  for (int k = 0; k < 5; ++k) {
    const auto i = static_cast<std::size_t>(k);
    CHECK(w.raw[i] >= 0);
    sum += w.normalised[i];
    value += w.raw[i] * statistics.values[i];
    for (int l = 0; l < 5; ++l) variance += w.raw[i] * w.raw[static_cast<std::size_t>(l)] * statistics.covariance_of(k, l);
  }
  CHECK(sum == doctest::Approx(1));
  CHECK(value == doctest::Approx(1));
  for (int k = 0; k < 5; ++k)
    CHECK(value / std::sqrt(variance) >=
          0.999 * statistics.values[static_cast<std::size_t>(k)] / std::sqrt(statistics.covariance_of(k, k) + 1e-6));
  const mmd selected{kernel::weighted_terms{loss.kernel, w.raw}, estimator::linear_time{}};
  CHECK(selected(d.s, d.t) == doctest::Approx(1).epsilon(1e-9));
}

TEST_CASE("maximum MMD takes the largest; no positive value leaves the best ratio") {
  const selection::kernel_statistics some{{0.1, 0.4, 0.2}, {1, 0, 0, 0, 1, 0, 0, 0, 1}};
  CHECK(selection::maximum_mmd{}.weights(some).normalised == std::vector<double>{0, 1, 0});
  const selection::kernel_statistics negative{{-0.1, -0.4, -0.1}, {1, 0, 0, 0, 1, 0, 0, 0, 9}};
  CHECK(selection::maximum_power{}.weights(negative).normalised == std::vector<double>{0, 0, 1});
  const samples<double> d(50, 60);
  CHECK(select_kernel_weights(mmd{sum_of_three(), estimator::linear_time{}}, d.s, d.t, selection::maximum_mmd{}).raw.size() == 3);
}

TEST_CASE("what cannot be estimated is refused") {
  const samples<double> d(3, 9), unequal(8, 9);
  const mmd linear{sum_of_three(), estimator::linear_time{}};
  const mmd unbiased{sum_of_three()};
  CHECK(checks::contains(checks::message_of([&] { kernel_statistics_of(exec::serial{}, linear, d.s, d.t); }),
                         "at least 4 samples in each domain (got 3 x 6 and 9 x 6)"));
  CHECK(checks::contains(checks::message_of([&] { kernel_statistics_of(exec::serial{}, unbiased, unequal.s, unequal.t); }), "n_s = n_t"));
  const std::vector<double> w(8, 1.0);
  CHECK(checks::contains(checks::message_of([&] { kernel_statistics_of(exec::serial{}, linear, weighted(unequal.s, w), unequal.t); }),
                         "no sample weights"));
  const selection::kernel_statistics bad{{std::numeric_limits<double>::quiet_NaN()}, {1}};
  CHECK(checks::contains(checks::message_of([&] { selection::maximum_power{}.weights(bad); }), "finite statistics"));
  CHECK(checks::contains(checks::message_of([&] { selection::maximum_power{0.0}.weights({{1}, {1}}); }), "ridge"));
}

} // namespace
