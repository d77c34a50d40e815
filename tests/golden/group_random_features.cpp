/// Groups rff and jdot, and the disparity of group regression: random features, Nystrom, DeepJDOT.
#include "loss_cases.hpp"

#include <dalib/measure/joint_distribution_transport.hpp>
#include <dalib/measure/nystrom_mmd.hpp>
#include <dalib/measure/optimal_transport.hpp>
#include <dalib/measure/random_fourier_mmd.hpp>

namespace {

using namespace golden;

/// A loss of two samples along a third tensor, with the gradients of all three.
template <class T, class Measure>
std::vector<outcome> run_three(const test_case& test, const char* third, const Measure& loss) {
  return through_kinds<T>([&]<class Tensor>(tag<Tensor>) {
    const array &a = test.input("z_s"), &b = test.input("z_t"), &c = test.input(third);
    Tensor x(a), y(b), z(c), gx(unwritten_like(a)), gy(unwritten_like(b)), gz(unwritten_like(c));
    const T value = loss.value_and_gradient(x.get(), y.get(), z.get(), dalib::gradients{gx.get(), gy.get()}, dalib::gradient{gz.get()});
    require_same_value(loss(x.get(), y.get(), z.get()), value);
    return outputs_map{{"loss", scalar(value)},
                       {"mean_difference", vector_array(loss.mean_difference(x.get(), y.get(), z.get()))},
                       {"grad.z_s", gx.read()},
                       {"grad.z_t", gy.read()},
                       {std::string("grad.") + third, gz.read()}};
  });
}

template <class T>
std::vector<outcome> run_cosines(const test_case& test) {
  const array phase({1, test.input("phase").rows()}, test.input("phase").values);
  return through_kinds<T>([&]<class Tensor>(tag<Tensor>) {
    const array &a = test.input("z_s"), &b = test.input("z_t"), &c = test.input("omega");
    Tensor x(a), y(b), z(c), p(phase), gx(unwritten_like(a)), gy(unwritten_like(b)), gz(unwritten_like(c)), gp(unwritten_like(phase));
    const dalib::random_cosine_mmd loss;
    const T value = loss.value_and_gradient(x.get(), y.get(), z.get(), p.get(), dalib::gradients{gx.get(), gy.get()},
                                            dalib::gradients{gz.get(), gp.get()});
    require_same_value(loss(x.get(), y.get(), z.get(), p.get()), value);
    return outputs_map{
        {"loss", scalar(value)},   {"mean_difference", vector_array(loss.mean_difference(x.get(), y.get(), z.get(), p.get()))},
        {"grad.z_s", gx.read()},   {"grad.z_t", gy.read()},
        {"grad.omega", gz.read()}, {"grad.phase", array(test.input("phase").shape, gp.read().values)}};
  });
}

template <class T>
std::vector<outcome> run_features(const test_case& test) {
  if (test.method == "Nystroem MMD")
    return run_three<T>(test, "landmarks", dalib::nystrom_mmd{test.param<double>("sigma"), test.param<double>("ridge")});
  if (test.method != "random Fourier features MMD") unknown("method", test.method);
  return test.inputs.contains("phase") ? run_cosines<T>(test) : run_three<T>(test, "omega", dalib::random_fourier_mmd{});
}

template <class T>
std::vector<outcome> run_transport(const test_case& test) {
  const std::vector<std::int64_t> labels = test.input("labels_s").integers();
  const dalib::joint_distribution_transport loss{labels,
                                                 {.features = test.param<double>("alpha"), .labels = test.param<double>("lambda_t")}};
  const bool given = test.method == "DeepJDOT, coupling given";
  if (!given && test.method != "DeepJDOT, exact coupling") unknown("method", test.method);
  return through_kinds<T>([&]<class Tensor>(tag<Tensor>) {
    const array &a = test.input("g_s"), &b = test.input("g_t"), &c = test.input("y_t");
    array gamma =
        given ? test.input("gamma") : array({a.rows(), b.rows()}, std::vector<double>(static_cast<std::size_t>(a.rows() * b.rows())));
    if (!given) {
      Eigen::MatrixXd costs(a.rows(), b.rows());
      loss.pair_costs(Tensor(a).get(), Tensor(b).get(), Tensor(c).get(), costs);
      gamma.values = dalib::optimal_plan(costs).plan;
    }
    Tensor x(a), y(b), z(c), coupling(gamma), gx(unwritten_like(a)), gy(unwritten_like(b)), gz(unwritten_like(c));
    const T value =
        loss.value_and_gradient(x.get(), y.get(), z.get(), coupling.get(), dalib::gradients{gx.get(), gy.get()}, dalib::gradient{gz.get()});
    require_same_value(loss(x.get(), y.get(), z.get(), coupling.get()), value);
    return outputs_map{{"loss", scalar(value)}, {"plan", gamma}, {"grad.g_s", gx.read()}, {"grad.g_t", gy.read()}, {"grad.y_t", gz.read()}};
  });
}

const claim_group rff("rff", both_precisions([]<class T>(const test_case& test) { return run_features<T>(test); }));
const claim_group jdot("jdot", both_precisions([]<class T>(const test_case& test) { return run_transport<T>(test); }));

} // namespace
