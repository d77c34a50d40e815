// One of several kernels, chosen at run time.
#include "conformance/samples.hpp"

#include <dalib/kernel/any.hpp>
#include <dalib/kernel/family.hpp>
#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <span>
#include <type_traits>

using namespace dalib;
using conformance::matrix;
using conformance::normal_rows;

namespace {

/// A kernel of a user's own, beside the library's.
struct own_cauchy {
  using statistic = squared_distance;
  double gamma = 0.5;
  template <class T>
  DALIB_HD jet<T> operator()(const T& s) const {
    const T u = T(1) / (T(1) + T(gamma) * s);
    return {u, T(-gamma) * u * u};
  }
};

// Two of these are the same type once they are bound.
using choice =
    kernel::any<kernel::gaussian<bandwidth::fixed>, kernel::gaussian<bandwidth::mean>, kernel::laplacian_l1, kernel::linear, own_cauchy>;
using distances = kernel::any<kernel::gaussian<bandwidth::fixed>, kernel::laplacian_l1, kernel::energy>;
static_assert(kernel_like<choice> && std::is_trivially_copyable_v<choice> && sizeof(choice) <= 4 * sizeof(double));
static_assert(takes_unit<decltype(dalib::bind(distances{}, 0))>); // as all its kernels do

struct two {
  double mean_squared_distance() const { return 2; }
};

/// Values and slopes of the chosen kernel are its own.
template <class Kernel>
void check_same(const Kernel& kernel) {
  using list = choice::statistics;
  const auto bound = dalib::bind(choice{kernel}, two{});
  const auto alone = dalib::bind(kernel, two{});
  CHECK(choice{kernel}.holds<Kernel>());
  for (const double at : {0.3, 2.0}) {
    const double statistics[list::size] = {at, at / 2, -at};
    const auto found = dalib::evaluate<list>(bound, statistics);
    const auto expected = dalib::evaluate<list>(alone, statistics);
    CHECK(found.value == expected.value);
    for (std::size_t i = 0; i < list::size; ++i) CHECK(found.slopes[i] == expected.slopes[i]);
  }
}

} // namespace

TEST_CASE("kernel::any: each kernel of the list is itself, with its bandwidth rule") {
  check_same(kernel::gaussian{bandwidth::fixed{0.7}});
  check_same(kernel::gaussian{bandwidth::mean{0.5}});
  check_same(kernel::laplacian_l1{3.0});
  check_same(kernel::linear{});
  check_same(own_cauchy{.gamma = 2});
  CHECK(choice{}.holds<kernel::gaussian<bandwidth::fixed>>());
  CHECK_FALSE(choice{kernel::linear{}}.holds<own_cauchy>());
}

TEST_CASE("kernel::any: a measure's value and gradients are those of the chosen kernel, alone and in a family of several") {
  const matrix<double> x = normal_rows<double>(20, 5, 1), y = normal_rows<double>(15, 5, 2, 1, 0.4);
  const std::array<distances, 2> members{kernel::gaussian{bandwidth::fixed{2}}, kernel::laplacian_l1{4.0}};
  const mmd chosen{kernel::family(std::span(members)), estimator::biased{}};
  const mmd written{kernel::gaussian{bandwidth::fixed{2}} + kernel::laplacian_l1{4.0}, estimator::biased{}};
  const auto [value, gx, gy] = chosen.value_and_gradient(x, y);
  const auto [expected, hx, hy] = written.value_and_gradient(x, y);
  CHECK(std::abs(value - expected) < 1e-14);
  CHECK((gx - hx).norm() < 1e-14);
  CHECK((gy - hy).norm() < 1e-14);
  CHECK(gx.norm() > 1e-3);
}

TEST_CASE("kernel::any takes rows in another unit, as its kernels do") {
  const matrix<float> x = normal_rows<float>(20, 5, 1) * 1e-15f, y = normal_rows<float>(15, 5, 2) * 2e-15f;
  const kernel::gaussian gaussian{bandwidth::fixed{1e-15}};
  const float expected = mmd{gaussian, estimator::biased{}}(x, y), found = mmd{distances{gaussian}, estimator::biased{}}(x, y);
  CHECK(std::abs(found - expected) < 1e-6f * expected);
  CHECK(expected > 1e-3f);
}
