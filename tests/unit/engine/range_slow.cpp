// Rows so large or small that their squared distances leave the range of their type: values and gradients are those of rows of ordinary
// size, in another unit; a kernel that cannot be told the unit is refused.
#include "support/accuracy.hpp"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>

using namespace dalib;
using support::gradient_bound;
using support::two_samples;

namespace {

constexpr dalib::index_t features = 20;

/// A kernel of a user's own, which knows no unit.
struct own_kernel {
  using statistic = squared_distance;
  template <class T>
  DALIB_HD jet<T> operator()(const T& s) const {
    const T value = T(1) / (T(1) + s);
    return {value, -value * value};
  }
};

template <class T>
two_samples<T> rows(dalib::index_t n) {
  return {conformance::normal_rows<T>(n, features, 31), conformance::normal_rows<T>(n - 5, features, 32, 1.2, 0.3)};
}

/// Rows times a power of two give the same value, times `of_value`, and gradients that are of_value / factor times those of the rows.
template <class T, class Kernel>
void check_scale(const std::string& name, const Kernel& ordinary, const Kernel& scaled, dalib::index_t n, int exponent, double of_value) {
  CAPTURE(name);
  CAPTURE(n);
  CAPTURE(exponent);
  const two_samples<T> data = rows<T>(n);
  const T factor = std::ldexp(T(1), exponent);
  const conformance::matrix<T> zs = data.source * factor, zt = data.target * factor;
  const auto expected = value_and_gradient(mmd{ordinary, estimator::unbiased{}}, data.source, data.target);
  const auto found = value_and_gradient(mmd{scaled, estimator::unbiased{}}, zs, zt);
  CHECK(static_cast<double>(found.value) == doctest::Approx(static_cast<double>(expected.value) * of_value).epsilon(10 * gradient_bound<T>));
  const double back = std::ldexp(1.0, exponent) / of_value;
  CHECK(conformance::relative_difference((found.source.template cast<double>() * back).eval(), expected.source) < gradient_bound<T>);
  CHECK(conformance::relative_difference((found.target.template cast<double>() * back).eval(), expected.target) < gradient_bound<T>);
}

template <class T>
void check_kernels(dalib::index_t n, int exponent) {
  const double factor = std::ldexp(1.0, exponent);
  const auto same = [&](const std::string& name, const auto& kernel) { check_scale<T>(name, kernel, kernel, n, exponent, 1); };
  same("gaussian", kernel::gaussian{});
  same("ladder", kernel::gaussian_ladder{});
  same("laplacian", kernel::laplacian{});
  same("rational quadratic", kernel::rational_quadratic{2.0});
  same("inverse multiquadric", kernel::inverse_multiquadric{});
  same("matern", kernel::matern<kernel::matern_order::three_halves>{});
  same("cosine", kernel::cosine{});
  same("sum", kernel::gaussian{} + 0.5 * kernel::matern<>{});
  same("product", kernel::gaussian{} * kernel::laplacian{});
  check_scale<T>("energy", kernel::energy{}, kernel::energy{}, n, exponent, factor);
  check_scale<T>("laplacian l1", kernel::laplacian_l1{.scale = 10}, kernel::laplacian_l1{.scale = 10 * factor}, n, exponent, 1);
}

} // namespace

TEST_CASE("float rows from 1e-28 to 1e28") {
  for (const int exponent : {-93, -73, -63, -40, 40, 62, 66, 93}) check_kernels<float>(40, exponent);
  check_kernels<float>(150, 64);
  check_kernels<float>(150, -66);
}

TEST_CASE("double rows from 1e-140 to 1e140") {
  for (const int exponent : {-465, -300, 300, 465}) check_kernels<double>(40, exponent);
}

TEST_CASE("float: a kernel that knows no unit is refused before anything is written, and in range it is not") {
  const mmd loss{own_kernel{}, estimator::unbiased{}};
  const two_samples<float> data = rows<float>(20);
  for (const float factor : {1e-20f, 1e20f}) {
    const conformance::matrix<float> zs = data.source * factor, zt = data.target * factor;
    conformance::matrix<float> gs = conformance::matrix<float>::Constant(20, features, 3.f), gt = gs.topRows(15);
    std::string message;
    try {
      loss.value_and_gradient(exec::serial{}, zs, zt, gradients{gs, gt});
    } catch (const std::invalid_argument& error) {
      message = error.what();
    }
    CHECK(message.find("mmd: squared distances of these rows") == 0);
    CHECK(gs == conformance::matrix<float>::Constant(20, features, 3.f));
  }
  CHECK(std::isfinite(loss((data.source * 1e-6f).eval(), (data.target * 1e6f).eval())));
}
