/// Group ksd: kernel Stein discrepancies with their bootstraps.
#include "tests.hpp"

#include <dalib/inference/stein_test.hpp>

namespace {

using namespace golden;
namespace inference = dalib::inference;

/// Counts are multipliers to the test.
template <class T, class Kernel>
std::vector<outcome> run_kernel(const test_case& test, const Kernel& kernel) {
  const auto form = test.method == "ksd_v"   ? inference::stein_form::biased
                    : test.method == "ksd_u" ? inference::stein_form::unbiased
                                             : inference::stein_form::multinomial;
  if (form == inference::stein_form::multinomial && test.method != "ksd_u_multinomial") unknown("method", test.method);
  const inference::stein_test stein{kernel, form};
  const case_draws draws(test);
  auto options = options_of(test);
  options.given.weights = draws.numbers(form == inference::stein_form::multinomial ? "counts" : "signs");
  return through_tensors<T>(
      test,
      [&](const auto& x, const auto& score) {
        auto outputs = outputs_of(stein(x, score, options), "bootstrapped");
        if (test.has_output("stein_matrix")) {
          const Eigen::MatrixXd u = inference::stein_matrix(kernel, x, score);
          outputs.emplace("stein_matrix", array({u.rows(), u.cols()}, {u.data(), u.data() + u.size()})); // symmetric
        }
        return outputs;
      },
      "X", "score");
}

template <class T>
std::vector<outcome> run(const test_case& test) {
  const nlohmann::json& kernel = test.params.at("kernel");
  if (kernel.at("type") == "gaussian") return run_kernel<T>(test, inference::stein_gaussian{kernel.at("sigma")});
  if (kernel.at("type") == "imq") return run_kernel<T>(test, inference::stein_multiquadric{kernel.at("c"), kernel.at("beta")});
  unknown("kernel", kernel.at("type"));
}

const claim_group group("ksd", both_precisions([]<class T>(const test_case& test) { return run<T>(test); }));

} // namespace
