#include "resolve_options.hpp"

#include "auto_candidates.hpp"

#include "../data/digits.hpp"
#include "../data/image_layouts.hpp"
#include "../data/nearest.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <map>

namespace dalib::train {
namespace {

/// Complains in the way of CLI11's own checks.
[[noreturn]] void refuse(const std::string& option, const std::string& problem) { throw CLI::ValidationError(option, problem); }

/// All names of domains that were given.
std::vector<std::string> domain_names(const raw_options& raw) {
  if (raw.tasks.empty()) return {raw.source, raw.target};
  std::vector<std::string> names;
  for (const std::string& text : raw.tasks) {
    names.push_back(text.substr(0, text.find(':')));
    names.push_back(text.substr(std::min(text.find(':'), text.size() - 1) + 1));
  }
  return names;
}

/// Which kind of data it is: digits by name, own data, or a data set with a layout.
void resolve_data_name(const raw_options& raw, options& o) {
  o.data.own.kind = data::find_input_kind(o.data.name);
  if (o.data.name != "auto" && !o.data.own.kind) {
    if (o.data.name != "image-list") data::find_layout(o.data.name);
    return;
  }
  const auto names = domain_names(raw);
  const bool said_more = !o.data.own.target_test.empty() || !o.data.own.validation.empty();
  const bool digits = std::all_of(names.begin(), names.end(), [](const std::string& name) { return data::is_digits_domain(name); });
  const bool forced = o.data.own.kind && *o.data.own.kind != data::input_kind::digits;
  o.data.name = digits && !said_more && !forced ? "digits" : "own";
  if (o.data.name == "own") data::recognise_input(names.front(), {.kind = o.data.own.kind}, {}); // a wrong name is the first thing to tell
  if (o.data.name == "own" && raw.tasks.empty() && !(o.given.contains("--source") && o.given.contains("--target")))
    refuse(o.given.contains("--source") ? "--target" : "--source", "is required too: own data need both, --source and --target");
}

/// What the first source holds, which decides about the network. Nothing is read but its first bytes.
data::content content_of(const raw_options& raw, const options& o) {
  if (o.data.is_digits()) return data::content::gray;
  if (!o.data.is_own()) return data::content::images;
  return data::content_of(data::recognise_input(domain_names(raw).front(), {.kind = o.data.own.kind}, {}));
}

/// Throws a complaint about a network that does not fit what it shall see.
void check_network(const options& o, data::content content) {
  const backbone_choice& backbone = o.data.backbone;
  const bool resnet = resnet_depth(backbone.arch) != 0, dense = backbone.arch == "mlp" || backbone.arch == "linear";
  const std::vector<std::string> known{"lenet", "resnet18", "resnet34", "resnet50", "resnet101", "mlp", "linear"};
  if (!resnet && !dense && backbone.arch != "lenet")
    refuse("--arch", "knows lenet, resnet18, resnet34, resnet50, resnet101, mlp, linear, not '" + backbone.arch + "'" +
                         data::did_you_mean(backbone.arch, known));
  if (content == data::content::gray && backbone.arch != "lenet") refuse("--arch", "the digits and IDX images are gray and need lenet");
  if (content == data::content::values && !dense) refuse("--arch", "features and tables need mlp or linear");
  if (content == data::content::images && dense)
    refuse("--arch", "mlp and linear are for features and tables; images need a resnet or lenet");
  if (!resnet && (backbone.weights || backbone.frozen_batch_norm || o.data.frozen_backbone))
    refuse("--arch", "--weights, --frozen-batch-norm and --frozen-backbone need a resnet");
}

} // namespace

std::vector<std::string> resolve_methods(const std::vector<std::string>& asked, bool with_baseline) {
  std::vector<std::string> names;
  const auto add = [&](const std::string& name) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  };
  if (with_baseline) add(find_method("source-only").name);
  const bool automatic = std::find(asked.begin(), asked.end(), "auto") != asked.end();
  if (automatic && asked.size() > 1) refuse("--method", "auto chooses among methods of its own and stands alone");
  for (const std::string& name : asked) {
    if (automatic)
      for (const std::string_view candidate : auto_candidates) add(find_method(candidate).name);
    else if (name == "all")
      for (const method_entry& entry : all_methods()) add(entry.name);
    else
      add(find_method(name).name);
  }
  return names;
}

std::vector<task_names> resolve_tasks(const raw_options& raw, const options& o) {
  std::vector<task_names> tasks;
  if (raw.tasks.empty()) tasks.push_back(full_names(o.data, {raw.source, raw.target}));
  for (const std::string& text : raw.tasks) {
    if (text == "all") {
      for (task_names& names : all_tasks(o.data)) tasks.push_back(std::move(names));
      continue;
    }
    const std::size_t colon = text.find(':');
    if (colon == std::string::npos) refuse("--tasks", "'" + text + "' is not SOURCE:TARGET");
    tasks.push_back(full_names(o.data, {text.substr(0, colon), text.substr(colon + 1)}));
  }
  return tasks;
}

