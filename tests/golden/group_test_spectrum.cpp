/// Groups test_spectrum and test_gamma: fitted null laws.
#include "tests.hpp"

#include <dalib/inference/spectrum_test.hpp>

namespace {

using namespace golden;
namespace inference = dalib::inference;

template <class T, class Estimator>
std::vector<outcome> run_spectrum(const test_case& test, const Estimator& estimator) {
  const inference::spectrum_test spectrum{any_kernel(test.params.at("kernel")), estimator, test.param<dalib::index_t>("eigenvalues")};
  const case_draws draws(test);
  auto options = options_of(test);
  options.given.weights = draws.numbers("normals");
  return through_tensors<T>(test, [&](const auto& x, const auto& y) {
    const auto r = spectrum(x, y, options);
    auto outputs = outputs_of(r, "null_samples");
    outputs.emplace("eigenvalues", vector_of(r.eigenvalues));
    return outputs;
  });
}

template <class T>
std::vector<outcome> run_spectrum_case(const test_case& test) {
  if (test.method != "spectrum_test") unknown("method", test.method);
  const auto estimator = test.param<std::string>("estimator");
  if (estimator == "V") return run_spectrum<T>(test, dalib::estimator::biased{});
  if (estimator == "U") return run_spectrum<T>(test, dalib::estimator::unbiased{});
  unknown("estimator", estimator);
}

template <class T>
std::vector<outcome> run_gamma(const test_case& test) {
  if (test.method != "gamma_test") unknown("method", test.method);
  const inference::gamma_test gamma{any_kernel(test.params.at("kernel"))};
  return through_tensors<T>(test, [&](const auto& x, const auto& y) { return gamma_outputs(gamma(x, y, options_of(test))); });
}

const claim_group spectrum("test_spectrum", both_precisions([]<class T>(const test_case& test) { return run_spectrum_case<T>(test); }));
const claim_group gamma_group("test_gamma", both_precisions([]<class T>(const test_case& test) { return run_gamma<T>(test); }));

} // namespace
