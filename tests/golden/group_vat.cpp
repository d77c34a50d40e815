/// Group vat: virtual adversarial training.
#include "network_cases.hpp"

#include <dalib/measure/network/virtual_adversarial.hpp>

namespace {

using namespace golden;

template <class T>
std::vector<outcome> run(const test_case& test) {
  if (test.method != "VAT") unknown("method", test.method);
  const case_network<T> model(test, "M.");
  const auto x = dense_input<T>(test, "x"), directions = dense_input<T>(test, "direction");
  auto moves = x;
  dalib::workspace scratch;
  const dalib::virtual_adversarial loss({test.param<double>("xi"), test.param<double>("epsilon"), test.param<int>("power_iterations")});
  const T value = loss.value_and_gradient(dalib::exec::default_policy{}, model.network(),
                                          {dalib::const_view_of(x), dalib::const_view_of(directions), dalib::view_of(moves)},
                                          model.gradients(), scratch);
  outcome result{"Eigen", {{"loss", scalar(value)}, {"r_adv", array_of_matrix(moves)}}, {}};
  model.add_to(result.outputs);
  return {result};
}

const claim_group group("vat", both_precisions([]<class T>(const test_case& test) { return run<T>(test); }));

} // namespace
