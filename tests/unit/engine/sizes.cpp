// Every tail of the engine: row counts around the registers and around 256, where the schedule of tiles changes, feature counts around the
// registers.
#include "conformance/samples.hpp"
#include "support/oracle.hpp"

#include <doctest/doctest.h>

using namespace dalib;
using conformance::normal_rows;
using oracle::complex;
using oracle::real;

namespace {

const oracle::kernel gaussian_times_linear{
    [](const std::array<complex, 4>& s) { return std::exp(-s[oracle::squared] / real(18)) * (s[oracle::inner] + real(1)); },
    {oracle::squared, oracle::inner}};

template <class T>
void check_size(dalib::index_t n, dalib::index_t m, dalib::index_t features, double tolerance) {
  const auto k = kernel::gaussian{bandwidth::fixed{3}} * kernel::polynomial{.degree = 1};
  const auto zs = normal_rows<T>(n, features, 1), zt = normal_rows<T>(m, features, 2, 1.3, 0.4);
  const auto expected = oracle::evaluate(gaussian_times_linear, oracle::joint(zs, zt), oracle::biased(n, m));
  const auto result = value_and_gradient(mmd{k, estimator::biased{}}, zs, zt);
  CAPTURE(n);
  CAPTURE(m);
  CAPTURE(features);
  CHECK(std::abs(static_cast<double>(static_cast<real>(result.value) - expected.value)) <
        tolerance * (1 + std::abs(static_cast<double>(expected.value))));
  CHECK(oracle::gradient_error(result.source, result.target, expected.gradient) < tolerance);
}

} // namespace

TEST_CASE("1 to 40 joint rows") {
  for (dalib::index_t rows = 2; rows <= 40; ++rows) {
    check_size<float>(rows / 3 + 1, rows - rows / 3 - 1, 5, 2e-6);
    check_size<double>(1, rows - 1, 3, 1e-13);
  }
}

TEST_CASE("1 to 70 features") {
  for (dalib::index_t features = 1; features <= 70; ++features) check_size<float>(5, 4, features, 4e-6);
  for (dalib::index_t features = 1; features <= 36; features += 5) check_size<double>(3, 6, features, 1e-13);
  check_size<float>(6, 5, 600, 1e-5); // deeper than one block of the inner product
}

TEST_CASE("both sides of 256 joint rows, odd and even numbers of blocks") {
  check_size<float>(128, 128, 9, 2e-6);
  check_size<float>(129, 128, 9, 2e-6);
  check_size<double>(256, 1, 2, 1e-13);
  check_size<double>(1, 299, 7, 1e-13);
  check_size<float>(190, 130, 17, 2e-6);
}
