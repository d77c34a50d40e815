/// Group mcc: minimum class confusion.
#include "loss_cases.hpp"

#include <dalib/measure/minimum_class_confusion.hpp>

namespace {

using namespace golden;

template <class T>
std::vector<outcome> run(const test_case& test) {
  if (test.method != "MCC") unknown("method", test.method);
  const dalib::minimum_class_confusion loss{test.param<double>("temperature"), test.param<double>("entropy_eps")};
  const auto seen = dalib::confusion_of(dense_input<T>(test, "y_t"), loss);
  const std::ptrdiff_t classes = test.input("y_t").cols();
  return run_one<T>(test, "y_t", loss, {{"weight", vector_array(seen.weights)}, {"confusion", array({classes, classes}, seen.confusion)}});
}

const claim_group group("mcc", both_precisions([]<class T>(const test_case& test) { return run<T>(test); }));

} // namespace
