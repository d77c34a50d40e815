/// Group cdan: both maps, entropy weights, reductions, with the discriminator and the gradient reversal around them.
#include "networks.hpp"
#include "two_sample.hpp"

#include "autodiff/dalib_graph.hpp"

#include <array>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace golden;

template <class T>
using discriminator = nn::domain_discriminator<T>;

/// The network, its inputs on the tape, and the reversal's coefficient.
template <class T>
struct setting {
  discriminator<T> network;
  dalib::warm_start_reversal reversal;

  explicit setting(const test_case& test) : network(made_for(test)) {
    set_parameters(network, "D.", [&](const std::string& name, const auto&) { return test.input(name); });
    const nlohmann::json& grl = test.params.at("grl");
    reversal = {grl.at("alpha"), grl.at("lo"), grl.at("hi"), grl.at("max_iters").get<long>(), test.param<long>("grl_iter")};
  }

private:
  static discriminator<T> made_for(const test_case& test) {
    dalib::io::random_generator random(1);
    const array& weight = test.input("D.layer1.weight");
    return discriminator<T>(weight.cols(), weight.rows(), random);
  }
};

/// The scalar whose gradients the case holds.
template <class T>
ad::variable<T> differentiated(const test_case& test, const ad::variable<T>& loss) {
  const auto of = test.param<std::string>("gradient_of");
  if (of == "loss") return loss;
  if (of == "mean(loss)") return ad::scale(ad::sum(loss), T(1) / static_cast<T>(loss.rows()));
  unknown("gradient_of", of);
}

/// What a finished backward pass left in the network.
template <class T>
void read_network(setting<T>& s, const dalib::adversarial_result<ad::variable<T>>& result, outcome& to) {
  const auto& loss = result.loss;
  for (auto& [name, state] : state_of(s.network, "D.")) to.outputs[name] = state;
  for (auto& [name, gradient] : gradients_of(s.network, "D.")) to.outputs["grad." + name] = gradient;
  to.outputs["accuracy"] = array(result.accuracy);
  to.outputs["loss"] = loss.rows() == 1 ? array(static_cast<double>(loss.item())) : array_of(loss.value(), {loss.rows(), 1});
}

template <class T>
using network_function = std::function<ad::variable<T>(const ad::variable<T>&)>;

/// A call of the class with everything inside, on the example tape: of the network, the schedule, and g_s, f_s, g_t, f_t.
template <class T>
using whole_loss = std::function<dalib::adversarial_result<ad::variable<T>>(const network_function<T>&, const dalib::warm_start_reversal&,
                                                                            const std::array<ad::variable<T>, 4>&)>;

template <class T, class Map, class Conditioning, class Reduction, class CrossEntropy>
whole_loss<T> whole_loss_of(const Map& map, const Conditioning& conditioning, Reduction, CrossEntropy) {
  return [=](const network_function<T>& network, const dalib::warm_start_reversal& reversal, const std::array<ad::variable<T>, 4>& in) {
    dalib::conditional_domain_adversarial_loss<network_function<T>, Map, Conditioning, Reduction, CrossEntropy> loss{
        network, map, conditioning, reversal};
    return loss(in[0], in[1], in[2], in[3]);
  };
}

template <class T>
outcome run_whole(const test_case& test, const whole_loss<T>& loss) {
  setting<T> s(test);
  const auto parameter = [&](const char* name) { return ad::parameter(matrix_of<T>(test.input(name))); };
  const ad::variable<T> g_s = parameter("g_s"), f_s = parameter("f_s"), g_t = parameter("g_t"), f_t = parameter("f_t");
  const auto result = loss([&](const ad::variable<T>& h) { return s.network(h); }, s.reversal, {g_s, f_s, g_t, f_t});
  ad::backward(differentiated(test, result.loss));
  if (g_s.has_gradient() || g_t.has_gradient()) throw std::runtime_error("a gradient reached the detached predictions");
  outcome found{"conditional_domain_adversarial_loss", {}, {}};
  read_network(s, result, found);
  found.outputs["grad.f_s"] = array_of(f_s.gradient(), {f_s.rows(), f_s.cols()});
  found.outputs["grad.f_t"] = array_of(f_t.gradient(), {f_t.rows(), f_t.cols()});
  return found;
}

/// Rows of two arrays, one after the other.
array stacked(const array& a, const array& b) {
  std::vector<double> values = a.values;
  values.insert(values.end(), b.values.begin(), b.values.end());
  return {{a.rows() + b.rows(), a.cols()}, std::move(values)};
}
array row_range(const array& all, std::ptrdiff_t first, std::ptrdiff_t count) {
  const auto start = all.values.begin() + first * all.cols();
  return {{count, all.cols()}, {start, start + count * all.cols()}};
}

