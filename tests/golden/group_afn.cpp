/// Group afn: hard and stepwise adaptive feature norm.
#include "loss_cases.hpp"

#include <dalib/measure/feature_norm.hpp>

namespace {

using namespace golden;

/// The domains' parts: the loss of each with a domain that has none.
template <class T, class Measure>
std::vector<outcome> run_measure_of_domains(const test_case& test, const Measure& loss, double of_zero) {
  const auto part = [&](const char* name) {
    const auto rows = dense_input<T>(test, name);
    const Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic> zero = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>::Zero(1, rows.cols());
    return array(static_cast<double>(loss(rows, zero)) - of_zero);
  };
  return run_two<T>(test, "f_s", "f_t", loss, {{"loss_s", part("f_s")}, {"loss_t", part("f_t")}});
}

template <class T>
std::vector<outcome> run(const test_case& test) {
  if (test.method == "HAFN") {
    const auto radius = test.param<double>("radius");
    return run_measure_of_domains<T>(test, dalib::hard_feature_norm{radius}, radius * radius);
  }
  const auto step = test.param<double>("delta");
  if (test.method == "SAFN") return run_measure_of_domains<T>(test, dalib::stepwise_feature_norm{step}, step * step);
  if (test.method == "SAFN, one mean over both domains")
    return run_two<T>(test, "f_s", "f_t", dalib::stepwise_feature_norm{step, dalib::norm_average::pooled});
  unknown("method", test.method);
}

const claim_group group("afn", both_precisions([]<class T>(const test_case& test) { return run<T>(test); }));

} // namespace
