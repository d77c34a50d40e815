/// Group test_aggregated: MMDAgg, MMD-FUSE and their collections of bandwidths.
#include "tests.hpp"

#include <dalib/inference/aggregated_test.hpp>

namespace {

using namespace golden;
namespace inference = dalib::inference;

array matrix_of(const std::vector<std::vector<double>>& rows) {
  std::vector<double> all;
  for (const auto& row : rows) all.insert(all.end(), row.begin(), row.end());
  return {{static_cast<std::ptrdiff_t>(rows.size()), static_cast<std::ptrdiff_t>(rows.front().size())}, all};
}

template <class T>
std::vector<outcome> run_aggregated(const test_case& test, inference::resampling by) {
  inference::aggregated_test aggregated{any_kernel(test.params.at("kernels")), by, test.param<std::vector<double>>("weights"),
                                        test.param<int>("B3")};
  case_draws draws(test);
  auto options = options_of(test);
  options.given = {draws.integers("permutations1"), draws.numbers("W1"), {}};
  options.second = {draws.integers("permutations2"), draws.numbers("W2"), {}};
  return through_tensors<T>(test, [&](const auto& x, const auto& y) {
    const auto r = aggregated(x, y, options);
    return std::map<std::string, array>{{"statistics", vector_of(r.statistics)},
                                        {"simulated1", matrix_of(r.null_samples)},
                                        {"simulated2", matrix_of(r.level_samples)},
                                        {"u_alpha", array(r.u_alpha)},
                                        {"quantiles", vector_of(r.quantiles)},
                                        {"p_values", vector_of(r.p_values)},
                                        {"p_thresholds", vector_of(r.p_thresholds)},
                                        {"rejected", vector_of({r.rejected.begin(), r.rejected.end()})},
                                        {"reject", flag(r.reject)}};
  });
}

template <class T>
std::vector<outcome> run_fuse(const test_case& test) {
  const inference::fuse_test fuse{any_kernel(test.params.at("kernels")), test.param<double>("lambda"), test.param<bool>("normalised")};
  case_draws draws(test);
  auto options = options_of(test);
  options.given.permutations = draws.integers("permutations");
  return through_tensors<T>(test, [&](const auto& x, const auto& y) {
    const auto r = fuse(x, y, options);
    auto outputs = outputs_of(r, "permuted");
    outputs.emplace("statistics", vector_of(r.statistics));
    outputs.emplace("normalisation", vector_of(r.normalisation));
    return outputs;
  });
}

template <class T, class Collection>
std::vector<outcome> run_bandwidths(const test_case& test, const Collection& collection) {
  return through_tensors<T>(test, [&](const auto& x, const auto& y) {
    const inference::bandwidth_collection r = collection(x, y, test.param<int>("count"));
    return std::map<std::string, array>{{"l1", vector_of(r.l1)}, {"l2", vector_of(r.l2)}};
  });
}

template <class T>
std::vector<outcome> run(const test_case& test) {
  if (test.method == "mmdagg_permutation") return run_aggregated<T>(test, inference::resampling::permutations);
  if (test.method == "mmdagg_wild_bootstrap") return run_aggregated<T>(test, inference::resampling::wild_bootstrap);
  if (test.method == "mmd_fuse") return run_fuse<T>(test);
  if (test.method == "mmdagg_bandwidths")
    return run_bandwidths<T>(test, [](const auto&... a) { return inference::mmdagg_bandwidths(a...); });
  if (test.method == "fuse_bandwidths") return run_bandwidths<T>(test, [](const auto&... a) { return inference::fuse_bandwidths(a...); });
  unknown("method", test.method);
}

const claim_group group("test_aggregated", both_precisions([]<class T>(const test_case& test) { return run<T>(test); }));

} // namespace
