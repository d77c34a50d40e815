#include <dalib/dalib.hpp>

#include <bit>
#include <cmath>
#include <cstdint>
#include <doctest/doctest.h>
#include <limits>

using dalib::pack;

namespace {

/// exp in every lane of a register; all lanes must agree.
template <class T>
T lane_exp(T x) {
  const pack<T> result = exp(pack<T>(x));
  for (int lane = 1; lane < pack<T>::size; ++lane)
    if (!(result.lanes[lane] == result.lanes[0])) return result.lanes[lane];
  return result.lanes[0];
}

/// Largest relative error against long double, in units of epsilon.
template <class T>
double worst_error(double low, double high, int steps) {
  double worst = 0;
  for (int i = 0; i <= steps; ++i) {
    const T x = static_cast<T>(low + (high - low) * i / steps);
    const long double expected = std::exp(static_cast<long double>(x));
    worst = std::max(worst, static_cast<double>(std::abs((static_cast<long double>(lane_exp(x)) - expected) / expected)));
  }
  return worst / static_cast<double>(std::numeric_limits<T>::epsilon());
}

} // namespace

TEST_CASE("the register exponential is right to 2 roundings over its whole range") {
  CHECK(worst_error<float>(-87, 88, 100000) < 2);
  CHECK(worst_error<double>(-708, 709, 100000) < 2);
  CHECK(worst_error<float>(-1, 1, 20000) < 2);
  CHECK(worst_error<double>(-1, 1, 20000) < 2);
}

TEST_CASE_TEMPLATE("the register exponential at special values", T, float, double) {
  const T infinity = std::numeric_limits<T>::infinity();
  CHECK(lane_exp(T(0)) == T(1));
  CHECK(lane_exp(T(-0.0)) == T(1));
  CHECK(lane_exp(-infinity) == T(0));
  CHECK(lane_exp(T(-1e6)) == T(0));
  CHECK(lane_exp(T(-1e30)) == T(0));
  CHECK(lane_exp(infinity) > std::numeric_limits<T>::max() / 16);
}

#if !defined(__FINITE_MATH_ONLY__) || !__FINITE_MATH_ONLY__ // -ffast-math promises that there is no NaN
TEST_CASE("NaN stays NaN, whatever its payload and sign") {
  for (const std::uint32_t bits : {0x7fc00000U, 0xffc00000U, 0x7fc00001U, 0xffffffffU, 0x7f800001U})
    CHECK(std::isnan(lane_exp(std::bit_cast<float>(bits))));
  for (const std::uint64_t bits : {0x7ff8000000000000U, 0xfff8000000000000U, 0x7ff8000000000001U, 0xffffffffffffffffU})
    CHECK(std::isnan(lane_exp(std::bit_cast<double>(bits))));
}
#endif

TEST_CASE_TEMPLATE("the other functions of a register are those of its numbers", T, float, double) {
  const double tolerance = 8 * static_cast<double>(std::numeric_limits<T>::epsilon());
  T from[pack<T>::size];
  for (int i = 0; i < pack<T>::size; ++i) from[i] = T(0.3) * static_cast<T>(i + 1);
  const pack<T> x = pack<T>::load(from);
  const pack<T> roots = sqrt(x), logs = log(x), tangents = tanh(x), powers = pow(x, pack<T>(T(-1.3))), sizes = abs(-x);
  for (int i = 0; i < pack<T>::size; ++i) {
    CHECK(roots.lanes[i] == doctest::Approx(std::sqrt(from[i])).epsilon(tolerance));
    CHECK(logs.lanes[i] == doctest::Approx(std::log(from[i])).epsilon(tolerance));
    CHECK(tangents.lanes[i] == doctest::Approx(std::tanh(from[i])).epsilon(tolerance));
    CHECK(powers.lanes[i] == doctest::Approx(std::pow(from[i], T(-1.3))).epsilon(tolerance));
    CHECK(sizes.lanes[i] == from[i]);
  }
  CHECK(max(x, pack<T>(T(0.7))).lanes[0] == T(0.7));
  CHECK(min(x, pack<T>(T(0.7))).lanes[1] == from[1]);
}
