// Sums, products and multiples of kernels of different statistics; ladders, terms and kernels given by their value.
#include "conformance/samples.hpp"
#include "support/foreign.hpp"
#include "support/oracle.hpp"

#include <doctest/doctest.h>
#include <stdexcept>
#include <vector>

using namespace dalib;
using oracle::complex;
using oracle::real;

namespace {

struct example {
  conformance::matrix<double> zs = conformance::normal_rows<double>(9, 4, 1);
  conformance::matrix<double> zt = conformance::normal_rows<double>(6, 4, 2, 1.4, 0.4);
};

/// Difference of two kernels' MMD gradients and values, relative.
template <class A, class B>
double kernel_difference(const A& a, const B& b) {
  const example e;
  const auto left = value_and_gradient(mmd{a, estimator::unbiased{}}, e.zs, e.zt);
  const auto right = value_and_gradient(mmd{b, estimator::unbiased{}}, e.zs, e.zt);
  return std::abs(left.value / right.value - 1) + conformance::relative_difference(left.source, right.source) +
         conformance::relative_difference(left.target, right.target);
}

} // namespace

TEST_CASE("a kernel that mixes all four statistics in sums, products and multiples equals its formula") {
  const auto k = kernel::gaussian{bandwidth::fixed{2}} * kernel::polynomial{.gamma = 0.5, .coef0 = 1, .degree = 2} +
                 0.25 * (kernel::cosine{} * kernel::laplacian_l1{3}) + kernel::linear{} * 2;
  const oracle::kernel formula{[](const std::array<complex, 4>& s) {
                                 const complex base = real(0.5) * s[oracle::inner] + real(1);
                                 return std::exp(-s[oracle::squared] / real(8)) * base * base +
                                        real(0.25) * s[oracle::cosine] * std::exp(-s[oracle::l1] / real(3)) + real(2) * s[oracle::inner];
                               },
                               {oracle::squared, oracle::inner, oracle::cosine, oracle::l1}};
  const example e;
  const auto expected = oracle::evaluate(formula, oracle::joint(e.zs, e.zt), oracle::biased(9, 6));
  const auto result = value_and_gradient(mmd{k, estimator::biased{}}, e.zs, e.zt);
  CHECK(result.value == doctest::Approx(static_cast<double>(expected.value)).epsilon(1e-13));
  CHECK(oracle::gradient_error(result.source, result.target, expected.gradient) < 1e-13);
}

TEST_CASE("a ladder is the sum of its Gaussians") {
  const auto sum = kernel::gaussian{bandwidth::mean{0.5}} + kernel::gaussian{bandwidth::mean{1}} + kernel::gaussian{bandwidth::mean{2}};
  CHECK(kernel_difference(kernel::gaussian_ladder{0.5, 3}, sum) < 1e-14);
  CHECK(kernel_difference(kernel::gaussian_ladder{0.7, 1}, kernel::gaussian{bandwidth::mean{0.7}}) < 1e-14);
}

TEST_CASE("a user's kernel equals ours, and a kernel given by its value equals the analytic one") {
  CHECK(kernel_difference(foreign::exponential{0.125}, kernel::gaussian{bandwidth::fixed{2}}) == 0);
  CHECK(kernel_difference(kernel::from_value([](auto s) { return exp(-0.125 * s); }), kernel::gaussian{bandwidth::fixed{2}}) < 1e-14);
  const auto square = kernel::from_value<inner_product>([](auto s) { return (s + 1) * (s + 1); });
  CHECK(kernel_difference(square, kernel::polynomial{}) < 1e-14);
}

TEST_CASE("terms: visited left to right, a ladder from its narrowest Gaussian") {
  const auto k = dalib::bind(kernel::gaussian_ladder{0.5, 3, bandwidth::fixed{1}} + kernel::linear{}, 0);
  CHECK(kernel::term_count(k) == 4);
  std::vector<double> at_two;
  kernel::for_each_term(k, [&](const auto& term) { at_two.push_back(term(2.0).value); });
  CHECK(at_two[0] == doctest::Approx(std::exp(-2.0)));
  CHECK(at_two[1] == doctest::Approx(std::exp(-1.0)));
  CHECK(at_two[2] == doctest::Approx(std::exp(-0.5)));
  CHECK(at_two[3] == 2);
}

TEST_CASE("weighted terms multiply each term, whatever the sum is made of") {
  const auto sum = kernel::gaussian_ladder{1, 2} + kernel::linear{};
  const std::vector<double> weights = {0.5, 2, 0.25};
  const auto expected = 0.5 * kernel::gaussian{bandwidth::mean{1}} + 2 * kernel::gaussian{bandwidth::mean{2}} + 0.25 * kernel::linear{};
  CHECK(kernel_difference(kernel::weighted_terms{sum, weights}, expected) < 1e-14);
}

TEST_CASE("the number of weights must be the number of terms") {
  const example e;
  const std::vector<double> two = {1, 2}, many(17, 1.0);
  const mmd measure{kernel::weighted_terms{kernel::gaussian_ladder{1, 3}, two}, estimator::biased{}};
  CHECK_THROWS_WITH_AS(measure(e.zs, e.zt), doctest::Contains("got 2 for 3"), std::invalid_argument);
  CHECK_THROWS_WITH_AS((kernel::weighted_terms{kernel::gaussian_ladder{1, 3}, many}), doctest::Contains("at most 16"),
                       std::invalid_argument);
}
