/// Group test_permutation: permutation tests with given permutations.
#include "tests.hpp"

#include <dalib/inference/permutation_test.hpp>
#ifdef DALIB_TEST_MPI
#  include <dalib/inference/mpi.hpp>
#endif

namespace {

using namespace golden;
namespace inference = dalib::inference;

template <class T, class Estimator>
std::vector<outcome> run_estimator(const test_case& test, const Estimator& estimator) {
  case_draws draws(test);
  auto options = options_of(test);
  options.given.permutations = draws.integers("permutations");
  const inference::permutation_test permuted{any_kernel(test.params.at("kernel")), estimator};
  return through_tensors<T>(test,
                            [&](const auto& x, const auto& y) { return outputs_of(permuted(tensor_policy{}, x, y, options), "permuted"); });
}

template <class T>
std::vector<outcome> run(const test_case& test) {
  if (test.method != "permutation_test") unknown("method", test.method);
  const auto estimator = test.param<std::string>("estimator");
  if (estimator == "V") return run_estimator<T>(test, dalib::estimator::biased{});
  if (estimator == "U") return run_estimator<T>(test, dalib::estimator::unbiased{});
  unknown("estimator", estimator);
}

const claim_group group("test_permutation", both_precisions([]<class T>(const test_case& test) { return run<T>(test); }));

} // namespace
