/// Group trace: DALIB's example programs, iteration by iteration, on small networks.
#include "trace_loop.hpp"

namespace {

using namespace golden;

template <class T, class Backbone>
outcome run_method(const test_case& test, const Backbone& backbone, dalib::io::random_generator& random) {
  const auto run = [&]<class Model>(tag<Model>) {
    Model model(test, backbone, random);
    return run_trace<T>(test, model);
  };
  const auto method = test.param<std::string>("method");
  if (method == "source_only") return run(tag<source_only_model<T, Backbone>>{});
  if (method == "dann") return run(tag<dann_model<T, Backbone>>{});
  if (method == "dan_linear") return run(tag<dan_model<T, Backbone, dalib::compat::ring>>{});
  if (method == "dan_nonlinear") return run(tag<dan_model<T, Backbone, dalib::compat::nonlinear>>{});
  unknown("method", method);
}

template <class T>
std::vector<outcome> run(const test_case& test) {
  dalib::io::random_generator random(1); // every parameter is overwritten by the weight rule
  const auto backbone = test.param<std::string>("backbone");
  const array& data = test.input("x_s");
  if (backbone == "mlp") {
    const auto widths = test.param<std::vector<std::ptrdiff_t>>("mlp");
    return {run_method<T>(test, nn::mlp<T>(widths.at(0), widths.at(1), widths.at(2), random), random)};
  }
  if (backbone == "lenet") {
    const auto sizes = test.param<std::vector<std::ptrdiff_t>>("lenet");
    return {run_method<T>(test, nn::lenet_bn<T>(data.shape.at(1), sizes.at(0), sizes.at(1), sizes.at(2), random), random)};
  }
  unknown("backbone", backbone);
}

const claim_group trace("trace", {run<double>, run<float>, {"examples/jan.py", "examples/cdan.py", "examples/mcd.py", "examples/mdd.py"}});

} // namespace
