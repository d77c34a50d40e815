/// Group im: information maximisation, entropy minimisation, Tsallis' entropy.
#include "loss_cases.hpp"

#include <dalib/measure/information_maximisation.hpp>
#include <dalib/measure/prediction_entropy.hpp>

namespace {

using namespace golden;

template <class T>
std::vector<outcome> run(const test_case& test) {
  const auto offset = test.param<double>("eps");
  if (test.method == "entropy minimisation") return run_one<T>(test, "y_t", dalib::prediction_entropy{offset});
  if (test.method == "Tsallis entropy") return run_one<T>(test, "y_t", dalib::tsallis_entropy{test.param<double>("alpha")});
  if (test.method != "information maximisation (SHOT-IM)") unknown("method", test.method);
  const dalib::information_maximisation loss{offset};
  const auto logits = dense_input<T>(test, "y_t");
  const auto entropy = static_cast<double>(dalib::prediction_entropy{offset}(logits));
  return run_one<T>(test, "y_t", loss,
                    {{"entropy", array(entropy)}, {"marginal_entropy", array(entropy - static_cast<double>(loss(logits)))}});
}

const claim_group group("im", both_precisions([]<class T>(const test_case& test) { return run<T>(test); }));

} // namespace
