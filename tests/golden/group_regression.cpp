/// Group regression: disparity, subspaces, inverse Gram matrices.
#include "loss_cases.hpp"

#include <dalib/measure/inverse_gram_alignment.hpp>
#include <dalib/measure/regression_disparity.hpp>
#include <dalib/measure/representation_subspace.hpp>

namespace {

using namespace golden;

template <class T>
std::vector<outcome> run_disparity(const test_case& test) {
  const auto kind = test.param<std::string>("loss");
  if (kind != "l1" && kind != "mse") unknown("loss", kind);
  const dalib::regression_disparity loss{kind == "l1" ? dalib::regression_loss::absolute : dalib::regression_loss::squared,
                                         test.param<double>("margin")};
  return through_kinds<T>([&]<class Tensor>(tag<Tensor>) {
    const array &a = test.input("y_s_adv"), &b = test.input("y_t_adv");
    Tensor y_s(test.input("y_s")), y_s_adv(a), y_t(test.input("y_t")), y_t_adv(b), g_s(unwritten_like(a)), g_t(unwritten_like(b));
    const T value = loss.value_and_gradient(tensor_policy{}, y_s.get(), y_s_adv.get(), y_t.get(), y_t_adv.get(),
                                            dalib::gradients{g_s.get(), g_t.get()});
    return outputs_map{{"loss", scalar(value)}, {"grad.y_s_adv", g_s.read()}, {"grad.y_t_adv", g_t.read()}};
  });
}

template <class T>
std::vector<outcome> run(const test_case& test) {
  if (test.method == "disparity discrepancy" || test.method == "MDD for regression") return run_disparity<T>(test);
  if (test.method == "RSD without base mismatch penalty" || test.method == "RSD with base mismatch penalty") {
    const dalib::representation_subspace_distance loss{test.param<double>("trade_off")};
    return run_two<T>(test, "f_s", "f_t", loss,
                      {{"sine", vector_array(loss.sines(dense_input<T>(test, "f_s"), dense_input<T>(test, "f_t")))}});
  }
  if (test.method != "DARE-GRAM") unknown("method", test.method);
  const bool given = !test.params.at("k").is_null();
  const dalib::inverse_gram_alignment loss{given ? 0.95 : test.param<double>("threshold"), given ? test.param<std::ptrdiff_t>("k") : 0,
                                           test.param<double>("tradeoff_angle"), test.param<double>("tradeoff_scale")};
  const auto parts = loss.parts(dense_input<T>(test, "f_s"), dense_input<T>(test, "f_t"));
  return run_two<T>(test, "f_s", "f_t", loss,
                    {{"angle", array(parts.angle)}, {"scale", array(parts.scale)}, {"k", array(static_cast<double>(parts.rank))}});
}

const claim_group group("regression", both_precisions([]<class T>(const test_case& test) { return run<T>(test); }));

} // namespace
