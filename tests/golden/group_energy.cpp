/// Group energy: energy distances with any exponent.
#include "loss_cases.hpp"

#include <dalib/measure/energy_distance.hpp>

namespace {

using namespace golden;

template <class T>
std::vector<outcome> run_weighted(const test_case& test, double exponent) {
  const dalib::energy_distance loss{exponent};
  const std::vector<T> w_s = values_as<T>(test.input("w_s")), w_t = values_as<T>(test.input("w_t"));
  return through_kinds<T>([&]<class Tensor>(tag<Tensor>) {
    Tensor x(test.input("z_s")), y(test.input("z_t")), gx(unwritten_like(test.input("z_s"))), gy(unwritten_like(test.input("z_t")));
    const auto& rows_x = x.get();
    const auto& rows_y = y.get();
    const auto s = dalib::weighted(rows_x, w_s), t = dalib::weighted(rows_y, w_t);
    const T value = loss.value_and_gradient(tensor_policy{}, s, t, dalib::gradients{gx.get(), gy.get()});
    const auto [of_s, of_t] = dalib::energy_weight_gradients(s, t, exponent);
    return outputs_map{{"loss", scalar(value)},
                       {"grad.z_s", gx.read()},
                       {"grad.z_t", gy.read()},
                       {"grad.w_s", vector_array(of_s)},
                       {"grad.w_t", vector_array(of_t)}};
  });
}

template <class T>
std::vector<outcome> run(const test_case& test) {
  if (test.method != "energy distance" && test.method != "generalised energy distance") unknown("method", test.method);
  const auto exponent = test.param<double>("beta");
  const auto estimator = test.param<std::string>("estimator");
  if (estimator == "v") return run_two<T>(test, "z_s", "z_t", dalib::energy_distance{exponent});
  if (estimator == "u") return run_two<T>(test, "z_s", "z_t", dalib::energy_distance{exponent, dalib::estimator::unbiased{}});
  if (estimator == "weighted") return run_weighted<T>(test, exponent);
  unknown("estimator", estimator);
}

const claim_group group("energy", both_precisions([]<class T>(const test_case& test) { return run<T>(test); }));

} // namespace
