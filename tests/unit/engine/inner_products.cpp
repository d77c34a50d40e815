// Kernels of inner products, cosines and l1 distances on data that are not centred: shifted, short and zero rows, domains far apart.
#include "support/accuracy.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace dalib;
using support::gradient_bound;
using support::two_samples;

namespace {

constexpr dalib::index_t features = 24;

template <class T>
struct named_samples {
  std::string name;
  two_samples<T> data;
};

template <class T>
two_samples<T> noise(dalib::index_t n) {
  return {conformance::normal_rows<T>(n, features, 21), conformance::normal_rows<T>(n - 3, features, 22, 1.2, 0.2)};
}

/// Data whose rows are short against their mean, or far from each other.
template <class T>
std::vector<named_samples<T>> uneven(dalib::index_t n) {
  std::vector<named_samples<T>> all;
  const auto add = [&](const char* name, auto change) {
    two_samples<T> data = noise<T>(n);
    change(data);
    all.push_back({name, data});
  };
  add("as they come", [](auto&) {});
  add("zero rows", [](auto& d) {
    for (dalib::index_t i = 0; i < d.source.rows(); i += 3) d.source.row(i).setZero();
    d.target.row(1).setZero();
  });
  add("positive features, some rows zero", [](auto& d) {
    d.source = d.source.cwiseMax(T(0)).eval();
    d.target = d.target.cwiseMax(T(0)).eval();
    d.source.row(2).setZero();
  });
  add("short rows", [](auto& d) {
    d.target.array() += T(1);
    d.source.row(0) *= T(1e-5);
    d.source.row(4) *= T(1e-3);
  });
  add("long target", [](auto& d) { d.target *= T(1000); });
  add("far target", [](auto& d) { d.target.array() += T(3000); });
  add("short source", [](auto& d) { d.source *= T(1e-4); });
  return all;
}

const support::formula_case<kernel::cosine> cosine{{}, oracle::of(oracle::cosine, [](oracle::complex s) { return s; })};
const support::formula_case<kernel::linear> linear{{}, oracle::of(oracle::inner, [](oracle::complex s) { return s; })};

/// Largest error of a row's gradient against the length of that row's own, or of any other where it is 0.
template <class T, class Kernel>
double worst_row(const support::formula_case<Kernel>& one, const two_samples<T>& data) {
  const auto expected =
      oracle::evaluate(one.formula, oracle::joint(data.source, data.target), oracle::unbiased(data.source.rows(), data.target.rows()));
  const auto result = value_and_gradient(mmd{one.kernel, estimator::unbiased{}}, data.source, data.target);
  const oracle::matrix found = oracle::joint(result.source, result.target);
  double worst = 0;
  for (Eigen::Index i = 0; i < found.rows(); ++i) {
    const double size = static_cast<double>(expected.gradient.row(i).norm());
    const double error = static_cast<double>((found.row(i) - expected.gradient.row(i)).norm());
    worst = std::max(worst, size > 0 ? error / size : error);
  }
  return worst;
}

} // namespace

TEST_CASE_TEMPLATE("cosine: short, zero and far rows are as right as all others", T, float, double) {
  for (const dalib::index_t n : {20, 140, 210})
    for (const auto& one : uneven<T>(n)) {
      CAPTURE(one.name);
      CAPTURE(n);
      CHECK(worst_row(cosine, one.data) < 10 * gradient_bound<T>);
      const auto expected = oracle::evaluate(cosine.formula, oracle::joint(one.data.source, one.data.target), oracle::biased(n, n - 3), 0, false);
      const T value = mmd{kernel::cosine{}, estimator::biased{}}(one.data.source, one.data.target);
      CHECK(std::abs(static_cast<double>(value) - static_cast<double>(expected.value)) < 10 * gradient_bound<T>);
    }
}

TEST_CASE_TEMPLATE("cosine beside a kernel of the distance", T, float, double) {
  const support::formula_case<decltype(kernel::gaussian{bandwidth::fixed{8}} + kernel::cosine{})> both{
      kernel::gaussian{bandwidth::fixed{8}} + kernel::cosine{},
      {[](const std::array<oracle::complex, 4>& s) { return std::exp(-s[oracle::squared] / 128.0L) + s[oracle::cosine]; },
       {oracle::squared, oracle::cosine}}};
  for (const auto& one : uneven<T>(40)) {
    CAPTURE(one.name);
    CHECK(support::gradient_error<T>(both, one.data) < gradient_bound<T>);
  }
}

