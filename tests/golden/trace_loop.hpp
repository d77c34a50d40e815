/// @file
/// The training loop of the traces: batches by index, SGD with the step-wise schedule, and what is recorded on the way.
#pragma once

#include "trace_models.hpp"
#include "weights.hpp"

#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace golden {

/// Rows of a data set, (N, F) or images (N, C, H, W), as the network's input.
template <class T>
ad::variable<T> samples_of(const array& data, std::span<const std::int64_t> rows) {
  const bool images = data.shape.size() == 4;
  const std::ptrdiff_t channels = data.shape.at(1), height = images ? data.shape[2] : 1, width = images ? data.shape[3] : 1;
  const ad::geometry shape{static_cast<ad::index>(rows.size()), height, width};
  ad::matrix<T> pixels(shape.rows(), channels);
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (std::ptrdiff_t c = 0; c < channels; ++c)
      for (std::ptrdiff_t p = 0; p < height * width; ++p)
        pixels(static_cast<std::ptrdiff_t>(i) * height * width + p, c) = static_cast<T>(data.at(rows[i], c * height * width + p));
  return ad::constant(pixels, shape);
}

/// Row i of a matrix of indices.
inline std::vector<std::int64_t> row_of_indices(const array& indices, std::ptrdiff_t row) {
  const std::vector<std::int64_t> all = indices.integers();
  return {all.begin() + row * indices.cols(), all.begin() + (row + 1) * indices.cols()};
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

/// Sets the initial weights by the weight rule; the network must have exactly the parameters that the case lists. Returns their names.
template <class Model>
std::vector<std::string> initialise(Model& model, const test_case& test) {
  std::vector<std::string> names;
  std::map<std::string, nlohmann::json> entries; // name, shape, initialisation
  for (const nlohmann::json& entry : test.params.at("parameters")) {
    names.push_back(entry.at(0));
    entries[names.back()] = entry;
  }
  std::size_t count = 0;
  set_parameters(model, "", [&](const std::string& name, const std::vector<std::ptrdiff_t>& shape) {
    const auto entry = entries.find(name);
    if (entry == entries.end()) throw std::runtime_error("the case has no parameter " + name);
    if (entry->second.at(1) != nlohmann::json(shape)) throw std::runtime_error("parameter " + name + " has shape " + array::text(shape));
    ++count;
    return initial_weight(test.weight_prefix + name, shape, entry->second.at(2));
  });
  if (count != names.size())
    throw std::runtime_error("the network has " + std::to_string(count) + " parameters, the case " + std::to_string(names.size()));
  return names;
}

/// Logits of the first target samples and the accuracy on all of them, in evaluation mode.
template <class T, class Model>
void evaluate(Model& model, const test_case& test, outcome& result) {
  nn::set_training(model, false);
  const ad::no_gradient off;
  const array& data = test.input("x_t");
  std::vector<std::int64_t> all(static_cast<std::size_t>(data.rows()));
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::int64_t>(i);
  const ad::variable<T> logits = model.classifier(samples_of<T>(data, all)).logits;
  double correct = 0;
  for (Eigen::Index i = 0; i < logits.rows(); ++i) {
    Eigen::Index predicted = 0;
    logits.value().row(i).maxCoeff(&predicted);
    correct += static_cast<double>(predicted) == test.input("y_t").at(i) ? 1 : 0;
  }
  constexpr Eigen::Index recorded_samples = 6;
  result.outputs["eval_logits"] = array_of(logits.value().topRows(recorded_samples), {recorded_samples, logits.cols()});
  result.outputs["target_accuracy"] = array(100 * correct / static_cast<double>(logits.rows()));
}

/// Trains a model as the case says and records what the case holds.
template <class T, class Model>
outcome run_trace(const test_case& test, Model& model) {
  const std::vector<std::string> names = initialise(model, test);
  nn::sgd<T> optimiser(model.parameter_groups(), {test.param<double>("lr"), test.param<double>("momentum"), test.param<bool>("nesterov"),
                                                  test.param<double>("weight_decay")});
  nn::stepwise_schedule schedule{test.param<double>("lr"), test.param<double>("lr_gamma"), test.param<double>("lr_decay")};
  outcome result{"examples", {}, {}};
  std::map<std::string, std::vector<double>> history;
  const auto labels = test.input("y_s");
  for (int i = 0; i < test.param<int>("iterations"); ++i) {
    optimiser.learning_rate = schedule.step();
    optimiser.clear_gradients();
    const std::vector<std::int64_t> rows_s = row_of_indices(test.input("batch_s"), i), rows_t = row_of_indices(test.input("batch_t"), i);
    trace_batch<T> batch{samples_of<T>(test.input("x_s"), rows_s), samples_of<T>(test.input("x_t"), rows_t), {}};
    for (const std::int64_t row : rows_s) batch.labels.push_back(static_cast<std::int64_t>(labels.at(row)));
    const trace_losses<T> losses = model(batch);
    const bool adapts = losses.transfer.valid();
    const ad::variable<T> total =
        adapts ? ad::add(losses.classification, ad::scale(losses.transfer, static_cast<T>(test.param<double>("trade_off"))))
               : losses.classification;
    history["cls_loss"].push_back(losses.classification.item());
    history["transfer_loss"].push_back(adapts ? losses.transfer.item() : T(0));
    history["total_loss"].push_back(total.item());
    history["lr"].push_back(optimiser.learning_rate);
    history["domain_accuracy"].push_back(losses.domain_accuracy);
    ad::backward(total);
    if (i == 0) result.outputs["first_gradient_checksum"] = checksums(names, gradients_of(model, ""));
    optimiser.step();
  }
  for (const auto& [name, values] : history) result.outputs[name] = array(std::span<const double>(values));
  const std::map<std::string, array> state = state_of(model, "");
  result.outputs["final_checksum"] = checksums(test.param<std::vector<std::string>>("state"), state);
  for (const auto& [name, values] : state) result.outputs["final." + name] = values;
  evaluate<T>(model, test, result);
  return result;
}

} // namespace golden
