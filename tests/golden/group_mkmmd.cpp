/// Group mkmmd: DALIB's MK-MMD, linear and non-linear, with all kernel weights one or found by its quadratic program.
#include "kernels.hpp"
#include "two_sample.hpp"

#include <numeric>

namespace {

using namespace golden;

/// DALIB's linear form with every index entry accumulated: differs from compat::ring only at n = 2. An estimator of a user's own.
struct accumulated_ring {
  dalib::quadruple_plan plan(const dalib::sample_sizes& n) const {
    dalib::quadruple_plan plan = dalib::compat::ring{}.plan(n);
    plan.across = plan.within;
    return plan;
  }
};

/// The case's kernels as entries for with_gaussian.
nlohmann::json kernel_entries(const test_case& test) {
  const char* key = test.params.contains("alphas") ? "alpha" : "sigma";
  nlohmann::json entries = nlohmann::json::array();
  for (const nlohmann::json& number : test.params.at(std::string(key) + "s")) entries.push_back({{"type", "gaussian"}, {key, number}});
  return entries;
}

/// sigma^2 of every kernel, by the library's bandwidth rules.
template <class T>
array squared_bandwidths(const test_case& test, const nlohmann::json& entries) {
  using memory = tensor_memory;
  const plain_tensor<T> zs(test.input("z_s")), zt(test.input("z_t"));
  dalib::workspace_of<memory> scratch;
  const dalib::engine::joint_sample<T, memory> data{dalib::sample_of(zs.get()), dalib::sample_of(zt.get())};
  const dalib::engine::sample_summary<T, memory> summary(dalib::exec::default_for<memory>{}, data, scratch);
  std::vector<double> result;
  for (const nlohmann::json& entry : entries)
    with_gaussian(entry, [&](const auto& kernel) { result.push_back(kernel.bandwidth.squared_scale(summary)); });
  return array(std::span<const double>(result));
}

/// Outputs that belong to the batch and not to a tensor kind.
void add_details(outcome& result, const array& bandwidths, const std::vector<double>& terms, double constant,
                 const dalib::kernel_weights& weights) {
  std::vector<double> sums = terms;
  for (double& sum : sums) sum -= constant;
  result.outputs["sigma_square"] = bandwidths;
  result.outputs["kernel_sums"] = array(std::span<const double>(sums));
  result.outputs["beta_solver"] = array(std::span<const double>(weights.raw));
  result.outputs["beta"] = array(std::span<const double>(weights.normalised));
}

/// Each kernel alone, added up with its weight through scale and accumulation: right for any list of Gaussians.
template <class T, class Estimator>
void run_term_by_term(const test_case& test, const nlohmann::json& entries, const Estimator& estimator, double constant,
                      std::vector<outcome>& results) {
  const bool weighted = test.param<bool>("quadratic_program");
  const array bandwidths = squared_bandwidths<T>(test, entries);
  std::vector<double> terms;
  dalib::kernel_weights weights{{}, std::vector<double>(entries.size(), 1.0)};
  run_two_sample<T>(test, "term by term", results, [&](auto& zs, auto& zt, auto& gs, auto& gt) {
    terms.clear();
    for (const nlohmann::json& entry : entries)
      with_gaussian(entry, [&](const auto& kernel) {
        terms.push_back(static_cast<double>(dalib::mmd{kernel, estimator}(tensor_policy{}, zs, zt)));
      });
    if (weighted) weights = dalib::compat::quadratic_program{}.weights(terms);
    for (std::size_t k = 0; k < entries.size(); ++k)
      with_gaussian(entries[k], [&](const auto& kernel) {
        const auto mode = k == 0 ? dalib::write_mode::overwrite : dalib::write_mode::accumulate;
        const T weight = static_cast<T>(weights.normalised[k]);
        dalib::mmd{kernel, estimator}.value_and_gradient(tensor_policy{}, zs, zt, dalib::gradients{gs, gt, weight, mode});
      });
    // Without the quadratic program the constant stands once, however many kernels there are.
    const double surplus = weighted ? 0 : constant * static_cast<double>(entries.size() - 1);
    return std::inner_product(terms.begin(), terms.end(), weights.normalised.begin(), 0.0) - surplus;
  });
  for (outcome& result : results) add_details(result, bandwidths, terms, constant, weights);
}

/// The library's own multi-kernel measures, where the list of kernels is one that they know.
template <class T, class Estimator>
void run_whole(const test_case& test, const nlohmann::json& entries, const Estimator& estimator, double constant,
               std::vector<outcome>& results) {
  const array bandwidths = squared_bandwidths<T>(test, entries);
  const auto run = [&](const auto& kernel) {
    const std::size_t first = results.size();
    const dalib::weighted_mmd weighted{kernel, estimator, dalib::compat::quadratic_program{}};
    if (test.param<bool>("quadratic_program"))
      run_measure<T>(test, "weighted_mmd", results, weighted);
    else
      run_measure<T>(test, "mmd", results, dalib::mmd{kernel, estimator});
    const plain_tensor<T> zs(test.input("z_s")), zt(test.input("z_t"));
    const std::vector<double> terms = weighted.term_values(tensor_policy{}, zs.get(), zt.get());
    const dalib::kernel_weights weights = weighted.rule.weights(terms);
    for (std::size_t i = first; i < results.size(); ++i) add_details(results[i], bandwidths, terms, constant, weights);
  };
  if (is_gaussian_ladder(entries))
    run(dalib::kernel::gaussian_ladder(entries[0].at("alpha"), static_cast<int>(entries.size())));
  else if (entries.size() == 2 && entries[0].contains("sigma"))
    run(dalib::kernel::gaussian{dalib::bandwidth::fixed{entries[0].at("sigma")}} +
        dalib::kernel::gaussian{dalib::bandwidth::fixed{entries[1].at("sigma")}});
}

template <class T, class Estimator>
std::vector<outcome> run_estimator(const test_case& test, const Estimator& estimator) {
  const nlohmann::json entries = kernel_entries(test);
  const double constant = 2 / (test.param<double>("n_s") - 1);
  std::vector<outcome> results;
  run_term_by_term<T>(test, entries, estimator, constant, results);
  run_whole<T>(test, entries, estimator, constant, results);
  return results;
}

template <class T>
std::vector<outcome> run(const test_case& test) {
  if (test.method != "MultipleKernelMaximumMeanDiscrepancy") unknown("method", test.method);
  if (!test.param<bool>("linear")) return run_estimator<T>(test, dalib::compat::nonlinear{});
  if (test.params.value("accumulate", false)) return run_estimator<T>(test, accumulated_ring{});
  return run_estimator<T>(test, dalib::compat::ring{});
}

const claim_group mkmmd("mkmmd", both_precisions([]<class T>(const test_case& test) { return run<T>(test); }));

} // namespace