TEST_CASE_TEMPLATE("linear kernels do not see a shift", T, float, double) {
  const support::formula_case<decltype(kernel::gaussian{bandwidth::fixed{8}} + 0.3 * kernel::linear{})> both{
      kernel::gaussian{bandwidth::fixed{8}} + 0.3 * kernel::linear{},
      {[](const std::array<oracle::complex, 4>& s) { return std::exp(-s[oracle::squared] / 128.0L) + 0.3L * s[oracle::inner]; },
       {oracle::squared, oracle::inner}}};
  for (const dalib::index_t n : {20, 140, 210})
    // Beyond 1e5 the oracle's own inner products have too few digits for double.
    for (const double shift : {0.0, 100.0, 1e4, std::is_same_v<T, float> ? 1e6 : 1e5}) {
      CAPTURE(n);
      CAPTURE(shift);
      two_samples<T> data = noise<T>(n);
      data.source.array() += static_cast<T>(shift);
      data.target.array() += static_cast<T>(shift);
      CHECK(support::gradient_error<T>(linear, data) < gradient_bound<T>);
      CHECK(support::gradient_error<T>(both, data) < gradient_bound<T>);
      const double between = static_cast<double>(
          (data.source.template cast<oracle::real>().colwise().mean() - data.target.template cast<oracle::real>().colwise().mean()).squaredNorm());
      const double biased = static_cast<double>(mmd{kernel::linear{}, estimator::biased{}}(data.source, data.target));
      CHECK(biased == doctest::Approx(between).epsilon(10 * gradient_bound<T>));
      CHECK(static_cast<double>(mmd{kernel::linear{}, estimator::biased{}}(data.source, data.source)) >= -gradient_bound<T>);
    }
}

TEST_CASE("a linear kernel is the inner product of the rows as they are where coefficients do not cancel") {
  auto x = conformance::normal_rows<double>(7, 4, 23, 1, 5);
  conformance::matrix<double> k(7, 7), g(7, 4);
  kernel_matrix(exec::serial{}, kernel::linear{}, x, k);
  CHECK((k - x * x.transpose()).norm() < 1e-12 * k.norm());
  const conformance::matrix<double> upstream = conformance::normal_rows<double>(7, 7, 24);
  kernel_matrix_gradient(exec::serial{}, kernel::linear{}, x, upstream, g);
  CHECK((g - (upstream + upstream.transpose()) * x).norm() < 1e-12 * g.norm());
}

TEST_CASE_TEMPLATE("l1 distance: one domain far away costs the other nothing", T, float, double) {
  const support::formula_case<kernel::laplacian_l1> l1{{.scale = 10}, oracle::of(oracle::l1, [](oracle::complex s) { return std::exp(-s / 10.0L); })};
  for (const double apart : {0.0, 1e4, 1e6})
    for (const dalib::index_t n : {20, 140}) {
      CAPTURE(apart);
      two_samples<T> data = noise<T>(n);
      data.target.array() += static_cast<T>(apart);
      CHECK(support::gradient_error<T>(l1, data) < gradient_bound<T>);
    }
}

TEST_CASE_TEMPLATE("kernel_matrix: a far row costs the others nothing", T, float, double) {
  for (const double far : {1e4, 1e6, 1e8}) {
    CAPTURE(far);
    auto x = conformance::normal_rows<T>(40, features, 25);
    x.row(7).setConstant(static_cast<T>(far));
    conformance::matrix<T> distances(40, 40), l1(40, 40), cosines(40, 40);
    kernel_matrix(exec::serial{}, kernel::energy{}, x, distances);
    kernel_matrix(exec::serial{}, kernel::laplacian_l1{.scale = 10}, x, l1);
    kernel_matrix(exec::serial{}, kernel::cosine{}, x, cosines);
    for (Eigen::Index i = 0; i < 40; ++i)
      for (Eigen::Index j = 0; j < i; ++j) {
        const auto s = oracle::statistics(x.row(i).template cast<oracle::real>(), x.row(j).template cast<oracle::real>());
        CHECK(distances(i, j) == doctest::Approx(static_cast<double>(-std::sqrt(s[oracle::squared].real()))).epsilon(gradient_bound<T>));
        CHECK(std::abs(static_cast<double>(l1(i, j)) - static_cast<double>(std::exp(-s[oracle::l1].real() / 10))) < gradient_bound<T>);
        CHECK(std::abs(static_cast<double>(cosines(i, j)) - static_cast<double>(s[oracle::cosine].real())) < gradient_bound<T>);
      }
  }
}
