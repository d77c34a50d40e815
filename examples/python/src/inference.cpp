/// @file
/// The tests of dalib/inference.hpp that draw, with any kernel of the squared distance.
#include "inference.hpp"

#include "dalib/inference/aggregated_test.hpp"
#include "dalib/inference/independence_test.hpp"
#include "dalib/inference/permutation_test.hpp"
#include "dalib/inference/wild_bootstrap_test.hpp"
#include "dalib/inference/witness.hpp"

namespace dalib_python {

namespace i = dalib::inference;

test_answer run_test(const test_request& r) {
  const dalib::exec::openmp execution{r.threads};
  const auto x = r.inputs[0].read<double>(), y = r.inputs.size() > 1 ? r.inputs[1].read<double>() : x;
  if (r.name == "permutation_test") {
    const i::permutation_test test{kernel_of(r, 0), any_full_pair{r.biased ? estimator_choice::biased : estimator_choice::unbiased}};
    return answer_of(test(execution, x, y, options_of(r)));
  }
  if (r.name == "wild_bootstrap_test") {
    const i::wild_bootstrap_test test{kernel_of(r, 0), static_cast<i::wild_form>(r.form), r.length};
    return answer_of(test(execution, x, y, options_of(r)));
  }
  if (r.name == "independence_test") {
    const i::hsic dependence{kernel_of(r, 0), kernel_of(r, 1), r.biased ? i::hsic_estimator::biased : i::hsic_estimator::unbiased};
    return answer_of(i::independence_test{dependence}(execution, x, y, options_of(r)));
  }
  if (r.name == "aggregated_test") {
    const i::aggregated_result found = i::aggregated_test{i::fuse_kernel(x, y, r.kernel_count)}(execution, x, y, options_of(r));
    test_answer answer;
    answer.reject = found.reject;
    answer.values = found.p_values;
    answer.warning = found.warning;
    for (double p : found.p_values) answer.p_value = std::min(answer.p_value, p);
    return answer;
  }
  if (r.name == "witness") {
    test_answer answer;
    answer.values = i::witness{kernel_of(r, 0)}(execution, x, y, r.inputs[2].read<double>());
    return answer;
  }
  test_answer answer;
  if (run_fitted_test(r, answer) || run_feature_test(r, answer) || run_score(r, answer)) return answer;
  throw std::invalid_argument("there is no test " + r.name);
}

} // namespace dalib_python
