/// Group resnet: features, gradients and running statistics of the example ResNets.
#include "initialise.hpp"
#include "samples.hpp"

#include <cmath>
#include <string>

namespace {

using namespace golden;

/// 18 of resnet18.
int depth_of(const std::string& architecture) {
  const std::string family = "resnet";
  if (!architecture.starts_with(family)) unknown("architecture", architecture);
  return std::stoi(architecture.substr(family.size()));
}

/// [first value, last value, sum] of every parameter.
array weight_check(const std::vector<std::string>& names, const std::map<std::string, array>& state) {
  std::vector<double> result;
  for (const std::string& name : names) {
    const std::vector<double>& values = state.at(name).values;
    result.insert(result.end(), {values.front(), values.back(), std::accumulate(values.begin(), values.end(), 0.0)});
  }
  return {{static_cast<std::ptrdiff_t>(names.size()), 3}, std::move(result)};
}

/// Sums of one running statistic of every batch norm that the case lists.
array sums_of(const test_case& test, const std::map<std::string, array>& state, const std::string& statistic) {
  std::vector<double> result;
  for (const std::string& name : test.params.at("batchnorms").get<std::vector<std::string>>()) {
    const std::vector<double>& values = state.at(name + "." + statistic).values;
    result.push_back(std::accumulate(values.begin(), values.end(), 0.0));
  }
  return array(std::span<const double>(result));
}

/// What every ReLU of the network gives, in order.
template <class T>
std::vector<ad::matrix<T>> relu_outputs(nn::resnet<T> network, const ad::variable<T>& x) {
  const ad::no_gradient off;
  std::vector<ad::matrix<T>> result;
  const auto keep = [&](const ad::variable<T>& y) {
    result.emplace_back(y.value());
    return y;
  };
  constexpr auto relu = nn::activation::relu;
  ad::variable<T> y = ad::max_pool(keep(network.bn1(network.conv1(x), relu)), {3, 2, 1});
  for (auto& layer : network.layers)
    for (auto& block : layer) {
      const ad::variable<T> shortcut = block.projects ? block.project_bn(block.project(y)) : y;
      ad::variable<T> inner = keep(block.bn1(block.conv1(y), relu));
      if (block.bottleneck) inner = keep(block.bn2(block.conv2(inner), relu));
      y = keep(block.bottleneck ? block.bn3(block.conv3(inner), relu, shortcut) : block.bn2(block.conv2(inner), relu, shortcut));
    }
  return result;
}

/// Why the gradients in single precision cannot be those in double: ReLUs so near to their kink that rounding decides their side. Empty if
/// there are none, or if one is farther from 0 than rounding takes it.
[[maybe_unused]] std::string kinks_in_evaluation(const test_case& test, const nn::resnet<float>& network, const ad::variable<float>& x) {
  constexpr double rounding = 1e-5; // of the layer's root mean square
  dalib::io::random_generator random(1);
  nn::resnet<double> exact(depth_of(test.param<std::string>("arch")), random);
  initialise(exact, test, [](const std::string& name) { return name; });
  nn::set_training(exact, false);
  const auto single = relu_outputs(network, x);
  const auto twice = relu_outputs(exact, all_samples_of<double>(test.input("x")));
  int count = 0;
  for (std::size_t i = 0; i < twice.size(); ++i) {
    const double scale = std::sqrt(twice[i].squaredNorm() / static_cast<double>(twice[i].size()));
    const auto differs = (twice[i].array() > 0) != (single[i].array() > 0);
    count += static_cast<int>(differs.count());
    if (differs.select(twice[i].array().max(single[i].cast<double>().array()), 0.0).maxCoeff() > rounding * scale) return {};
  }
  return count == 0 ? std::string() : "single precision, " + std::to_string(count) + " ReLU at its kink (" + test.name + ")";
}

/// L2 norms, and sums divided by them, of the gradients in the names' order; single gradients that the case holds.
void record_gradients(const test_case& test, const std::vector<std::string>& names, const std::map<std::string, array>& gradients,
                      outcome& result) {
  std::vector<double> norms, directions;
  for (const std::string& name : names) {
    double sum = 0, squares = 0;
    for (double value : gradients.at(name).values) {
      sum += value;
      squares += value * value;
    }
    norms.push_back(std::sqrt(squares));
    directions.push_back(sum / norms.back());
    if (test.has_output("grad." + name)) result.outputs["grad." + name] = gradients.at(name);
  }
  result.outputs["grad_norm"] = array(std::span<const double>(norms));
  result.outputs["grad_direction"] = array(std::span<const double>(directions));
}

template <class T>
std::vector<outcome> run(const test_case& test) {
  if (test.param<std::string>("gradient_of") != "sum(features*R)") unknown("gradient_of", test.params.at("gradient_of").dump());
  dalib::io::random_generator random(1); // every parameter is overwritten by the weight rule
  nn::resnet<T> network(depth_of(test.param<std::string>("arch")), random);
  outcome result{"example network", {}, {}};
  const std::vector<std::string> names = initialise(network, test, [](const std::string& name) { return name; });
  if (test.has_output("weight_check")) result.outputs["weight_check"] = weight_check(names, state_of(network, ""));

  const auto mode = test.param<std::string>("mode");
  if (mode != "train" && mode != "eval") unknown("mode", mode);
  nn::set_training(network, mode == "train");
  const array& images = test.input("x");
  ad::variable<T> x = all_samples_of<T>(images);
  x.set_requires_gradient(true);
  // In training mode rounding decides about many, in the reference too; the set's tolerances know it.
  if constexpr (std::is_same_v<T, float>)
    if (const std::string reason = mode == "eval" ? kinks_in_evaluation(test, network, x) : ""; !reason.empty())
      for (const expected_output& output : test.outputs)
        if (output.name.starts_with("grad")) result.not_applicable[output.name] = reason;
  const ad::variable<T> features = network(x);
  const ad::variable<T> loss = ad::sum(ad::multiply(features, ad::constant(matrix_of<T>(test.input("R")))));
  ad::backward(loss);

  result.outputs["features"] = array_of(features.value(), {features.rows(), features.cols()});
  result.outputs["loss"] = array(static_cast<double>(loss.item()));
  result.outputs["grad.x"] = images_of(x.gradient(), images.shape);
  record_gradients(test, names, gradients_of(network, ""), result);
  if (test.params.contains("batchnorms")) {
    const std::map<std::string, array> state = state_of(network, "");
    for (const char* statistic : {"running_mean", "running_var"}) {
      result.outputs[std::string(statistic) + "_sum"] = sums_of(test, state, statistic);
      result.outputs[std::string("bn1.") + statistic] = state.at(std::string("bn1.") + statistic);
    }
  }
  return {result};
}

const claim_group resnet("resnet", both_precisions([]<class T>(const test_case& test) { return run<T>(test); }));

} // namespace
