/// Group jmmd: joint MMD of two layers, with DALIB's and the proper estimators, and the adversarial form with theta.
#include "kernels.hpp"
#include "networks.hpp"
#include "two_sample.hpp"

#include "autodiff/dalib_graph.hpp"

#include <map>
#include <string>

namespace {

using namespace golden;

/// A layer's kernels as entries for with_gaussian.
nlohmann::json kernel_entries(const nlohmann::json& layer) {
  const char* key = layer.contains("alphas") ? "alpha" : "sigma";
  nlohmann::json entries = nlohmann::json::array();
  for (const nlohmann::json& number : layer.at(std::string(key) + "s")) entries.push_back({{"type", "gaussian"}, {key, number}});
  return entries;
}

/// Calls visit(kernels) if the library has each layer's list of Gaussians as one kernel. True if it has.
template <class Visit>
bool with_layer_kernels(const test_case& test, Visit&& visit) {
  const nlohmann::json first = kernel_entries(test.params.at("layer1")), second = kernel_entries(test.params.at("layer2"));
  if (!is_gaussian_ladder(first) || second.size() != 1) return false;
  const dalib::kernel::gaussian_ladder<> ladder(first[0].at("alpha"), static_cast<int>(first.size()));
  with_gaussian(second[0], [&](const auto& kernel) { visit(dalib::layer_kernels(ladder, kernel)); });
  return true;
}

/// Calls compute(zs, zt, gradients of both) with tensors of each kind; it returns the loss.
template <class T, class Compute>
void run_layers(const test_case& test, const std::string& label, std::vector<outcome>& results, Compute&& compute) {
  for_each_tensor_kind<T>([&](const tensor_kind<T>& kind) {
    const auto own = [&](const char* name) { return kind(test.input(name)); };
    const auto unwritten = [&](const char* name) { return kind(unwritten_like(test.input(name))); };
    any_tensor<T> s1 = own("z1_s"), s2 = own("z2_s"), t1 = own("z1_t"), t2 = own("z2_t");
    any_tensor<T> gs1 = unwritten("z1_s"), gs2 = unwritten("z2_s"), gt1 = unwritten("z1_t"), gt2 = unwritten("z2_t");
    const auto loss =
        static_cast<double>(compute(dalib::layers(s1, s2), dalib::layers(t1, t2), dalib::layers(gs1, gs2), dalib::layers(gt1, gt2)));
    results.push_back({label + ", " + kind.name,
                       {{"loss", array(loss)},
                        {"grad.z1_s", gs1.read()},
                        {"grad.z2_s", gs2.read()},
                        {"grad.z1_t", gt1.read()},
                        {"grad.z2_t", gt2.read()}},
                       {}});
  });
}

/// The product of two sums of kernels is the sum over their pairs: right for any lists. `constant` is what the estimator adds to every
/// value.
template <class T, class Estimator>
void run_pair_by_pair(const test_case& test, const Estimator& estimator, double constant, std::vector<outcome>& results) {
  const nlohmann::json first = kernel_entries(test.params.at("layer1")), second = kernel_entries(test.params.at("layer2"));
  run_layers<T>(test, "pair by pair", results, [&](const auto& zs, const auto& zt, const auto& gs, const auto& gt) {
    double loss = constant;
    auto mode = dalib::write_mode::overwrite;
    for (const nlohmann::json& a : first)
      for (const nlohmann::json& b : second) {
        with_gaussian(a, [&](const auto& k1) {
          with_gaussian(b, [&](const auto& k2) {
            const dalib::joint_mmd one{dalib::layer_kernels(k1, k2), estimator};
            loss +=
                static_cast<double>(one.value_and_gradient(tensor_policy{}, zs, zt, dalib::layer_gradients{gs, gt, T(1), mode})) - constant;
          });
        });
        mode = dalib::write_mode::accumulate;
      }
    return loss;
  });
}

/// Adversarial form: both layers pass theta, on the example tape.
template <class T, class Estimator>
std::vector<outcome> run_theta(const test_case& test, const Estimator& estimator) {
  std::vector<outcome> results;
  const bool known = with_layer_kernels(test, [&](const auto& kernels) {
    dalib::io::random_generator random(1);
    nn::theta<T> theta1(test.input("z1_s").cols(), random), theta2(test.input("z2_s").cols(), random);
    const auto values = [&](const std::string& prefix) {
      return [&, prefix](const std::string& name, const auto&) { return test.input(prefix + name.substr(name.find('.'))); };
    };
    set_parameters(theta1, "", values("theta1"));
    set_parameters(theta2, "", values("theta2"));
    std::map<std::string, ad::variable<T>> z;
    for (const char* name : {"z1_s", "z2_s", "z1_t", "z2_t"}) z.emplace(name, ad::parameter(matrix_of<T>(test.input(name))));
    const auto s1 = theta1(z.at("z1_s")), s2 = theta2(z.at("z2_s")), t1 = theta1(z.at("z1_t")), t2 = theta2(z.at("z2_t"));
    const auto loss = dalib::joint_mmd{kernels, estimator}(dalib::layers(s1, s2), dalib::layers(t1, t2));
    outcome result{"joint_mmd on the example tape", {{"loss", array(static_cast<double>(loss.item()))}}, {}};
    ad::backward(loss);
    for (const auto& [name, variable] : z)
      result.outputs["grad." + name] = array_of(variable.gradient(), {variable.rows(), variable.cols()});
    for (auto& [name, gradient] : gradients_of(theta1, "")) result.outputs["grad.theta1" + name.substr(name.find('.'))] = gradient;
    for (auto& [name, gradient] : gradients_of(theta2, "")) result.outputs["grad.theta2" + name.substr(name.find('.'))] = gradient;
    results.push_back(result);
  });
  if (!known) unknown("list of kernels", test.params.dump());
  return results;
}

template <class T, class Estimator>
std::vector<outcome> run_estimator(const test_case& test, const Estimator& estimator, double constant = 0) {
  if (test.params.value("theta", false)) return run_theta<T>(test, estimator);
  std::vector<outcome> results;
  run_pair_by_pair<T>(test, estimator, constant, results);
  with_layer_kernels(test, [&](const auto& kernels) {
    const dalib::joint_mmd loss{kernels, estimator};
    run_layers<T>(test, "joint_mmd", results, [&](const auto& zs, const auto& zt, const auto& gs, const auto& gt) {
      return loss.value_and_gradient(tensor_policy{}, zs, zt, dalib::layer_gradients{gs, gt});
    });
  });
  return results;
}

template <class T>
std::vector<outcome> run(const test_case& test) {
  if (test.method == "JMMD") {
    const auto estimator = test.param<std::string>("estimator");
    if (estimator == "v") return run_estimator<T>(test, dalib::estimator::biased{});
    if (estimator == "u") return run_estimator<T>(test, dalib::estimator::unbiased{});
    unknown("estimator", estimator);
  }
  if (test.method != "JointMultipleKernelMaximumMeanDiscrepancy") unknown("method", test.method);
  const double constant = 2 / (test.param<double>("n_s") - 1);
  if (test.param<bool>("linear")) return run_estimator<T>(test, dalib::compat::ring{}, constant);
  return run_estimator<T>(test, dalib::compat::nonlinear{}, constant);
}

const claim_group jmmd("jmmd", both_precisions([]<class T>(const test_case& test) { return run<T>(test); }));

} // namespace