void resolve_data(const raw_options& raw, options& o) {
  resolve_data_name(raw, o);
  const bool digits = o.data.is_digits();
  if (digits) {
    o.data.root = raw.root.empty() ? data::default_folder() : std::filesystem::path(raw.root);
  } else {
    if (raw.root.empty() && !o.data.is_own()) refuse("--root", "names the folder of " + o.data.name + " and is required");
    const bool named = o.given.contains("--source") && o.given.contains("--target");
    if (!named && raw.tasks.empty()) refuse("--source", "and --target, or --tasks, are required for " + o.data.name);
    o.data.root = raw.root;
  }
  o.data.own.impute = raw.missing == "mean";
  o.data.skip_unreadable = raw.unreadable == "skip";
  backbone_choice& backbone = o.data.backbone;
  const data::content content = content_of(raw, o);
  const char* const usual = content == data::content::gray ? "lenet" : content == data::content::values ? "mlp" : "resnet50";
  backbone.arch = raw.arch.empty() ? usual : raw.arch;
  if (!raw.weights.empty()) backbone.weights = raw.weights;
  std::error_code error;
  if (backbone.weights && !std::filesystem::exists(*backbone.weights, error))
    refuse("--weights", "'" + raw.weights + "': no such file" + data::did_you_mean(raw.weights, data::neighbours_of(raw.weights)));
  check_network(o, content);
  o.method.backbone = backbone;
  if (o.data.frozen_backbone) o.method.backbone = {.arch = "features", .weights = {}, .frozen_batch_norm = false};
}

void resolve_classes(options& o) {
  class_selection& kept = o.data.kept;
  if (!kept.source.empty() && !kept.open_set)
    refuse("--source-classes", "needs --open-set: the source must know all classes of the target");
  if (kept.open_set && kept.source.empty() && o.data.is_digits()) kept.source = {"0", "1", "2", "3", "4"}; // as in OSBP's paper
}

void keep_methods_for_classes(const raw_options& raw, options& o) {
  if (o.data.kept.open_set) return;
  const bool all = std::find(raw.methods.begin(), raw.methods.end(), "all") != raw.methods.end();
  std::erase_if(o.methods, [&](const std::string& name) {
    const bool useless = find_method(name).needs_open_set;
    if (useless && !all) refuse("--method", name + " needs --open-set: its last class is the unknown one");
    return useless;
  });
}

void keep_methods_for_features(const raw_options& raw, options& o) {
  const bool all =
      raw.methods == std::vector<std::string>{"auto"} || std::find(raw.methods.begin(), raw.methods.end(), "all") != raw.methods.end();
  std::erase_if(o.methods, [&](const std::string& name) {
    const bool useless = find_method(name).needs_backbone;
    if (useless && !all) refuse("--frozen-backbone", "leaves " + name + " nothing to adapt");
    return useless;
  });
}

void check_method_settings(const options& o) {
  std::map<std::string, std::string> owners; // of settings
  for (const method_entry& entry : all_methods())
    for (const method_setting& setting : entry.settings)
      owners["--" + setting.name] += (owners["--" + setting.name].empty() ? "" : ", ") + entry.name;
  for (const std::string& name : o.methods)
    for (const method_setting& setting : find_method(name).settings) owners.erase("--" + setting.name);
  for (const auto& [option, owner] : owners)
    if (o.given.contains(option)) refuse(option, "is a setting of " + owner + ", which is not among the methods");
}

void resolve_budget(const raw_options& raw, options& o) {
  if (!o.given.contains("--budget")) return;
  if (!o.automatic) refuse("--budget", "is for --method auto alone; others take --iterations and --seeds");
  if (o.given.contains("--seeds")) refuse("--budget", "says how many trainings there are, so --seeds cannot");
  try {
    o.budget = parse_budget(raw.budget);
  } catch (const std::invalid_argument& problem) {
    refuse("--budget", problem.what());
  }
  if (o.budget.seconds > 0) return;
  const long each = iterations_of_candidate(o);
  const std::string asked = "of " + std::to_string(o.budget.iterations) + " iterations is ", of = std::to_string(each) + " (--iterations)";
  if (o.budget.iterations < each) refuse("--budget", asked + "less than one training, which has " + of);
  if (o.budget.iterations / each > most_trainings)
    refuse("--budget", asked + "more than " + std::to_string(most_trainings) + " trainings of " + of);
}

} // namespace dalib::train