/// A map for tensors in `Memory`: maps with matrices of their own hold them there.
template <class Memory, class Map>
const Map& map_in(const Map& map) {
  return map;
}
#ifdef DALIB_TEST_THRUST
template <class Memory, class T>
auto map_in(const dalib::randomised_multilinear_map<T>& map) {
  return dalib::randomised_multilinear_map<T, Memory>(map);
}
#endif

/// The calls of a map, for tensors of any kind.
template <class T>
struct map_calls {
  std::function<std::ptrdiff_t(std::ptrdiff_t, std::ptrdiff_t)> columns;
  std::function<void(const any_tensor<T>& f, const any_tensor<T>& g, any_tensor<T>& h)> forward;
  std::function<void(const any_tensor<T>& f, const any_tensor<T>& g, const any_tensor<T>& upstream, any_tensor<T>& to, T scale)> pull;
};

template <class T, class Map>
map_calls<T> calls_of(const Map& host_map) {
  const auto map = map_in<tensor_memory>(host_map);
  using gradients = dalib::gradients<T, tensor_memory>;
  map_calls<T> calls;
  calls.columns = [map](std::ptrdiff_t features, std::ptrdiff_t classes) { return map.columns(features, classes); };
  calls.forward = [map](const auto& f, const auto& g, auto& h) { map(tensor_policy{}, f, g, h); };
  calls.pull = [map](const auto& f, const auto& g, const auto& upstream, auto& to, T scale) {
    map.pull(tensor_policy{}, f, g, upstream, gradients{dalib::view_of(to), dalib::matrix_view<T, tensor_memory>(), scale});
  };
  return calls;
}

/// The loss of logits l_s, l_t given predictions g_s, g_t, with its gradient; and the samples' weights.
template <class T, class Value>
struct loss_calls {
  std::function<Value(const any_tensor<T>& l_s, const any_tensor<T>& l_t, const any_tensor<T>& g_s, const any_tensor<T>& g_t,
                      any_tensor<T>& gl_s, any_tensor<T>& gl_t)>
      loss;
  std::function<std::vector<T>(const any_tensor<T>& g_s, const any_tensor<T>& g_t)> weights;
};

template <class T, class Conditioning, class Reduction>
loss_calls<T, dalib::reduced<T, Reduction>> calls_of(const Conditioning& conditioning, Reduction) {
  loss_calls<T, dalib::reduced<T, Reduction>> calls;
  calls.loss = [conditioning](const auto& l_s, const auto& l_t, const auto& g_s, const auto& g_t, auto& gl_s, auto& gl_t) {
    const dalib::conditional_domain_adversarial measure{conditioning, Reduction{}};
    return measure.value_and_gradient(tensor_policy{}, l_s, l_t, g_s, g_t, dalib::gradients{gl_s, gl_t});
  };
  calls.weights = [conditioning](const auto& g_s, const auto& g_t) {
    const auto weights = dalib::weigh_samples(tensor_policy{}, conditioning, dalib::const_view_of(g_s), dalib::const_view_of(g_t));
    return std::vector<T>(weights.values.begin(), weights.values.end());
  };
  return calls;
}

