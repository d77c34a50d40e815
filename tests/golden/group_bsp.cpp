/// Group bsp: batch spectral penalisation.
#include "loss_cases.hpp"

#include <dalib/measure/batch_spectral_penalisation.hpp>

namespace {

using namespace golden;

array singular_values(const test_case& test, const char* name) {
  return array(std::span<const double>(dalib::detail::singular_values(dense_input<double>(test, name))));
}

template <class T>
std::vector<outcome> run(const test_case& test) {
  if (test.method != "BSP") unknown("method", test.method);
  return run_two<T>(test, "f_s", "f_t", dalib::batch_spectral_penalisation{test.param<std::ptrdiff_t>("k")},
                    {{"singular_values_s", singular_values(test, "f_s")}, {"singular_values_t", singular_values(test, "f_t")}});
}

const claim_group group("bsp", both_precisions([]<class T>(const test_case& test) { return run<T>(test); }));

} // namespace
