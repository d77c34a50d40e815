/// Group deep_kernel: the MMD with a deep kernel and its power criterion, with gradients to features, inputs and parameters.
#include "loss_cases.hpp"

#include <dalib/inference/deep_test_power.hpp>

#include <cmath>

namespace {

using namespace golden;
namespace inference = dalib::inference;
using kernel_type =
    inference::deep_kernel<dalib::kernel::gaussian<dalib::bandwidth::fixed>, dalib::kernel::gaussian<dalib::bandwidth::fixed>>;

struct parameters {
  double epsilon, sigma_phi, sigma_q;

  kernel_type kernel() const { return kernel_type{{{sigma_phi}}, {{sigma_q}}, epsilon}; }
};

/// h_ij, from the library's matrices of both kernels.
template <class T>
array h_matrix(const test_case& test, const parameters& p) {
  using matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
  const auto joint = [&](const std::string& s, const std::string& t) {
    const matrix first = dense_input<T>(test, s), second = dense_input<T>(test, t);
    matrix both(first.rows() + second.rows(), first.cols());
    both << first, second;
    return both;
  };
  const matrix phi = joint("phi_s", "phi_t"), x = joint("x_s", "x_t");
  const auto n = x.rows() / 2;
  matrix features(2 * n, 2 * n), inputs(2 * n, 2 * n);
  dalib::kernel_matrix(dalib::exec::serial{}, p.kernel().features, phi, features);
  dalib::kernel_matrix(dalib::exec::serial{}, p.kernel().inputs, x, inputs);
  const Eigen::MatrixXd k =
      (((1 - p.epsilon) * features.template cast<double>().array() + p.epsilon) * inputs.template cast<double>().array()).matrix();
  const Eigen::MatrixXd h = k.topLeftCorner(n, n) + k.bottomRightCorner(n, n) - k.topRightCorner(n, n) - k.bottomLeftCorner(n, n);
  std::vector<double> values;
  for (Eigen::Index i = 0; i < n; ++i)
    for (Eigen::Index j = 0; j < n; ++j) values.push_back(h(i, j));
  return {{n, n}, values};
}

template <class T>
std::vector<outcome> run(const test_case& test) {
  const parameters p{test.input("epsilon").at(0), test.input("sigma_phi").at(0), test.input("sigma_q").at(0)};
  const bool ratio = test.method == "deep kernel test power criterion", biased = test.param<std::string>("estimator") == "v";
  if (!ratio && test.method != "deep kernel MMD") unknown("method", test.method);
  // With a variance that does not count the criterion is the MMD.
  const double lambda = ratio ? test.param<double>("regularisation") : 1e12, unit = ratio ? 1 : std::sqrt(lambda);
  const inference::deep_test_power power{p.kernel(), lambda};
  return through_kinds<T>([&]<class Tensor>(tag<Tensor>) {
    Tensor phi_s(test.input("phi_s")), phi_t(test.input("phi_t")), x_s(test.input("x_s")), x_t(test.input("x_t"));
    Tensor g_phi_s(unwritten_like(test.input("phi_s"))), g_phi_t(unwritten_like(test.input("phi_t"))),
        g_x_s(unwritten_like(test.input("x_s"))), g_x_t(unwritten_like(test.input("x_t")));
    const auto source = dalib::layers(phi_s.get(), x_s.get()), target = dalib::layers(phi_t.get(), x_t.get());
    dalib::layer_gradients out{dalib::layers(g_phi_s.get(), g_x_s.get()), dalib::layers(g_phi_t.get(), g_x_t.get())};
    double value = 0;
    inference::deep_kernel_gradient slopes;
    if (biased) {
      using namespace inference::detail;
      const deep_rows<T> s = deep_rows_of(source), t = deep_rows_of(target);
      const double each = 1 / static_cast<double>(s[0].rows.rows * s[0].rows.rows);
      const row_coefficients<T> coefficients{s[0].rows.rows, each, each, -each};
      const dalib::exec::default_policy exec;
      dalib::workspace scratch;
      const auto bound = bind_deep(exec, power.kernel, s, t, scratch);
      value = bound.template pair_sum<true>("deep", exec, s, t, coefficients, out, scratch);
      slopes = bound.parameter_gradient("deep", exec, s, t, coefficients, scratch);
    } else {
      out.scale = static_cast<T>(unit);
      value = unit * static_cast<double>(power.value_and_gradient(source, target, out));
      slopes = power.parameter_gradient(source, target);
      slopes = {unit * slopes.epsilon, unit * slopes.log_feature_length, unit * slopes.log_input_length};
    }
    outputs_map result{{"loss", array(value)},
                       {"grad.x_s", g_x_s.read()},
                       {"grad.x_t", g_x_t.read()},
                       {"grad.phi_s", g_phi_s.read()},
                       {"grad.phi_t", g_phi_t.read()},
                       {"grad.epsilon", array(slopes.epsilon)},
                       {"grad.sigma_phi", array(slopes.log_feature_length / p.sigma_phi)},
                       {"grad.sigma_q", array(slopes.log_input_length / p.sigma_q)}};
    const inference::power_parts parts = power.parts(source, target);
    if (ratio) {
      result.emplace("mmd", array(parts.mmd));
      result.emplace("variance", array(parts.variance + lambda));
    } else if (!biased) {
      result.emplace("H", h_matrix<T>(test, p));
    }
    return result;
  });
}

const claim_group group("deep_kernel", both_precisions([]<class T>(const test_case& test) { return run<T>(test); }));

} // namespace
