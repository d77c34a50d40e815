/// Group witness: witness functions and the mean-embedding test.
#include "tests.hpp"

#include <dalib/inference/mean_embedding_test.hpp>
#include <dalib/inference/witness.hpp>

namespace {

using namespace golden;
namespace inference = dalib::inference;

template <class T>
std::vector<outcome> run_witness(const test_case& test) {
  const inference::witness f{any_kernel(test.params.at("kernel"))};
  return through_tensors<T>(test, [&](const auto& x, const auto& y) {
    eigen_tensor<T, Eigen::RowMajor> points(test.input("points")), gradient(test.input("points"));
    const std::vector<double> values = f(x, y, points.get());
    f.value_and_gradient(x, y, points.get(), gradient.get());
    return std::map<std::string, array>{{"witness", vector_of(values)}, {"grad.points", gradient.read()}};
  });
}

template <bool Length, class T, class Kernel>
std::vector<outcome> run_embedding(const test_case& test, const Kernel& kernel) {
  const inference::mean_embedding_test embedding{kernel, test.param<double>("regularisation")};
  return through_tensors<T>(test, [&](const auto& x, const auto& y) {
    eigen_tensor<T, Eigen::RowMajor> places(test.input("V")), gradient(test.input("V"));
    const auto r = embedding.template value_and_gradient<Length>(x, y, places.get(), gradient.get());
    return std::map<std::string, array>{{"statistic", array(r.statistic)},
                                        {"p_value", array(r.p_value)},
                                        {"grad.V", gradient.read()},
                                        {"grad.log_sigma", array(r.log_length_gradient)}};
  });
}

template <class T>
std::vector<outcome> run(const test_case& test) {
  if (test.method == "witness") return run_witness<T>(test);
  if (test.method != "mean_embedding_test") unknown("method", test.method);
  const nlohmann::json& kernel = test.params.at("kernel");
  if (kernel.at("type") == "gaussian") return run_embedding<true, T>(test, dalib::kernel::gaussian{kernel.at("sigma").get<double>()});
  return run_embedding<false, T>(test, any_kernel(kernel));
}

const claim_group group("witness", both_precisions([]<class T>(const test_case& test) { return run<T>(test); }));

} // namespace
