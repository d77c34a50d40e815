// Mathematical functions of packs, of jets and of jets of packs, against long double: values, and slopes by differences.
#include "support/flags.hpp"

#include <dalib/dalib.hpp>

#include <algorithm>
#include <cmath>
#include <doctest/doctest.h>
#include <limits>

using dalib::jet;
using dalib::pack;

namespace {

/// Where a function is tested: `count` points from `low` to `high`; errors count against |f| + floor.
struct range {
  double low, high;
  double floor = 0;
  double roundings = 6; ///< allowed
  int count = 997;
};

/// Derivative of f at x, relative error about 1e-12 for functions that change over lengths of order `scale`.
template <class F>
long double slope_of(const F& f, long double x, long double scale) {
  const long double h = scale * 1e-3L;
  return (8 * (f(x + h) - f(x - h)) - (f(x + 2 * h) - f(x - 2 * h))) / (12 * h);
}

template <class T, class F>
void check_range(const char* name, const F& f, const range& where) {
  const long double eps = std::numeric_limits<T>::epsilon();
  const long double slope_tolerance = std::max(1e-9L, 64 * eps) * static_cast<long double>(support::flag_factor);
  long double worst = 0, worst_slope = 0, worst_pack = 0;
  for (int i = 0; i <= where.count; ++i) {
    const T x = static_cast<T>(where.low + (where.high - where.low) * i / where.count);
    const long double want = f(static_cast<long double>(x));
    const long double size = std::abs(want) + where.floor;
    T lanes[pack<T>::size];
    f(pack<T>(x)).store(lanes);
    worst = std::max(worst, size > 0 ? std::abs(lanes[pack<T>::size - 1] - want) / (size * eps) : std::abs(lanes[0] - want) / eps);
    if (i == 0 || i == where.count) continue; // differences would leave the range
    const long double step = std::min(1.0L, static_cast<long double>(std::min(x - where.low, where.high - x)));
    const long double slope = slope_of(f, x, std::min(step, std::max(std::abs(static_cast<long double>(x)), 1e-2L)));
    const jet<T> dual = f(jet<T>{x, T(3)});
    worst_slope =
        std::max(worst_slope, std::abs(dual.slope - 3 * slope) / (std::abs(3 * slope) + static_cast<long double>(where.floor) + eps));
    const jet<pack<T>> duals = f(jet<pack<T>>{pack<T>(x), pack<T>(3)});
    T slopes[pack<T>::size];
    duals.slope.store(slopes);
    duals.value.store(lanes);
    worst_pack = std::max({worst_pack, std::abs(lanes[0] - want) / (size + eps),
                           std::abs(slopes[0] - 3 * slope) / (std::abs(3 * slope) + static_cast<long double>(where.floor) + eps)});
  }
  INFO(name, " from ", where.low, " to ", where.high);
  CHECK(static_cast<double>(worst) < where.roundings);
  CHECK(static_cast<double>(worst_slope) < static_cast<double>(slope_tolerance));
  CHECK(static_cast<double>(worst_pack) < static_cast<double>(slope_tolerance));
}

// Called unqualified after `using std::...`, as a kernel does.
#define CHECK_FUNCTION(name, ...)                                                                                                          \
  check_range<T>(                                                                                                                          \
      #name,                                                                                                                               \
      [](auto x) {                                                                                                                         \
        using std::name;                                                                                                                   \
        return name(x);                                                                                                                    \
      },                                                                                                                                   \
      range{__VA_ARGS__})

} // namespace

TEST_CASE_TEMPLATE("functions of exponential kind are right to a few roundings, and so are their slopes", T, float, double) {
  const double most = sizeof(T) == 4 ? 80 : 700;
  CHECK_FUNCTION(exp, -most, most);
  CHECK_FUNCTION(exp2, -most, most);
  CHECK_FUNCTION(expm1, -8, most);
  CHECK_FUNCTION(expm1, -0.01, 0.01);
  CHECK_FUNCTION(log, 1e-3, 1e6, 1e-3);
  CHECK_FUNCTION(log2, 1e-3, 10, 1e-2);
  CHECK_FUNCTION(log10, 1e-3, 10, 1e-2);
  CHECK_FUNCTION(log1p, -0.99, 20);
  CHECK_FUNCTION(log1p, -1e-3, 1e-3);
  CHECK_FUNCTION(log1p, 1e3, 1e8, 1e-2);
  CHECK_FUNCTION(sinh, -20, 20);
  CHECK_FUNCTION(cosh, -20, 20);
  CHECK_FUNCTION(tanh, -5, 5);
  CHECK_FUNCTION(tanh, -1e-3, 1e-3);
  CHECK_FUNCTION(erf, -2, 2);
  CHECK_FUNCTION(erfc, -2, 3);
}

