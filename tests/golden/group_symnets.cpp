/// Group symnets: the losses of domain-symmetric networks.
#include "loss_cases.hpp"

#include <dalib/measure/symmetric_classifiers.hpp>
#include <dalib/measure/weighted_cross_entropy.hpp>

namespace {

using namespace golden;
using dalib::symmetric_classifiers;
using dalib::symmetric_loss;

/// The sum of two losses.
std::vector<outcome> added(std::vector<outcome> first, const std::vector<outcome>& second) {
  for (std::size_t i = 0; i < first.size(); ++i) {
    first[i].outputs["loss"].values[0] += second[i].outputs.at("loss").values[0];
    first[i].outputs.insert(second[i].outputs.begin(), second[i].outputs.end());
  }
  return first;
}

template <class T>
std::vector<outcome> run(const test_case& test) {
  if (test.method != "SymNets") unknown("method", test.method);
  const auto kind = test.param<std::string>("kind");
  const std::vector<std::int64_t> labels = test.input("labels_s").integers();
  const auto of_source = [&](const auto& loss) { return run_two<T>(test, "a_s", "b_s", loss); };
  const auto of_target = [&](const auto& loss) { return run_two<T>(test, "a_t", "b_t", loss); };
  if (kind == "task") {
    const dalib::weighted_cross_entropy loss{labels};
    return added(run_one<T>(test, "a_s", loss), run_one<T>(test, "b_s", loss));
  }
  if (kind == "domain_discrimination")
    return added(of_source(symmetric_classifiers<symmetric_loss::first>{}), of_target(symmetric_classifiers<symmetric_loss::second>{}));
  if (kind == "category_confusion") return of_source(dalib::symmetric_category_confusion{labels});
  if (kind == "domain_confusion") return of_target(symmetric_classifiers<symmetric_loss::domain_confusion>{});
  if (kind == "entropy") return of_target(symmetric_classifiers<symmetric_loss::entropy>{});
  unknown("kind", kind);
}

const claim_group group("symnets", both_precisions([]<class T>(const test_case& test) { return run<T>(test); }));

} // namespace
