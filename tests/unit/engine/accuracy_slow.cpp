// Relative gradient error against long double: below 1e-5 in float and 1e-12 in double, also for data shifted by 1e4 and for rows that
// nearly meet. Test cases that `should_fail` are known limits: they turn red on the day the engine gets better.
#include "support/accuracy.hpp"

#include <doctest/doctest.h>

using namespace dalib;
using support::near_rows;
using support::plain_rows;

namespace {

const auto gaussian = support::radial(kernel::gaussian{bandwidth::fixed{8}}, [](oracle::complex s) { return std::exp(-s / 128.0L); });
const auto ladder = support::radial(kernel::gaussian_ladder{0.125, 5, bandwidth::fixed{8}}, [](oracle::complex s) {
  oracle::complex sum = 0;
  for (int k = 0; k < 5; ++k) sum += std::exp(-s / (16.0L * std::ldexp(1.0L, k)));
  return sum;
});
const auto laplacian =
    support::radial(kernel::laplacian{bandwidth::fixed{8}}, [](oracle::complex s) { return std::exp(-std::sqrt(s) / 8.0L); });
const auto energy = support::radial(kernel::energy{}, [](oracle::complex s) { return -std::sqrt(s); });

template <class T, class Case>
void check_everywhere(const Case& one, double shift) {
  for (const dalib::index_t rows : {40, 150}) CHECK(support::gradient_error<T>(one, plain_rows<T>(rows, shift)) < support::gradient_bound<T>);
}

} // namespace

TEST_CASE_TEMPLATE("smooth kernels: data as they come and shifted by 1e4", T, float, double) {
  for (const double shift : {0.0, 1e4}) {
    check_everywhere<T>(gaussian, shift);
    check_everywhere<T>(ladder, shift);
  }
}

TEST_CASE_TEMPLATE("kernels of the distance itself: data as they come and shifted by 1e4", T, float, double) {
  for (const double shift : {0.0, 1e4}) {
    check_everywhere<T>(laplacian, shift);
    check_everywhere<T>(energy, shift);
  }
}

TEST_CASE("smooth kernels: rows that nearly meet") {
  for (const dalib::index_t rows : {40, 150}) {
    CHECK(support::gradient_error<float>(gaussian, near_rows<float>(rows, 1e-2)) < support::gradient_bound<float>);
    CHECK(support::gradient_error<float>(ladder, near_rows<float>(rows, 1e-2)) < support::gradient_bound<float>);
    for (const double apart : {1e-2, 1e-4, 1e-6}) {
      CHECK(support::gradient_error<double>(gaussian, near_rows<double>(rows, apart)) < support::gradient_bound<double>);
      CHECK(support::gradient_error<double>(ladder, near_rows<double>(rows, apart)) < support::gradient_bound<double>);
    }
  }
}

// Pairs much closer than their norms leave the tile and are done by differences.
TEST_CASE_TEMPLATE("all kernels of the distance: rows that nearly meet", T, float, double) {
  for (const double apart : {1e-2, 1e-3, 1e-4}) {
    CHECK(support::gradient_error<T>(laplacian, near_rows<T>(40, apart)) < support::gradient_bound<T>);
    CHECK(support::gradient_error<T>(energy, near_rows<T>(40, apart)) < support::gradient_bound<T>);
    CHECK(support::gradient_error<T>(gaussian, near_rows<T>(40, apart)) < support::gradient_bound<T>);
    CHECK(support::gradient_error<T>(ladder, near_rows<T>(150, apart)) < support::gradient_bound<T>);
  }
}
