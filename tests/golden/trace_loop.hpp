/// @file
/// The training loop of the traces: batches by index, the trainer's descents, and what is recorded on the way.
#pragma once

#include "initialise.hpp"
#include "samples.hpp"
#include "trace_models.hpp"

#include <algorithm>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace golden {

/// The batch of an iteration.
template <class T>
train::batch<T> batch_of(const test_case& test, std::ptrdiff_t iteration) {
  const auto rows_of = [&](const char* name) {
    const array& indices = test.input(name);
    const std::vector<std::int64_t> all = indices.integers();
    return std::vector<std::int64_t>(all.begin() + iteration * indices.cols(), all.begin() + (iteration + 1) * indices.cols());
  };
  const std::vector<std::int64_t> rows_s = rows_of("batch_s"), rows_t = rows_of("batch_t");
  const ad::variable<T> source = samples_of<T>(test.input("x_s"), rows_s), target = samples_of<T>(test.input("x_t"), rows_t);
  train::batch<T> result{ad::concat_rows<T>({source, target}), source, target, {}};
  for (const std::int64_t row : rows_s) result.source_labels.push_back(static_cast<std::int64_t>(test.input("y_s").at(row)));
  return result;
}

/// The manifest's name of one of the trainer's parameters: DALIB's example programs call some parts otherwise.
inline std::string manifest_name(const std::string& name) {
  static const std::map<std::string, std::string> parts{
      {"discriminator", "domain_discri"}, {"feature_map", "theta0"}, {"output_map", "theta1"}};
  const std::size_t dot = name.find('.');
  const auto found = parts.find(name.substr(0, dot));
  return found == parts.end() ? name : found->second + name.substr(dot);
}
inline std::map<std::string, array> under_manifest_names(const std::map<std::string, array>& arrays) {
  std::map<std::string, array> result;
  for (const auto& [name, values] : arrays) result.emplace(manifest_name(name), values);
  return result;
}

/// Sum and sum of squares of each named array, in the names' order.
inline array checksums(const std::vector<std::string>& names, const std::map<std::string, array>& arrays) {
  std::vector<double> result;
  for (const std::string& name : names) {
    const auto found = arrays.find(name);
    if (found == arrays.end()) throw std::runtime_error("the network has no " + name);
    double sum = 0, squares = 0;
    for (double value : found->second.values) {
      sum += value;
      squares += value * value;
    }
    result.push_back(sum);
    result.push_back(squares);
  }
  return {{static_cast<std::ptrdiff_t>(names.size()), 2}, std::move(result)};
}

/// What checks of a descent see: the whole of a model.
template <class Model>
Model& network_of(train::descent<Model>& descent) {
  return descent.model();
}
template <class T, class Backbone>
train::mcd_descent<T, Backbone>& network_of(train::mcd_descent<T, Backbone>& descent) {
  return descent;
}

/// Logits of as many of the first target samples as the case holds, and the accuracy on all of them.
template <class T>
void record_predictions(const test_case& test, const ad::variable<T>& logits, const std::string& head, outcome& result) {
  const std::string name = "eval_logits" + head;
  const auto want = std::find_if(test.outputs.begin(), test.outputs.end(), [&](const expected_output& o) { return o.name == name; });
  if (want == test.outputs.end()) throw std::runtime_error("the case has no " + name);
  const Eigen::Index recorded = want->want.rows();
  result.outputs[name] = array_of(logits.value().topRows(recorded), {recorded, logits.cols()});
  const double correct = train::count_correct(logits, test.input("y_t").integers());
  result.outputs["target_accuracy" + head] = array(100 * correct / static_cast<double>(logits.rows()));
}
template <class Model>
void evaluate(train::descent<Model>& descent, const test_case& test, outcome& result) {
  using T = typename Model::scalar;
  record_predictions<T>(test, descent.predict(all_samples_of<T>(test.input("x_t"))).logits, "", result);
}
template <class T, class Backbone>
void evaluate(train::mcd_descent<T, Backbone>& descent, const test_case& test, outcome& result) {
  const auto y = descent.predict_both(all_samples_of<T>(test.input("x_t")));
  record_predictions<T>(test, y.first, "1", result);
  record_predictions<T>(test, y.second, "2", result);
}

using trace_history = std::map<std::string, std::vector<double>>;

/// What one iteration reports; DALIB's program of MCD calls step B's loss the total one.
template <class Report>
void record_step(const Report& report, trace_history& history) {
  history["cls_loss"].push_back(report.classification_loss);
  history["transfer_loss"].push_back(report.transfer_loss);
  history["domain_accuracy"].push_back(report.domain_accuracy);
  if constexpr (requires { report.heads_loss; }) {
    history["stepA_loss"].push_back(report.total_loss);
    history["stepB_loss"].push_back(report.heads_loss);
    history["total_loss"].push_back(report.heads_loss);
  } else {
    history["total_loss"].push_back(report.total_loss);
  }
}

/// The gradients of the first backward pass, by a descent of its own: in MCD the later passes of the iteration forget them.
template <class T, class Make>
array first_gradients(const test_case& test, const Make& make) {
  auto descent = make();
  const std::vector<std::string> names = initialise(network_of(descent), test, manifest_name);
  if constexpr (requires { descent.model(); }) {
    descent.step(batch_of<T>(test, 0));
  } else {
    typename decltype(descent)::report unused;
    descent.learn_source(batch_of<T>(test, 0), unused);
  }
  return checksums(names, under_manifest_names(gradients_of(network_of(descent), "")));
}

/// Trains what `make()` makes as the case says and records what the case holds.
template <class T, class Make>
outcome run_trace(const test_case& test, const Make& make) {
  outcome result{"trainer", {}, {}};
  result.outputs["first_gradient_checksum"] = first_gradients<T>(test, make);
  auto descent = make();
  initialise(network_of(descent), test, manifest_name);
  trace_history history;
  for (int i = 0; i < test.param<int>("iterations"); ++i) {
    record_step(descent.step(batch_of<T>(test, i)), history);
    history["lr"].push_back(descent.learning_rate());
  }
  for (const auto& [name, values] : history) result.outputs[name] = array(std::span<const double>(values));
  const std::map<std::string, array> state = under_manifest_names(state_of(network_of(descent), ""));
  result.outputs["final_checksum"] = checksums(test.param<std::vector<std::string>>("state"), state);
  for (const auto& [name, values] : state) result.outputs["final." + name] = values;
  evaluate(descent, test, result);
  return result;
}

} // namespace golden
