/// Group schedule: the coefficient of the gradient reversal and the step-wise learning rate.
#include "groups.hpp"
#include "nn/nn.hpp"

#include <dalib/dalib.hpp>
#include <span>

namespace {

using namespace golden;

/// The coefficients at iterations 0, 1, 2, ... of a schedule.
template <class T, class Schedule>
outcome run_reversal(const test_case& test, const std::string& label, Schedule schedule) {
  std::vector<T> coefficients;
  for (int i = 0; i < test.param<int>("iterations"); ++i) {
    coefficients.push_back(static_cast<T>(schedule.coefficient()));
    schedule.step();
  }
  return {label, {{"coeff", array(std::span<const T>(coefficients))}}, {}};
}

template <class T>
std::vector<outcome> run_reversals(const test_case& test) {
  const auto alpha = test.param<double>("alpha"), low = test.param<double>("lo"), high = test.param<double>("hi");
  const auto iterations = test.param<double>("max_iters");
  if (iterations != std::floor(iterations)) unknown("number of iterations", std::to_string(iterations));
  return {run_reversal<T>(test, "library", dalib::warm_start_reversal{alpha, low, high, static_cast<long>(iterations)})};
}

template <class T>
std::vector<outcome> run_stepwise(const test_case& test) {
  dalib::nn::stepwise_schedule schedule{test.param<double>("init_lr"), test.param<double>("gamma"), test.param<double>("decay_rate")};
  const int stride = test.param<int>("stride");
  std::vector<double> rates;
  std::ptrdiff_t rows = 0;
  for (int i = 0; i < test.param<int>("iterations"); ++i) {
    const double rate = schedule.step();
    if (i % stride != 0) continue;
    ++rows;
    for (const nlohmann::json& multiplier : test.params.at("lr_mult"))
      rates.push_back(static_cast<T>(rate * (multiplier.is_null() ? 1.0 : multiplier.get<double>())));
  }
  return {{"examples", {{"lr", array({rows, static_cast<std::ptrdiff_t>(test.params.at("lr_mult").size())}, std::move(rates))}}, {}}};
}

template <class T>
std::vector<outcome> run(const test_case& test) {
  if (test.method == "WarmStartGradientReverseLayer") return run_reversals<T>(test);
  if (test.method == "StepwiseLR") return run_stepwise<T>(test);
  unknown("method", test.method);
}

const claim_group schedule("schedule", both_precisions([]<class T>(const test_case& test) { return run<T>(test); }));

} // namespace
