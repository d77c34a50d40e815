/// Group kernel: the Gaussian kernel's matrix, its bandwidth and its gradient.
#include "groups.hpp"
#include "tensors.hpp"

namespace {

using namespace golden;

template <class T, class Bandwidth>
std::vector<outcome> run_bandwidth(const test_case& test, const Bandwidth& bandwidth) {
  const dalib::kernel::gaussian kernel{bandwidth};
  const array& weights = test.input("R");
  std::vector<outcome> results;
  for_each_tensor_type<T>([&]<class Tensor>(tag<Tensor>) {
    using memory = tensor_memory;
    const tensor_policy exec;
    Tensor x(test.input("X")), r(weights), k(weights), gradient(test.input("X"));
    dalib::kernel_matrix(exec, kernel, x.get(), k.get());
    dalib::kernel_matrix_gradient(exec, kernel, x.get(), r.get(), gradient.get());
    dalib::workspace_of<memory> scratch;
    const auto rows = dalib::const_view_of(x.get());
    const dalib::engine::joint_sample<T, memory> data{{rows, nullptr}, {rows.rows_from(0, 0), nullptr}};
    const double squared = bandwidth.squared_scale(dalib::engine::sample_summary<T, memory>(exec, data, scratch));
    results.push_back({Tensor::kind(), {{"K", k.read()}, {"sigma_square", array(squared)}, {"grad.X", gradient.read()}}, {}});
  });
  return results;
}

template <class T>
std::vector<outcome> run(const test_case& test) {
  if (test.method != "GaussianKernel") unknown("method", test.method);
  if (test.params.contains("sigma")) return run_bandwidth<T>(test, dalib::bandwidth::fixed{test.param<double>("sigma")});
  return run_bandwidth<T>(test, dalib::bandwidth::mean{test.param<double>("alpha")});
}

const claim_group kernel("kernel", both_precisions([]<class T>(const test_case& test) { return run<T>(test); }));

} // namespace
