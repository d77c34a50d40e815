/// Group sinkhorn: entropic transport and Sinkhorn divergences, balanced and not.
#include "loss_cases.hpp"

#include <dalib/measure/sinkhorn_divergence.hpp>

namespace {

using namespace golden;

template <class T>
std::vector<outcome> run(const test_case& test) {
  const bool divergence = test.method.find("divergence") != std::string::npos;
  if (!divergence && test.method.find("entropic") == std::string::npos) unknown("method", test.method);
  const dalib::sinkhorn_divergence loss{{.power = test.param<int>("p"),
                                         .blur = test.param<double>("blur"),
                                         .reach = test.params.at("reach").is_null() ? 0 : test.param<double>("reach"),
                                         .debias = divergence,
                                         .tolerance = 1e-14}};
  const std::vector<T> a = values_as<T>(test.input("a")), b = values_as<T>(test.input("b"));
  return through_kinds<T>([&]<class Tensor>(tag<Tensor>) {
    Tensor x(test.input("x")), y(test.input("y")), gx(unwritten_like(test.input("x"))), gy(unwritten_like(test.input("y")));
    const auto& rows_x = x.get();
    const auto& rows_y = y.get();
    const auto s = dalib::weighted(rows_x, a), t = dalib::weighted(rows_y, b);
    const T value = loss.value_and_gradient(tensor_policy{}, s, t, dalib::gradients{gx.get(), gy.get()});
    const auto [of_a, of_b] = loss.weight_gradients(s, t);
    double cost = 0;
    const std::vector<double> plan = loss.plan(s, t, &cost);
    const auto p = loss.solve(s, t);
    return outputs_map{{"loss", scalar(value)},         {"grad.x", gx.read()},
                       {"grad.y", gy.read()},           {"grad.a", vector_array(of_a)},
                       {"grad.b", vector_array(of_b)},  {"plan", array({test.input("x").rows(), test.input("y").rows()}, plan)},
                       {"transport_cost", array(cost)}, {"f", vector_array(p.f)},
                       {"g", vector_array(p.g)}};
  });
}

const claim_group group("sinkhorn", both_precisions([]<class T>(const test_case& test) { return run<T>(test); }));

} // namespace
