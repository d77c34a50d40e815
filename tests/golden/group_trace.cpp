/// Group trace: DALIB's example programs, iteration by iteration, on small networks; computed by the trainer's own models.
#include "trace_loop.hpp"

namespace {

using namespace golden;

template <class T, class Backbone>
outcome run_method(const trace_setup<T, Backbone>& setup) {
  const auto run = [&](const auto& make) { return run_trace<T>(setup.test, [&] { return make(setup); }); };
  const auto method = setup.test.template param<std::string>("method");
  if (method == "source_only") return run(make_source_only<T, Backbone>);
  if (method == "dann") return run(make_dann<T, Backbone>);
  if (method == "dan_linear") return run(make_dan<dalib::compat::ring, T, Backbone>);
  if (method == "dan_nonlinear") return run(make_dan<dalib::compat::nonlinear, T, Backbone>);
  if (method == "jan") return run(make_jan<T, Backbone>);
  if (method == "jan_adversarial") return run(make_adversarial_jan<T, Backbone>);
  if (method == "cdan") return run(make_cdan<dalib::conditioning::none, T, Backbone>);
  if (method == "cdan_E") return run(make_cdan<dalib::compat::entropy_conditioning, T, Backbone>);
  if (method == "mcd") return run(make_mcd<T, Backbone>);
  if (method == "mdd") return run(make_mdd<T, Backbone>);
  unknown("method", method);
}

template <class T>
std::vector<outcome> run(const test_case& test) {
  dalib::io::random_generator random(1);
  const auto backbone = test.param<std::string>("backbone");
  if (backbone == "mlp") {
    const auto widths = test.param<std::vector<std::ptrdiff_t>>("mlp");
    return {run_method<T>(trace_setup<T, nn::mlp<T>>{test, {widths.at(0), widths.at(1), widths.at(2), random}, random})};
  }
  if (backbone == "lenet") {
    const auto sizes = test.param<std::vector<std::ptrdiff_t>>("lenet");
    const std::ptrdiff_t channels = test.input("x_s").shape.at(1);
    return {run_method<T>(trace_setup<T, nn::lenet_bn<T>>{test, {channels, sizes.at(0), sizes.at(1), sizes.at(2), random}, random})};
  }
  unknown("backbone", backbone);
}

/// Not the training loops of the further losses, which are in a set of their own.
const claim_group trace("trace", both_precisions([]<class T>(const test_case& test) { return run<T>(test); },
                                                 [](const test_case& test) { return test.method != "training loop"; }));

} // namespace
