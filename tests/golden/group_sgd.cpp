/// Group sgd: ten steps of the optimiser under the step-wise schedule, on given gradients and on a small network.
#include "networks.hpp"
#include "optimiser_rows.hpp"

#include <span>

namespace {

using namespace golden;

nn::sgd_options sgd_options_of(const test_case& test) {
  return {test.param<double>("lr"), test.param<double>("momentum"), test.param<bool>("nesterov"), test.param<double>("weight_decay")};
}

nn::stepwise_schedule schedule_of(const test_case& test) {
  return {test.param<double>("lr"), test.param<double>("gamma"), test.param<double>("decay_rate")};
}

void append(std::vector<double>& to, const array& from) { to.insert(to.end(), from.values.begin(), from.values.end()); }

/// Shape with the number of recorded steps before it.
array recorded(std::vector<double> values, std::ptrdiff_t steps, const std::vector<std::ptrdiff_t>& shape) {
  std::vector<std::ptrdiff_t> all{steps};
  all.insert(all.end(), shape.begin(), shape.end());
  return {all, std::move(values)};
}

/// The momenta of an optimiser, one after another.
template <class T>
struct momentum_collector {
  std::vector<double> values;
  void operator()(const std::string& name, const nn::shape&, std::span<T> elements) {
    if (name.starts_with("momentum.")) values.insert(values.end(), elements.begin(), elements.end());
  }
  void operator()(const std::string&, const nn::shape&, std::span<double> elements) requires(!std::is_same_v<T, double>) {
    if (elements.size() != 1) throw std::runtime_error("the optimiser keeps more doubles than its learning rate");
  }
};

template <class T>
std::vector<outcome> run_given_gradients(const test_case& test) {
  optimiser_rows<T> given(test);
  nn::sgd<T> optimiser(given.groups(), sgd_options_of(test));
  nn::stepwise_schedule schedule = schedule_of(test);
  outcome result{"examples", {{"trajectory", given.trajectory(optimiser, [&] { optimiser.learning_rate = schedule.step(); })}}, {}};
  momentum_collector<T> momenta;
  optimiser.visit_state(momenta);
  result.outputs.emplace("momentum", array(test.input("p0").shape, std::move(momenta.values)));
  return {result};
}

/// linear, ReLU, linear.
template <class T>
struct small_network {
  nn::linear<T> fc1, fc2;

  ad::variable<T> operator()(const ad::variable<T>& x) { return fc2(fc1(x, nn::activation::relu)); }
  template <class Visitor>
  void parts(Visitor&& f) {
    f("fc1", fc1);
    f("fc2", fc2);
  }
};

template <class T>
std::vector<outcome> run_network(const test_case& test) {
  dalib::io::random_generator random(1);
  const array &w1 = test.input("fc1.weight"), &w2 = test.input("fc2.weight");
  small_network<T> network{{w1.cols(), w1.rows(), random}, {w2.cols(), w2.rows(), random}};
  set_parameters(network, "", [&](const std::string& name, const auto&) { return test.input(name); });
  const nlohmann::json& multipliers = test.params.at("lr_mult");
  nn::sgd<T> optimiser({nn::group_of<T>(network.fc1, multipliers.at("fc1")), nn::group_of<T>(network.fc2, multipliers.at("fc2"))},
                       sgd_options_of(test));
  nn::stepwise_schedule schedule = schedule_of(test);
  const ad::variable<T> x = ad::constant(matrix_of<T>(test.input("x")));
  const std::vector<std::int64_t> labels = test.input("labels").integers();

  std::map<std::string, std::vector<double>> trajectories;
  const auto record_parameters = [&] {
    for (const auto& [name, values] : state_of(network, "")) append(trajectories[name], values);
  };
  record_parameters();
  std::vector<T> losses;
  const int steps = test.param<int>("steps");
  for (int step = 0; step < steps; ++step) {
    optimiser.learning_rate = schedule.step();
    optimiser.clear_gradients();
    const ad::variable<T> loss = ad::cross_entropy<T>(network(x), labels);
    losses.push_back(loss.item());
    ad::backward(loss);
    optimiser.step();
    record_parameters();
  }
  outcome result{"examples", {{"loss", array(std::span<const T>(losses))}}, {}};
  for (auto& [name, values] : trajectories)
    result.outputs.emplace("trajectory." + name, recorded(std::move(values), steps + 1, test.input(name).shape));
  return {result};
}

template <class T>
std::vector<outcome> run(const test_case& test) {
  if (test.method != "SGD+StepwiseLR") unknown("method", test.method);
  if (test.inputs.contains("gradients")) return run_given_gradients<T>(test);
  return run_network<T>(test);
}

const claim_group sgd("sgd", both_precisions([]<class T>(const test_case& test) { return run<T>(test); }));

} // namespace
