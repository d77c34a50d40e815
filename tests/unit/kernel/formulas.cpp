// Every kernel against its formula in long double: kernel matrix, and the gradient of a weighted sum of its entries.
#include "conformance/samples.hpp"
#include "support/oracle.hpp"

#include <doctest/doctest.h>

using namespace dalib;
using oracle::complex;
using oracle::real;

namespace {

/// Samples of one law on 5 rows of 3 features, with their mean squared distance.
struct example {
  conformance::matrix<double> x = conformance::normal_rows<double>(7, 3, 5, 1.0, 0.5);
  oracle::matrix z = x.cast<real>();
  real mean = oracle::mean_squared_distance(z);
};

template <class Kernel>
void check_formula(const Kernel& kernel, const oracle::kernel& formula) {
  const example e;
  const dalib::index_t n = e.x.rows();
  conformance::matrix<double> k(n, n), gradient(n, e.x.cols());
  kernel_matrix(exec::serial{}, kernel, e.x, k);
  const conformance::matrix<double> upstream = conformance::normal_rows<double>(n, n, 6);
  const double sum = kernel_matrix_gradient(exec::serial{}, kernel, e.x, upstream, gradient);

  oracle::matrix entry = oracle::matrix::Zero(n, n);
  double worst = 0;
  for (dalib::index_t i = 0; i < n; ++i)
    for (dalib::index_t j = 0; j < n; ++j) {
      entry(i, j) = 1;
      worst = std::max(worst, std::abs(k(i, j) - static_cast<double>(oracle::evaluate(formula, e.z, entry, 0, false).value)));
      entry(i, j) = 0;
    }
  CHECK(worst < 1e-14 * k.cwiseAbs().maxCoeff());
  const oracle::answer expected = oracle::evaluate(formula, e.z, upstream.cast<real>());
  CHECK(sum == doctest::Approx(static_cast<double>(expected.value)).epsilon(1e-13));
  CHECK((gradient.cast<real>() - expected.gradient).norm() < 1e-13L * expected.gradient.norm());
}

oracle::kernel radial(complex (*f)(complex, real)) {
  const real mean = example{}.mean;
  return oracle::of(oracle::squared, [f, mean](complex s) { return f(s, mean); });
}

} // namespace

TEST_CASE("gaussian: exp(-s / (2 sigma^2))") {
  check_formula(kernel::gaussian{}, radial([](complex s, real v) { return std::exp(-s / (2 * v)); }));
  check_formula(kernel::gaussian{bandwidth::fixed{1.7}}, radial([](complex s, real) { return std::exp(-s / (2 * 1.7L * 1.7L)); }));
  check_formula(kernel::gaussian{bandwidth::mean{0.25}}, radial([](complex s, real v) { return std::exp(-s / (2 * 0.25L * v)); }));
}

TEST_CASE("laplacian: exp(-sqrt(s) / sigma)") {
  check_formula(kernel::laplacian{}, radial([](complex s, real v) { return std::exp(-std::sqrt(s / v)); }));
}

TEST_CASE("rational quadratic: (1 + s / (2 alpha l^2))^-alpha") {
  check_formula(kernel::rational_quadratic{0.7},
                radial([](complex s, real v) { return std::pow(real(1) + s / (2 * real(0.7) * v), -real(0.7)); }));
}

TEST_CASE("inverse multiquadric: (1 + s / c^2)^-1/2") {
  check_formula(kernel::inverse_multiquadric{}, radial([](complex s, real v) { return real(1) / std::sqrt(real(1) + s / v); }));
}

TEST_CASE("Matern: (1 + r) e^-r and (1 + r + r^2/3) e^-r") {
  check_formula(kernel::matern<kernel::matern_order::three_halves>{}, radial([](complex s, real v) {
                  const complex r = std::sqrt(real(3) * s / v);
                  return (real(1) + r) * std::exp(-r);
                }));
  check_formula(kernel::matern<>{}, radial([](complex s, real v) {
                  const complex r = std::sqrt(real(5) * s / v);
                  return (real(1) + r + r * r / real(3)) * std::exp(-r);
                }));
}

TEST_CASE("energy: -sqrt(s)") {
  check_formula(kernel::energy{}, radial([](complex s, real) { return -std::sqrt(s); }));
}

TEST_CASE("kernels of the inner product: linear and polynomial, degree 1 to 5") {
  check_formula(kernel::linear{}, oracle::of(oracle::inner, [](complex s) { return s; }));
  for (int degree = 1; degree <= 5; ++degree)
    check_formula(kernel::polynomial{.gamma = 0.5, .coef0 = 1.5, .degree = degree}, oracle::of(oracle::inner, [degree](complex s) {
                    complex power = 1;
                    for (int i = 0; i < degree; ++i) power *= real(0.5) * s + real(1.5);
                    return power;
                  }));
}

TEST_CASE("cosine and the laplacian of the l1 distance") {
  check_formula(kernel::cosine{}, oracle::of(oracle::cosine, [](complex s) { return s; }));
  check_formula(kernel::laplacian_l1{1.3}, oracle::of(oracle::l1, [](complex s) { return std::exp(-s / real(1.3)); }));
}
