#include <dalib/dalib.hpp>

#include <cmath>
#include <doctest/doctest.h>
#include <limits>

using dalib::jet;
using dalib::pack;

namespace {

/// f and its derivative by a dual number, against a derivative written by hand.
template <class F, class D>
void check_derivative(const F& f, const D& derivative, double x) {
  const jet<double> result = f(jet<double>{x, 1.0});
  CHECK(result.value == doctest::Approx(f(x)).epsilon(1e-14));
  CHECK(result.slope == doctest::Approx(derivative(x)).epsilon(1e-13));
}

} // namespace

TEST_CASE("a jet is a dual number: rules of differentiation") {
  using std::exp, std::log, std::pow, std::sqrt, std::tanh;
  for (const double x : {0.3, 1.0, 2.5}) {
    check_derivative([](auto s) { return s * s + 3 * s - s / 2; }, [](double s) { return 2 * s + 2.5; }, x);
    check_derivative([](auto s) { return 1 / (1 + s) - (2 - s); }, [](double s) { return -1 / ((1 + s) * (1 + s)) + 1; }, x);
    check_derivative([](auto s) { return exp(-0.5f * s) / s; }, [](double s) { return -exp(-s / 2) * (0.5 / s + 1 / (s * s)); }, x);
    check_derivative([](auto s) { return log(1.0 + s) * sqrt(s); }, [](double s) { return sqrt(s) / (1 + s) + log(1 + s) / (2 * sqrt(s)); },
                     x);
    check_derivative([](auto s) { return pow(s + 1, -1.5) + tanh(s); },
                     [](double s) { return -1.5 * pow(s + 1, -2.5) + 1 - tanh(s) * tanh(s); }, x);
  }
}

TEST_CASE("a jet of packs is a dual number in every lane") {
  pack<float> x;
  for (int lane = 0; lane < pack<float>::size; ++lane) x.lanes[lane] = 0.25f * static_cast<float>(lane + 1);
  const jet<pack<float>> result = exp(-jet<pack<float>>{x, pack<float>(1)});
  for (int lane = 0; lane < pack<float>::size; ++lane) {
    const float expected = std::exp(-x.lanes[lane]);
    CHECK(result.value.lanes[lane] == doctest::Approx(expected).epsilon(1e-6));
    CHECK(result.slope.lanes[lane] == doctest::Approx(-expected).epsilon(1e-6));
  }
}

TEST_CASE_TEMPLATE("a pack loads, stores, sums and mixes with plain numbers", T, float, double) {
  T from[pack<T>::size], to[pack<T>::size];
  T sum = 0;
  for (int i = 0; i < pack<T>::size; ++i) sum += from[i] = static_cast<T>(i + 1);
  const pack<T> x = pack<T>::load(from);
  (2 * x + 1.0f - x / 2).store(to);
  for (int i = 0; i < pack<T>::size; ++i) CHECK(to[i] == from[i] * T(1.5) + T(1));
  CHECK(x.sum() == sum);
  CHECK(pack<T>(3).lanes[pack<T>::size - 1] == T(3));
}

TEST_CASE_TEMPLATE("where_nonzero hides what a zero gate multiplies, even infinity and NaN", T, float, double) {
  const T infinity = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
  CHECK(dalib::where_nonzero(T(0), infinity) == T(0));
  CHECK(dalib::where_nonzero(T(-0.0), nan) == T(0));
  CHECK(dalib::where_nonzero(T(1e-30), T(5)) == T(5));
  pack<T> gate(1);
  gate.lanes[0] = 0;
  const pack<T> result = where_nonzero(gate, pack<T>(infinity));
  CHECK(result.lanes[0] == T(0));
  CHECK(result.lanes[1] == infinity);
}
