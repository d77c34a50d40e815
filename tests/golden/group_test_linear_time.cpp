/// Group test_linear_time: linear-time and block tests.
#include "tests.hpp"

#include <dalib/inference/linear_time_test.hpp>

namespace {

using namespace golden;
namespace inference = dalib::inference;

std::map<std::string, array> normal_outputs(const inference::normal_result& r, const std::string& terms) {
  return {{"statistic", array(r.statistic)}, {"variance", array(r.variance)},   {"z", array(r.z)},
          {"p_value", array(r.p_value)},     {"threshold", array(r.threshold)}, {terms, vector_of(r.terms)}};
}

inference::linear_variance variance_of(const std::string& name) {
  if (name == "sample") return inference::linear_variance::sample;
  if (name == "second_moment") return inference::linear_variance::second_moment;
  if (name == "difference") return inference::linear_variance::difference;
  unknown("variance", name);
}

template <class T>
std::vector<outcome> run(const test_case& test) {
  const auto kernel = any_kernel(test.params.at("kernel"));
  if (test.method == "linear_time_test") {
    const inference::linear_time_test linear{kernel, variance_of(test.param<std::string>("variance"))};
    return through_tensors<T>(test, [&](const auto& x, const auto& y) { return normal_outputs(linear(x, y, options_of(test)), "h"); });
  }
  if (test.method != "block_test") unknown("method", test.method);
  const auto within = test.param<std::string>("within");
  if (within != "paired" && within != "unbiased") unknown("within", within);
  const inference::block_test blocks{kernel, test.param<dalib::index_t>("rows"),
                                     within == "paired" ? inference::block_pairs::paired : inference::block_pairs::unbiased};
  return through_tensors<T>(test, [&](const auto& x, const auto& y) { return normal_outputs(blocks(x, y, options_of(test)), "blocks"); });
}

const claim_group group("test_linear_time", both_precisions([]<class T>(const test_case& test) { return run<T>(test); }));

} // namespace
