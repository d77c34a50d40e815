/// Group test_wild_bootstrap: given signs and multipliers.
#include "tests.hpp"

#include <dalib/inference/wild_bootstrap_test.hpp>

namespace {

using namespace golden;
namespace inference = dalib::inference;

inference::wild_form form_of(const test_case& test) {
  if (test.method == "wild_bootstrap_u") return inference::wild_form::independent;
  if (test.method == "wild_bootstrap_v")
    return test.param<bool>("centred") ? inference::wild_form::centred : inference::wild_form::dependent;
  if (test.method == "wild_bootstrap_unequal") return inference::wild_form::separate;
  unknown("method", test.method);
}

template <class T>
std::vector<outcome> run(const test_case& test) {
  const inference::wild_bootstrap_test wild{any_kernel(test.params.at("kernel")), form_of(test)};
  const case_draws draws(test);
  auto options = options_of(test);
  options.given.weights = draws.numbers(wild.form == inference::wild_form::separate ? "W_s" : "W");
  options.given.target_weights = draws.numbers("W_t");
  return through_tensors<T>(test, [&](const auto& x, const auto& y) { return outputs_of(wild(x, y, options), "bootstrapped"); });
}

const claim_group group("test_wild_bootstrap", both_precisions([]<class T>(const test_case& test) { return run<T>(test); }));

} // namespace
