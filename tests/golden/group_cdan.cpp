/// Group cdan: both maps, entropy weights, reductions, with the discriminator and the gradient reversal around them.
#include "networks.hpp"
#include "two_sample.hpp"

#include "autodiff/dalib_graph.hpp"

#include <array>
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

/// The class with everything inside, on the example tape.
template <class T, class Map, class Conditioning, class Reduction, class CrossEntropy>
outcome run_whole(const test_case& test, const Map& map, const Conditioning& conditioning, Reduction, CrossEntropy) {
  setting<T> s(test);
  const auto by_reference = [&](const ad::variable<T>& h) { return s.network(h); };
  dalib::conditional_domain_adversarial_loss<decltype(by_reference), Map, Conditioning, Reduction, CrossEntropy> loss{
      by_reference, map, conditioning, s.reversal};
  const auto parameter = [&](const char* name) { return ad::parameter(matrix_of<T>(test.input(name))); };
  const ad::variable<T> g_s = parameter("g_s"), f_s = parameter("f_s"), g_t = parameter("g_t"), f_t = parameter("f_t");
  const auto result = loss(g_s, f_s, g_t, f_t);
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

/// The library's parts through one kind of tensor; only the discriminator is the tape's.
template <class T, class Tensor, class Map, class Conditioning, class Reduction>
outcome run_parts(const test_case& test, const Map& host_map, const Conditioning& conditioning, Reduction) {
  using memory = memory_of_kind<Tensor>;
  const auto map = map_in<memory>(host_map);
  setting<T> s(test);
  Tensor g_s(test.input("g_s")), f_s(test.input("f_s")), g_t(test.input("g_t")), f_t(test.input("f_t"));
  const std::ptrdiff_t n_s = test.input("f_s").rows(), n_t = test.input("f_t").rows();
  const std::ptrdiff_t columns = map.columns(test.input("f_s").cols(), test.input("g_s").cols());
  const auto blank = [&](std::ptrdiff_t rows, std::ptrdiff_t cols) {
    return Tensor(array({rows, cols}, std::vector<double>(static_cast<std::size_t>(rows * cols), 12345.0)));
  };
  Tensor h_s = blank(n_s, columns), h_t = blank(n_t, columns), gf_s = blank(n_s, f_s.read().cols()), gf_t = blank(n_t, f_s.read().cols());
  const policy_of_kind<Tensor> exec;
  map(exec, f_s.get(), g_s.get(), h_s.get());
  map(exec, f_t.get(), g_t.get(), h_t.get());
  const array joint = stacked(h_s.read(), h_t.read());
  const ad::variable<T> h = ad::parameter(matrix_of<T>(joint)), logits = s.network(h);
  double accuracy = 0;
  const ad::variable<T> loss = dalib::graph_traits<ad::variable<T>>::record(std::array{logits}, [&](const auto& value, const auto& out) {
    const array all = array_of(logits.value(), {n_s + n_t, 1});
    Tensor l_s(row_range(all, 0, n_s)), l_t(row_range(all, n_s, n_t)), gl_s = blank(n_s, 1), gl_t = blank(n_t, 1);
    const dalib::conditional_domain_adversarial measure{conditioning, Reduction{}};
    auto result = measure.value_and_gradient(l_s.get(), l_t.get(), g_s.get(), g_t.get(), dalib::gradients{gl_s.get(), gl_t.get()});
    accuracy = dalib::pooled_domain_accuracy(l_s.get(), l_t.get());
    const array written = stacked(gl_s.read(), gl_t.read());
    for (std::ptrdiff_t i = 0; i < value[0].rows; ++i) out[0](i, 0) = static_cast<T>(written.at(i));
    return result;
  });
  ad::backward(differentiated(test, loss));
  const array upstream = array_of(h.gradient(), {n_s + n_t, columns});
  Tensor u_s(row_range(upstream, 0, n_s)), u_t(row_range(upstream, n_s, n_t));
  const T reversed = static_cast<T>(-s.reversal.coefficient());
  const dalib::matrix_view<T, memory> unwanted;
  using gradients = dalib::gradients<T, memory>;
  map.pull(exec, f_s.get(), g_s.get(), u_s.get(), gradients{dalib::view_of(gf_s.get()), unwanted, reversed});
  map.pull(exec, f_t.get(), g_t.get(), u_t.get(), gradients{dalib::view_of(gf_t.get()), unwanted, reversed});

  outcome found{"map and loss, " + Tensor::kind(), {}, {}};
  read_network(s, {loss, accuracy}, found);
  found.outputs["grad.f_s"] = gf_s.read();
  found.outputs["grad.f_t"] = gf_t.read();
  found.outputs["h"] = joint;
  const auto weights = dalib::weigh_samples(exec, conditioning, dalib::const_view_of(g_s.get()), dalib::const_view_of(g_t.get()));
  const std::vector<T> values(weights.values.begin(), weights.values.end());
  found.outputs["weight"] = array(std::span<const T>(values));
  return found;
}

template <class T, class Map, class Conditioning, class Reduction>
std::vector<outcome> run_reduction(const test_case& test, const Map& map, const Conditioning& conditioning, Reduction reduction) {
  std::vector<outcome> results;
  for_each_tensor_kind<T>([&]<class Tensor>(tag<Tensor>) { results.push_back(run_parts<T, Tensor>(test, map, conditioning, reduction)); });
  // The class does not hand out the map's result and the weights: those of the parts stand for them.
  const auto add_whole = [&](outcome whole, const char* label) {
    whole.variant += label;
    whole.outputs["h"] = results.front().outputs["h"];
    whole.outputs["weight"] = results.front().outputs["weight"];
    results.push_back(std::move(whole));
  };
#ifndef DALIB_TEST_THRUST // the class runs on the example tape, which is the host's
  add_whole(run_whole<T>(test, map, conditioning, reduction, dalib::logit_cross_entropy{}), "");
  add_whole(run_whole<T>(test, map, conditioning, reduction, dalib::compat::clamped_cross_entropy{}), " with DALIB's clamps");
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

const claim_group cdan("cdan", {run<double>, run<float>});

} // namespace
