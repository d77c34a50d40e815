// The suite must be able to fail: each policy here breaks one law that released code has broken, and must be found out.
#include "conformance/check_estimator.hpp"
#include "conformance/check_kernel.hpp"
#include "conformance/check_measure.hpp"

#include <doctest/doctest.h>
#include <string_view>

using namespace dalib;

namespace {

bool mentions(const conformance::report& found, std::string_view law) { return found.text().find(law) != std::string::npos; }

/// A slope without its factor, or none at all.
struct wrong_slope {
  using statistic = squared_distance;
  double factor = 0.5;
  template <class T>
  jet<T> operator()(T s) const {
    const T value = T(1) / (T(1) + s);
    return {value, T(-factor) * value * value};
  }
};

/// "Gaussian" with the wrong sign: no kernel matrix of it is positive definite.
struct negative_definite {
  using statistic = squared_distance;
  template <class T>
  jet<T> operator()(T s) const {
    using std::exp;
    const T value = exp(T(-0.5) * s);
    return {-value, T(0.5) * value};
  }
};

/// Runs the last task twice.
struct runs_twice : exec::serial {
  template <class Task>
  void run(dalib::index_t count, const Task& task) const {
    exec::serial::run(count, task);
    if (count > 0) task(count - 1, 0);
  }
};

/// Domain adversarial loss after a softmax over the discriminator's one unit: always log(1) with gradient 0.
struct dead_discriminator {
  static constexpr const char* name = "dead_discriminator";
  template <class LS, class LT>
  double operator()(const LS&, const LT&) const {
    return 0.5;
  }
  template <class Exec, class LS, class LT, class T>
  T value_and_gradient(const Exec&, const LS& zs, const LT& zt, const gradients<T>& out) const {
    return value_and_gradient(zs, zt, out);
  }
  template <class LS, class LT, class T>
  T value_and_gradient(const LS&, const LT&, const gradients<T>& out) const {
    engine::clear(out.source);
    engine::clear(out.target);
    return T(0.5);
  }
};

} // namespace

TEST_CASE("a wrong slope and a missing slope are found") {
  CHECK(mentions(conformance::check_kernel(wrong_slope{0.5}), "against differences"));
  CHECK(mentions(conformance::check_kernel(wrong_slope{0.0}), "not identically zero"));
}

TEST_CASE("a kernel that is not positive definite is found") {
  CHECK(mentions(conformance::check_kernel(negative_definite{}), "positive definite"));
}

TEST_CASE("a biased estimator that calls itself unbiased is found") {
  conformance::estimator_options options;
  options.unbiased = true;
  CHECK(mentions(conformance::check_estimator(estimator::biased{}, options), "mean 0 under the null"));
}

TEST_CASE("an estimator that ignores weights is found") {
  conformance::estimator_options options;
  options.takes_weights = true;
  struct ignores_weights {
    pair_coefficients coefficients(const sample_sizes& n) const {
      const double s = static_cast<double>(n.source), t = static_cast<double>(n.target);
      return {1 / (s * s), 1 / (t * t), -1 / (s * t), false, 0};
    }
  };
  CHECK(mentions(conformance::check_estimator(ignores_weights{}, options), "repeated rows"));
}

TEST_CASE("an execution policy that repeats a task is found") {
  CHECK(mentions(conformance::check_execution(runs_twice{}), "exactly once"));
}

TEST_CASE("a dead discriminator is found, and so is a measure that takes any shape") {
  conformance::measure_options options;
  options.features = 1;
  const auto found = conformance::check_measure(dead_discriminator{}, options);
  CHECK(mentions(found, "not identically zero"));
  CHECK(mentions(found, "was not refused"));
}

TEST_CASE("a report with no law tried has not passed") { CHECK_FALSE(conformance::report{}.passed()); }
