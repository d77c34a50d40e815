// Every estimator against its formula as a dense matrix of pair weights in long double.
#include "conformance/samples.hpp"
#include "support/oracle.hpp"

#include <doctest/doctest.h>
#include <utility>

using namespace dalib;
using conformance::matrix;
using conformance::normal_rows;
using oracle::complex;
using oracle::real;

namespace {

/// Gaussian of a fixed width plus a linear kernel: reads two statistics.
template <class Estimator>
void check_estimator(const Estimator& estimator, dalib::index_t n, dalib::index_t m, const oracle::matrix& weights, real constant = 0) {
  const auto k = kernel::gaussian{bandwidth::fixed{2}} + 0.5 * kernel::linear{};
  const oracle::kernel formula{
      [](const std::array<complex, 4>& s) { return std::exp(-s[oracle::squared] / real(8)) + real(0.5) * s[oracle::inner]; },
      {oracle::squared, oracle::inner}};
  const matrix<double> zs = normal_rows<double>(n, 5, 1), zt = normal_rows<double>(m, 5, 2, 1.5, 0.5);
  const auto expected = oracle::evaluate(formula, oracle::joint(zs, zt), weights, constant);
  const mmd measure{k, estimator};
  const auto result = value_and_gradient(measure, zs, zt);
  CAPTURE(n);
  CAPTURE(m);
  CHECK(result.value == doctest::Approx(static_cast<double>(expected.value)).epsilon(1e-13));
  CHECK(measure(zs, zt) == doctest::Approx(result.value).epsilon(1e-15));
  CHECK(oracle::gradient_error(result.source, result.target, expected.gradient) < 1e-13);
}

} // namespace

TEST_CASE("biased and unbiased, equal and unequal sizes") {
  const std::pair<int, int> sizes[] = {{2, 2}, {2, 7}, {9, 4}, {16, 16}, {33, 20}};
  for (const auto& size : sizes) {
    check_estimator(estimator::biased{}, size.first, size.second, oracle::biased(size.first, size.second));
    check_estimator(estimator::unbiased{}, size.first, size.second, oracle::unbiased(size.first, size.second));
  }
  check_estimator(estimator::biased{}, 1, 1, oracle::biased(1, 1));
  check_estimator(estimator::biased{}, 1, 6, oracle::biased(1, 6));
}

TEST_CASE("linear time: disjoint pairs; rows left over get gradient 0") {
  const std::pair<int, int> sizes[] = {{2, 2}, {2, 3}, {7, 6}, {140, 151}};
  for (const auto& size : sizes)
    check_estimator(estimator::linear_time{}, size.first, size.second, oracle::linear_time(size.first, size.second));
  const matrix<double> zs = normal_rows<double>(5, 3, 1), zt = normal_rows<double>(8, 3, 2);
  const auto result = value_and_gradient(mmd{kernel::gaussian{}, estimator::linear_time{}}, zs, zt);
  CHECK(result.source.bottomRows(1).isZero(0));
  CHECK(result.target.bottomRows(4).isZero(0));
  CHECK(result.target.row(3).norm() > 0);
}

TEST_CASE("blocks: the mean of the inner estimator over whole blocks") {
  check_estimator(estimator::block{3}, 10, 7, oracle::blocks(10, 7, 3, oracle::unbiased(3, 3)));
  check_estimator(estimator::block{5, estimator::biased{}}, 12, 10, oracle::blocks(12, 10, 5, oracle::biased(5, 5)));
  check_estimator(estimator::block{4, estimator::linear_time{}}, 9, 9, oracle::blocks(9, 9, 4, oracle::linear_time(4, 4)));
}

TEST_CASE("one block of everything is the U statistic") {
  check_estimator(estimator::block{8}, 8, 8, oracle::unbiased(8, 8));
  const matrix<float> zs = normal_rows<float>(20, 6, 1), zt = normal_rows<float>(20, 6, 2);
  const auto block = value_and_gradient(mmd{kernel::gaussian{}, estimator::block{20}}, zs, zt);
  const auto whole = value_and_gradient(mmd{kernel::gaussian{}, estimator::unbiased{}}, zs, zt);
  CHECK(block.value == whole.value);
  CHECK(block.source == whole.source);
  CHECK(block.target == whole.target);
}

TEST_CASE("DALIB's non-linear estimator") {
  for (const int n : {2, 3, 9}) {
    oracle::matrix weights = oracle::unbiased(n, n);
    check_estimator(compat::nonlinear{}, n, n, weights, real(2) / (n - 1));
  }
}

TEST_CASE("DALIB's ring: even, odd, n = 2 with overwritten and with accumulated entries") {
  for (const int n : {2, 3, 4, 9, 64, 131}) check_estimator(compat::ring{}, n, n, oracle::ring(n), real(2) / (n - 1));
  check_estimator(compat::ring{true}, 2, 2, oracle::ring(2, true), real(2));
}