/// The library's parts through one kind of tensor; only the discriminator is the tape's.
template <class T, class Value>
outcome run_parts(const test_case& test, const map_calls<T>& map, const loss_calls<T, Value>& measure, const tensor_kind<T>& kind) {
  setting<T> s(test);
  const auto own = [&](const char* name) { return kind(test.input(name)); };
  any_tensor<T> g_s = own("g_s"), f_s = own("f_s"), g_t = own("g_t"), f_t = own("f_t");
  const std::ptrdiff_t n_s = test.input("f_s").rows(), n_t = test.input("f_t").rows(), features = test.input("f_s").cols();
  const std::ptrdiff_t columns = map.columns(features, test.input("g_s").cols());
  const auto blank = [&](std::ptrdiff_t rows, std::ptrdiff_t cols) {
    return kind(array({rows, cols}, std::vector<double>(static_cast<std::size_t>(rows * cols), 12345.0)));
  };
  any_tensor<T> h_s = blank(n_s, columns), h_t = blank(n_t, columns), gf_s = blank(n_s, features), gf_t = blank(n_t, features);
  map.forward(f_s, g_s, h_s);
  map.forward(f_t, g_t, h_t);
  const array joint = stacked(h_s.read(), h_t.read());
  const ad::variable<T> h = ad::parameter(matrix_of<T>(joint)), logits = s.network(h);
  double accuracy = 0;
  const ad::variable<T> loss = dalib::graph_traits<ad::variable<T>>::record(std::array{logits}, [&](const auto& value, const auto& out) {
    const array all = array_of(logits.value(), {n_s + n_t, 1});
    any_tensor<T> l_s = kind(row_range(all, 0, n_s)), l_t = kind(row_range(all, n_s, n_t)), gl_s = blank(n_s, 1), gl_t = blank(n_t, 1);
    Value result = measure.loss(l_s, l_t, g_s, g_t, gl_s, gl_t);
    accuracy = dalib::pooled_domain_accuracy(l_s, l_t);
    const array written = stacked(gl_s.read(), gl_t.read());
    for (std::ptrdiff_t i = 0; i < value[0].rows; ++i) out[0](i, 0) = static_cast<T>(written.at(i));
    return result;
  });
  ad::backward(differentiated(test, loss));
  const array upstream = array_of(h.gradient(), {n_s + n_t, columns});
  const T reversed = static_cast<T>(-s.reversal.coefficient());
  map.pull(f_s, g_s, kind(row_range(upstream, 0, n_s)), gf_s, reversed);
  map.pull(f_t, g_t, kind(row_range(upstream, n_s, n_t)), gf_t, reversed);

  outcome found{"map and loss, " + kind.name, {}, {}};
  read_network(s, {loss, accuracy}, found);
  found.outputs["grad.f_s"] = gf_s.read();
  found.outputs["grad.f_t"] = gf_t.read();
  found.outputs["h"] = joint;
  found.outputs["weight"] = array(std::span<const T>(measure.weights(g_s, g_t)));
  return found;
}

template <class T, class Map, class Conditioning, class Reduction>
std::vector<outcome> run_reduction(const test_case& test, const Map& map, const Conditioning& conditioning, Reduction reduction) {
  std::vector<outcome> results;
  const map_calls<T> mapped = calls_of<T>(map);
  const auto measure = calls_of<T>(conditioning, reduction);
  for_each_tensor_kind<T>([&](const tensor_kind<T>& kind) { results.push_back(run_parts(test, mapped, measure, kind)); });
  // The class does not hand out the map's result and the weights: those of the parts stand for them.
  const auto add_whole = [&](outcome whole, const char* label) {
    whole.variant += label;
    whole.outputs["h"] = results.front().outputs["h"];
    whole.outputs["weight"] = results.front().outputs["weight"];
    results.push_back(std::move(whole));
  };
#ifndef DALIB_TEST_THRUST // the class runs on the example tape, which is the host's
  add_whole(run_whole(test, whole_loss_of<T>(map, conditioning, reduction, dalib::logit_cross_entropy{})), "");
  add_whole(run_whole(test, whole_loss_of<T>(map, conditioning, reduction, dalib::compat::clamped_cross_entropy{})),
            " with DALIB's clamps");
#else
  static_cast<void>(add_whole);
#endif
  return results;
}

template <class T, class Map, class Conditioning>
std::vector<outcome> run_conditioning(const test_case& test, const Map& map, const Conditioning& conditioning) {
  const auto reduction = test.param<std::string>("reduction");
  if (reduction == "mean") return run_reduction<T>(test, map, conditioning, dalib::reduction::mean{});
  if (reduction == "sum") return run_reduction<T>(test, map, conditioning, dalib::reduction::sum{});
  if (reduction == "none") return run_reduction<T>(test, map, conditioning, dalib::reduction::none{});
  unknown("reduction", reduction);
}

template <class T, class Map>
std::vector<outcome> run_map(const test_case& test, const Map& map) {
  if (test.param<bool>("entropy_conditioning")) return run_conditioning<T>(test, map, dalib::compat::entropy_conditioning{});
  return run_conditioning<T>(test, map, dalib::conditioning::none{});
}

template <class T>
std::vector<outcome> run(const test_case& test) {
  if (test.method != "ConditionalDomainAdversarialLoss") unknown("method", test.method);
  if (!test.param<bool>("randomized")) return run_map<T>(test, dalib::multilinear_map{});
  const array &features = test.input("R_f"), &classes = test.input("R_g");
  dalib::randomised_multilinear_map<T> map(features.rows(), classes.rows(), features.cols(), 1);
  const auto set = [](const dalib::matrix_view<T>& to, const array& from) {
    for (std::ptrdiff_t i = 0; i < from.rows(); ++i)
      for (std::ptrdiff_t k = 0; k < from.cols(); ++k) to(i, k) = static_cast<T>(from.at(i, k));
  };
  set(map.feature_matrix(), features);
  set(map.class_matrix(), classes);
  return run_map<T>(test, map);
}

const claim_group cdan("cdan", both_precisions([]<class T>(const test_case& test) { return run<T>(test); }));

} // namespace
