// What the settings mean for the runs of one method.

#include "auto_candidates.hpp"
#include "options.hpp"

#include <algorithm>

namespace dalib::train {

std::string to_string(const selection& select) {
  return select == selection::last ? "last" : select == selection::score ? select.column : "oracle";
}

namespace {

/// On own data as many passes over the source as DALIB makes over the 2817 images of Office-31's Amazon.
long own_iterations(const options& o, long office31) {
  if (!o.data.is_own() || o.data.own.source_size == 0) return office31;
  constexpr long amazon_images = 2817, fewest = 500;
  return std::clamp(office31 * o.data.own.source_size / amazon_images, std::min(fewest, office31), office31);
}

} // namespace

options settings_for(const options& settings, const method_entry& entry) {
  // What is no image data set trains by the digits' protocol.
  if (settings.data.is_digits() || (settings.data.is_own() && resnet_depth(settings.data.backbone.arch) == 0)) return settings;
  options o = settings;
  const image_protocol protocol = entry.protocol ? entry.protocol(o.data.name) : image_protocol{};
  const auto choose = [&](const char* option, auto& value, auto by_protocol) {
    if (!o.given.contains(option)) value = by_protocol;
  };
  choose("--lr", o.method.sgd.learning_rate, protocol.learning_rate);
  choose("--lr-gamma", o.method.lr_gamma, protocol.lr_gamma);
  choose("--weight-decay", o.method.sgd.weight_decay, protocol.weight_decay);
  // A tenth is for a backbone that has learnt on other images; from random numbers it would take ten times as long.
  const bool from_random = o.data.is_own() && !o.data.backbone.weights;
  choose("--backbone-lr", o.method.backbone_multiplier, from_random ? 1.0 : protocol.backbone_multiplier);
  choose("--iterations", o.iterations, own_iterations(o, protocol.iterations));
  choose("--batch-size", o.batch_size, std::min(o.batch_size, std::size_t{32}));
  const long rest = std::min(o.iterations, o.data.is_own() ? std::max(o.iterations / 10, 1L) : 500L);
  choose("--eval-every", o.evaluate_every, std::min(rest, 500L));
  choose("--checkpoint-every", o.checkpoint_every, std::min(rest, 500L));
  choose("--generator-momentum", o.method.settings["generator-momentum"], protocol.generator_momentum);
  o.method.discriminator_width = protocol.discriminator_width;
  o.method.head_width = protocol.head_width;
  o.centre_crop = protocol.centre_crop;
  return o;
}

long iterations_of_candidate(const options& settings) { return settings_for(settings, find_method(auto_candidates.front())).iterations; }

options settings_of(const options& settings, const planned_run& run) {
  options o = settings_for(settings, find_method(run.method));
  o.iterations *= run.lengths;
  return o;
}

long trainings_for(const options& settings, double budget, const std::function<double(std::string_view)>& iteration_cost,
                   double other_cost) {
  const auto iterations = static_cast<double>(iterations_of_candidate(settings));
  return trainings_within(budget, [&](const auto_training& kind) {
    return static_cast<double>(kind.lengths) * (iterations * iteration_cost(kind.method) + other_cost);
  });
}

namespace {

long count_of_trainings(const options& o) {
  if (o.trainings > 0) return o.trainings;
  if (o.budget.seconds > 0) return 1;
  if (o.budget.iterations == 0) return static_cast<long>(auto_trainings) * o.seeds;
  return trainings_for(o, static_cast<double>(o.budget.iterations), [](std::string_view) { return 1.0; });
}

} // namespace

std::vector<planned_run> planned_runs(const options& settings) {
  std::vector<planned_run> runs;
  const auto is_candidate = [&](std::string_view method) {
    return settings.automatic && std::find(auto_candidates.begin(), auto_candidates.end(), method) != auto_candidates.end();
  };
  for (const std::string& method : settings.methods)
    for (long k = 0; k < settings.seeds && !is_candidate(method); ++k)
      runs.push_back({method, settings.seed + static_cast<std::uint64_t>(k)});
  if (!settings.automatic) return runs;
  for (const auto& [kind, number] : first_trainings(count_of_trainings(settings), settings.budget ? auto_order.size() : auto_trainings))
    runs.push_back({std::string(kind.method), settings.seed + number, kind.lengths});
  return runs;
}

nlohmann::ordered_json describe_run(const options& settings, const std::string& method, std::uint64_t seed) {
  const method_entry& entry = find_method(method);
  const options o = settings_for(settings, entry);
  nlohmann::ordered_json d;
  d["method"] = method;
  if (!o.data.is_digits()) {
    d["data"] = o.data.name;
    d["arch"] = o.data.backbone.arch;
    d["weights"] = o.data.backbone.weights ? o.data.backbone.weights->filename().string() : "random";
    d["image_side"] = o.data.side;
    d["frozen_backbone"] = o.data.frozen_backbone;
    d["frozen_batch_norm"] = o.data.backbone.frozen_batch_norm;
    d["centre_crop"] = o.centre_crop;
  }
  if (o.data.is_own()) {
    d["classes"] = o.data.own.class_names;
    d["validation"] = o.data.own.validation.empty() ? "default" : o.data.own.validation;
    d["missing"] = o.data.own.impute ? "mean" : "refuse";
    d["ignore_columns"] = o.data.own.table.ignored;
  }
  if (o.data.kept.open_set) d["open_set"] = true;
  if (!o.data.kept.source.empty()) d["source_classes"] = o.data.kept.source;
  if (!o.data.kept.target.empty()) d["target_classes"] = o.data.kept.target;
  d["source"] = o.tasks.front().source;
  d["target"] = o.tasks.front().target;
  d["seed"] = seed;
  d["batch_size"] = o.batch_size;
  d["learning_rate"] = o.method.sgd.learning_rate;
  d["lr_gamma"] = o.method.lr_gamma;
  d["lr_decay"] = o.method.lr_decay;
  d["momentum"] = o.method.sgd.momentum;
  d["weight_decay"] = o.method.sgd.weight_decay;
  d["backbone_lr"] = o.method.backbone_multiplier;
  d["trade_off"] = o.method.trade_off;
  d["reversal_iterations"] = o.method.reversal_iterations;
  for (const method_setting& setting : entry.settings) d[setting.name] = o.method.settings.at(setting.name);
  d["evaluate_every"] = o.evaluate_every;
  d["select"] = to_string(o.select);
  if (o.local_batch_norm) d["local_batch_norm"] = true;
  return d;
}

} // namespace dalib::train