TEST_CASE_TEMPLATE("trigonometric functions, roots and their slopes", T, float, double) {
  CHECK_FUNCTION(sin, -100, 100, 0.1);
  CHECK_FUNCTION(cos, -100, 100, 0.1);
  CHECK_FUNCTION(sin, -0.01, 0.01);
  CHECK_FUNCTION(sin, 1e5, 1e5 + 10, 1);
  CHECK_FUNCTION(tan, -1.5, 1.5);
  CHECK_FUNCTION(asin, -0.9, 0.9);
  CHECK_FUNCTION(acos, -0.9, 0.9);
  CHECK_FUNCTION(atan, -30, 30);
  CHECK_FUNCTION(sqrt, 1e-3, 1e6);
  CHECK_FUNCTION(cbrt, 1e-3, 1e6);
  CHECK_FUNCTION(abs, 1e-3, 1e6);
  CHECK_FUNCTION(fabs, -1e6, -1e-3);
  CHECK_FUNCTION(floor, 2.1, 2.9);
  CHECK_FUNCTION(ceil, -2.9, -2.1);
}

TEST_CASE_TEMPLATE("functions of two arguments in all mixtures with numbers", T, float, double) {
#define CHECK_BINARY(expression, low, high)                                                                                                \
  check_range<T>(                                                                                                                          \
      #expression,                                                                                                                         \
      [](auto x) {                                                                                                                         \
        using std::pow, std::atan2, std::hypot, std::fmax, std::fmin;                                                                      \
        return expression;                                                                                                                 \
      },                                                                                                                                   \
      range{low, high, 1e-2})
  CHECK_BINARY(pow(x, 3), 0.1, 10);
  CHECK_BINARY(pow(x, -1.5), 0.1, 10);
  CHECK_BINARY(pow(x, 0.25f), 0.1, 10);
  CHECK_BINARY(pow(x, x), 0.1, 5);
  CHECK_BINARY(pow(2, x), -5, 5);
  CHECK_BINARY(pow(0.5, x), -5, 5);
  CHECK_BINARY(atan2(x, 2), -5, 5);
  CHECK_BINARY(atan2(-1.5f, x), 0.1, 5);
  CHECK_BINARY(atan2(x, x * x + 1), -5, 5);
  CHECK_BINARY(hypot(x, 3), 0.1, 5);
  CHECK_BINARY(hypot(1, x), 0.1, 5);
  CHECK_BINARY(hypot(x, x + 1), 0.1, 5);
  CHECK_BINARY(fmax(x, 1) + fmin(2.5, x), 1.1, 2.4);
  CHECK_BINARY(fmax(1.f, x) - fmin(x, x), 0.1, 0.9);
#undef CHECK_BINARY
}

TEST_CASE_TEMPLATE("max and min take the larger and the smaller with its slope", T, float, double) {
  const auto check = [](auto s, auto one_of) {
    const auto clipped = min(max(s, 1), 2.5); // s is 3
    CHECK(one_of(clipped) == T(2.5));
    CHECK(one_of(max(-1, min(2, s))) == T(2));
    CHECK(one_of(max(s, s) + min(s, s)) == T(6));
  };
  check(pack<T>(3), [](const pack<T>& p) { return p.smallest(); });
  check(jet<T>{3, 1}, [](const jet<T>& j) { return j.value; });
  check(jet<pack<T>>{3, 1}, [](const jet<pack<T>>& j) { return j.value.smallest(); });
  CHECK(max(jet<T>{3, 5}, 4).slope == 0);
  CHECK(max(jet<T>{3, 5}, 2).slope == 5);
  CHECK(min(jet<T>{3, 5}, jet<T>{2, 7}).slope == 7);
  CHECK(abs(jet<T>{-3, 5}).slope == -5);
  CHECK(abs(jet<T>{0, 5}).slope == 0);
}

