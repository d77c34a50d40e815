/// Group dependence: HSIC with its tests, energy distance.
#include "tests.hpp"

#ifndef DALIB_TEST_THRUST
#  include <dalib/inference/independence_test.hpp>
#endif
#include <dalib/inference/permutation_test.hpp>

namespace {

using namespace golden;
namespace inference = dalib::inference;

#ifndef DALIB_TEST_THRUST
auto hsic_of(const test_case& test) {
  const bool unbiased = test.params.value("estimator", "V") == "U";
  return inference::hsic{any_kernel(test.params.at("kernel_x")), any_kernel(test.params.at("kernel_y")),
                         unbiased ? inference::hsic_estimator::unbiased : inference::hsic_estimator::biased};
}
#endif

template <class T, class Measure>
std::vector<outcome> run_measure_of(const test_case& test, const std::string& name, const Measure& measure) {
  std::vector<outcome> results;
  const auto run = [&]<class Tensor>(tag<Tensor>) {
    Tensor x(test.input("X")), y(test.input("Y")), gx(test.input("X")), gy(test.input("Y"));
    const auto value = measure.value_and_gradient(x.get(), y.get(), dalib::gradients{gx.get(), gy.get()});
    results.push_back({Tensor::kind(), {{name, array(static_cast<double>(value))}, {"grad.X", gx.read()}, {"grad.Y", gy.read()}}, {}});
  };
  run(tag<plain_tensor<T>>{});
#if defined(DALIB_TEST_XTENSOR) && !defined(DALIB_TEST_THRUST)
  run(tag<xtensor_matrix<T>>{});
#endif
  return results;
}

template <class T, class Test>
std::vector<outcome> run_counting(const test_case& test, const Test& counting) {
  case_draws draws(test);
  auto options = options_of(test);
  options.given.permutations = draws.integers("permutations");
  return through_tensors<T>(test, [&](const auto& x, const auto& y) { return outputs_of(counting(x, y, options), "permuted"); });
}

template <class T>
std::vector<outcome> run(const test_case& test) {
#ifndef DALIB_TEST_THRUST // HSIC is the host's alone
  if (test.method == "hsic") return run_measure_of<T>(test, "hsic", hsic_of(test));
  if (test.method == "hsic_gamma_test") {
    const inference::independence_gamma_test gamma{hsic_of(test)};
    return through_tensors<T>(test, [&](const auto& x, const auto& y) { return gamma_outputs(gamma(x, y, options_of(test))); });
  }
  if (test.method == "hsic_permutation_test") return run_counting<T>(test, inference::independence_test{hsic_of(test)});
#endif
  if (test.method == "energy_distance")
    return run_measure_of<T>(test, "energy_distance", dalib::mmd{dalib::kernel::energy{}, dalib::estimator::biased{}});
  if (test.method == "energy_test") return run_counting<T>(test, inference::energy_test{});
  unknown("method", test.method);
}

const claim_group group("dependence", both_precisions([]<class T>(const test_case& test) { return run<T>(test); },
#ifdef DALIB_TEST_THRUST
                                                      [](const test_case& test) { return test.method.starts_with("energy"); }
#else
                                                      {}
#endif
                                                      ));

} // namespace
