/// Group power: criteria of test power with their gradients.
#include "tests.hpp"

#include <dalib/inference/test_power.hpp>

namespace {

using namespace golden;
namespace inference = dalib::inference;

template <class T, class Power>
std::vector<outcome> run_power(const test_case& test, const Power& power) {
  std::vector<outcome> results;
  const auto run = [&]<class Tensor>(tag<Tensor>) {
    Tensor x(test.input("X")), y(test.input("Y")), gx(test.input("X")), gy(test.input("Y"));
    const auto value = power.value_and_gradient(x.get(), y.get(), dalib::gradients{gx.get(), gy.get()});
    const inference::power_parts parts = power.parts(x.get(), y.get());
    std::map<std::string, array> outputs{{"mmd", array(parts.mmd)},
                                         {"variance", array(parts.variance)},
                                         {"J", array(static_cast<double>(value))},
                                         {"grad.X", gx.read()},
                                         {"grad.Y", gy.read()}};
    if constexpr (std::is_same_v<decltype(power.kernel), dalib::kernel::gaussian<dalib::bandwidth::fixed>>)
      outputs.emplace("grad.log_sigma", array(power.log_length_gradient(x.get(), y.get())));
    results.push_back({Tensor::kind(), std::move(outputs), {}});
  };
  run(tag<eigen_tensor<T, Eigen::ColMajor>>{});
#ifdef DALIB_TEST_XTENSOR
  run(tag<xtensor_matrix<T>>{});
#endif
  return results;
}

template <class T, class Variance>
std::vector<outcome> run_variance(const test_case& test, const Variance& variance) {
  const nlohmann::json& kernel = test.params.at("kernel");
  const auto lambda = test.param<double>("lambda");
  if (kernel.at("type") == "gaussian")
    return run_power<T>(test, inference::test_power(dalib::kernel::gaussian{kernel.at("sigma").get<double>()}, variance, lambda));
  return run_power<T>(test, inference::test_power(any_kernel(kernel), variance, lambda));
}

template <class T>
std::vector<outcome> run(const test_case& test) {
  if (test.method == "power_liu2020") return run_variance<T>(test, inference::liu_variance{});
  if (test.method == "power_sutherland2017") return run_variance<T>(test, inference::sutherland_variance{});
  unknown("method", test.method);
}

const claim_group group("power", both_precisions([]<class T>(const test_case& test) { return run<T>(test); }));

} // namespace