TEST_CASE_TEMPLATE("a power at 0 has the right value, and a slope where there is one", T, float, double) {
  const jet<T> zero{0, 1};
  CHECK(pow(zero, 2).value == 0);
  CHECK(pow(zero, 2).slope == 0);
  CHECK(pow(zero, 1).slope == 1);
  CHECK(pow(zero, 0.5).value == 0);
  CHECK(pow(zero, 0).value == 1);
  CHECK(pow(zero, 0).slope == 0);
  CHECK(pow(zero, jet<T>{2, 0}).slope == 0);
  CHECK(pow(jet<pack<T>>{0, 1}, 0.5).value.smallest() == 0);
  CHECK(pow(jet<pack<T>>{0, 1}, 1).slope.smallest() == 1);
  CHECK(pow(0, jet<T>{2, 1}).slope == 0);
  CHECK(pow(-2, jet<T>{2, 0}).value == 4);
}

namespace {

/// Every comparison of x (some lanes below, some above, one equal to 2) with 2, chosen by: the number of lanes, per comparison.
template <class X, class Count>
void check_comparisons(const X& x, const Count& count, int below, int equal, int above) {
  const X two = select(x == x, X(x * 0 + 2), x);
  const auto counts = [&](auto condition) { return count(select(condition, x * 0 + 1, 0)); };
  CHECK(counts(x < two) == below);
  CHECK(counts(x < 2) == below);
  CHECK(counts(2.0 > x) == below);
  CHECK(counts(x > two) == above);
  CHECK(counts(2 < x) == above);
  CHECK(counts(x <= 2.f) == below + equal);
  CHECK(counts(2 <= x) == above + equal);
  CHECK(counts(x >= 2) == above + equal);
  CHECK(counts(2 >= x) == below + equal);
  CHECK(counts(x == 2) == equal);
  CHECK(counts(2 == x) == equal);
  CHECK(counts(x != two) == below + above);
  CHECK(counts(2 != x) == below + above);
  CHECK(counts(x > 1.5 && x < 2.5) == equal);
  CHECK(counts(x < 1.5 || x > 2.5) == below + above);
  CHECK(counts(!(x == 2)) == below + above);
}

} // namespace

TEST_CASE_TEMPLATE("comparisons and select of packs, jets and both", T, float, double) {
  constexpr int lanes = pack<T>::size;
  T numbers[lanes];
  for (int i = 0; i < lanes; ++i) numbers[i] = static_cast<T>(i == 0 ? 2 : 1 + 2 * (i % 2)); // 2 3 1 3 1 3 ...
  const pack<T> x = pack<T>::load(numbers);
  const int above = lanes / 2, below = lanes - above - 1;
  check_comparisons(
      x, [](const pack<T>& p) { return static_cast<int>(p.sum()); }, below, 1, above);
  check_comparisons(
      jet<pack<T>>{x, pack<T>(1)}, [](const jet<pack<T>>& p) { return static_cast<int>(p.value.sum()); }, below, 1, above);
  for (const T one : {T(1), T(2), T(3)})
    check_comparisons(
        jet<T>{one, T(1)}, [](const jet<T>& p) { return static_cast<int>(p.value); }, one<2, one == 2, one> 2);
  CHECK(any(x == 2));
  CHECK(!all(x == 2));
  CHECK(all(x < 4));
  CHECK(!any(x > 4));
  const jet<pack<T>> chosen = select(x < 2.5, jet<pack<T>>{x, pack<T>(7)}, -1);
  CHECK(chosen.slope.sum() == 7 * (below + 1));
  CHECK(dalib::select(true, 1, 2.5) == 1.0);
  CHECK(select(jet<T>{1, 1} < 2, jet<T>{3, 4}, jet<T>{5, 6}).slope == 4);
}

TEST_CASE_TEMPLATE("a kernel of its value alone may use any of them, in float and double", T, float, double) {
  const auto zs = dalib::kernel::from_value([](auto s) {
    using std::cos;
    return select(s < 4, pow(1 - s / 4, 2), 0) + cos(0.2f * s) * exp(-s / 10) - fmin(s, 3) / 2;
  });
  for (const double s : {0.5, 3.5, 5.0}) {
    const double h = 1e-6;
    CHECK(zs(s).slope == doctest::Approx((zs(s + h).value - zs(s - h).value) / (2 * h)).epsilon(1e-6));
    CHECK(zs(pack<T>(s)).slope.smallest() == doctest::Approx(zs(s).slope).epsilon(1e-5));
  }
  const auto step = dalib::kernel::from_value([](auto s) {
    using dalib::select; // between two plain numbers
    return select(s < 1, 1, 0.25);
  });
  CHECK(step(T(2)).value == T(0.25));
  CHECK(step(pack<T>(0.5)).value.smallest() == 1);
  CHECK(step(pack<T>(0.5)).slope.smallest() == 0);
}
