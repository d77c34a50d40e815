/// Groups swd and wasserstein: sliced, one-dimensional and exact Wasserstein distances.
#include "loss_cases.hpp"

#include <dalib/measure/optimal_transport.hpp>
#include <dalib/measure/sliced_wasserstein.hpp>

namespace {

using namespace golden;

/// Loss and gradients along given directions; `first` and `second` name the samples.
template <class T>
std::vector<outcome> run_sliced(const test_case& test, const char* first, const char* second, double p) {
  const dalib::sliced_wasserstein loss{p};
  return through_kinds<T>([&]<class Tensor>(tag<Tensor>) {
    const array &a = test.input(first), &b = test.input(second), &d = test.input("theta");
    Tensor x(a), y(b), theta(d), gx(unwritten_like(a)), gy(unwritten_like(b)), gd(unwritten_like(d));
    const T value = loss.value_and_gradient(tensor_policy{}, x.get(), y.get(), theta.get(), dalib::gradients{gx.get(), gy.get()},
                                            dalib::gradient{gd.get()});
    require_same_value(loss(x.get(), y.get(), theta.get()), value);
    return outputs_map{{"loss", scalar(value)},
                       {"root", array(std::pow(static_cast<double>(value), 1 / p))},
                       {"per_projection", vector_array(loss.per_direction(x.get(), y.get(), theta.get()))},
                       {std::string("grad.") + first, gx.read()},
                       {std::string("grad.") + second, gy.read()},
                       {"grad.theta", gd.read()}};
  });
}

template <class T>
std::vector<outcome> run(const test_case& test) {
  if (test.method == "sliced Wasserstein") return run_sliced<T>(test, "z_s", "z_t", test.param<double>("p"));
  if (test.method == "sliced Wasserstein discrepancy") return run_sliced<T>(test, "p1", "p2", 2);
  unknown("method", test.method);
}

/// A sample of numbers, (n) in the set, as (n, 1).
array column(const array& numbers) { return {{numbers.rows(), 1}, numbers.values}; }

/// A potential less its mean.
array centred(const std::vector<double>& potential) {
  double mean = 0;
  for (const double value : potential) mean += value / static_cast<double>(potential.size());
  std::vector<double> result;
  for (const double value : potential) result.push_back(value - mean);
  return vector_array(result);
}

/// A loss of two weighted samples; `more(s, t)` gives further outputs.
template <class T, class Measure, class More>
std::vector<outcome> run_weighted(const test_case& test, const array& a, const array& b, const Measure& loss, const More& more) {
  const std::vector<T> w_s = values_as<T>(test.input("w_s")), w_t = values_as<T>(test.input("w_t"));
  return through_kinds<T>([&]<class Tensor>(tag<Tensor>) {
    Tensor x(a), y(b), gx(unwritten_like(a)), gy(unwritten_like(b));
    const auto& rows_x = x.get();
    const auto& rows_y = y.get();
    const auto s = dalib::weighted(rows_x, w_s), t = dalib::weighted(rows_y, w_t);
    const T value = loss.value_and_gradient(tensor_policy{}, s, t, dalib::gradients{gx.get(), gy.get()});
    outputs_map result = more(s, t);
    result.emplace("loss", scalar(value));
    result.emplace("grad.z_s", array(test.input("z_s").shape, gx.read().values));
    result.emplace("grad.z_t", array(test.input("z_t").shape, gy.read().values));
    return result;
  });
}

template <class T>
std::vector<outcome> run_wasserstein(const test_case& test) {
  const array &z_s = test.input("z_s"), &z_t = test.input("z_t");
  if (test.method == "Wasserstein 1-D")
    return run_weighted<T>(test, column(z_s), column(z_t), dalib::wasserstein{test.param<double>("p")},
                           [](const auto&, const auto&) { return outputs_map{}; });
  if (test.method != "optimal transport (linear program)") unknown("method", test.method);
  const auto cost = test.param<std::string>("cost");
  if (cost != "euclidean" && cost != "sqeuclidean") unknown("cost", cost);
  const dalib::optimal_transport loss{cost == "euclidean" ? dalib::ground_cost::euclidean : dalib::ground_cost::squared};
  return run_weighted<T>(test, z_s, z_t, loss, [&](const auto& s, const auto& t) {
    const dalib::transport_plan best = loss.plan(s, t);
    return outputs_map{{"plan", array({z_s.rows(), z_t.rows()}, best.plan)},
                       {"grad.w_s", centred(best.source_potentials)},
                       {"grad.w_t", centred(best.target_potentials)}};
  });
}

const claim_group swd("swd", both_precisions([]<class T>(const test_case& test) { return run<T>(test); }));
const claim_group wasserstein("wasserstein", both_precisions([]<class T>(const test_case& test) { return run_wasserstein<T>(test); }));

} // namespace
