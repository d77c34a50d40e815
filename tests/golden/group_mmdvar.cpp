/// Group mmdvar: the MMD with every kernel and estimator, on unequal sample sizes.
#include "kernels.hpp"
#include "two_sample.hpp"

namespace {

using namespace golden;

/// Each kernel by itself; a sum is taken one after another, each adding to the value and to the gradients: right for any list of kernels.
/// `constant` is what the estimator adds to every value, and the case has once.
template <class T, class Estimator>
void run_term_by_term(const test_case& test, const Estimator& estimator, double constant, std::vector<outcome>& results) {
  run_two_sample<T>(test, "one by one", results, [&](auto& zs, auto& zt, auto& gs, auto& gt) {
    double loss = constant;
    auto mode = dalib::write_mode::overwrite;
    for (const nlohmann::json& entry : test.params.at("kernels")) {
      with_kernel(entry, [&](const auto& kernel) {
        const dalib::mmd one{kernel, estimator};
        loss += static_cast<double>(one.value_and_gradient(tensor_policy{}, zs, zt, dalib::gradients{gs, gt, T(1), mode})) - constant;
      });
      mode = dalib::write_mode::accumulate;
    }
    return loss;
  });
}

template <class T, class Estimator>
std::vector<outcome> run_estimator(const test_case& test, const Estimator& estimator, double constant = 0) {
  std::vector<outcome> results;
  const nlohmann::json& kernels = test.params.at("kernels");
  run_term_by_term<T>(test, estimator, constant, results);
  if (kernels.size() > 1 && is_gaussian_ladder(kernels))
    run_measure<T>(test, "ladder", results,
                   dalib::mmd{dalib::kernel::gaussian_ladder(kernels[0].at("alpha"), static_cast<int>(kernels.size())), estimator});
  else if (has_types(kernels, {"gaussian", "laplacian", "linear", "polynomial", "rational_quadratic"}) && kernels[0].contains("sigma"))
    run_measure<T>(test, "sum", results, dalib::mmd{sum_of_all_kinds(kernels), estimator});
  return results;
}

template <class T>
std::vector<outcome> run(const test_case& test) {
  if (test.method == "MMD") {
    const auto estimator = test.param<std::string>("estimator");
    if (estimator == "v") return run_estimator<T>(test, dalib::estimator::biased{});
    if (estimator == "u") return run_estimator<T>(test, dalib::estimator::unbiased{});
    unknown("estimator", estimator);
  }
  if (test.method == "MultipleKernelMaximumMeanDiscrepancy" && !test.param<bool>("quadratic_program")) {
    const double constant = 2 / (test.param<double>("n_s") - 1);
    if (test.param<bool>("linear")) return run_estimator<T>(test, dalib::compat::ring{}, constant);
    return run_estimator<T>(test, dalib::compat::nonlinear{}, constant);
  }
  unknown("method", test.method);
}

const claim_group mmdvar("mmdvar", both_precisions([]<class T>(const test_case& test) { return run<T>(test); }));

} // namespace
