#include "options.hpp"

#include "../data/digits.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <iostream>
#include <limits>

namespace dalib::train {
namespace {

constexpr const char* introduction =
    R"(Trains a digit classifier with labels of a source domain and images of a target domain, by one or several methods of domain adaptation,
and tells how well it reads the target's test images.

Example: dalib_train --method dann,dan --source mnist --target optdigits --seeds 3
Results: the table on the terminal, and in the folder of --out report.html (curves, pictures of the features), results.json, results.md,
and for every run a folder METHOD-seed-N with history.csv and the checkpoint that --resume goes on from.)";

constexpr const char* ending =
    R"(Target labels are used for the reported accuracies only; columns that need them in order to choose something are called oracle.
The defaults are a fixed protocol, the same for all methods. Equal settings and seeds give the same bits, for any number of threads, interrupted
or not. SIGINT and SIGTERM stop after the present iteration with a checkpoint.
Exit codes: 0 done, 1 something failed, 2 wrong arguments, 130 / 143 interrupted.)";

std::string known_methods() {
  std::string text;
  for (const method_entry& entry : method_list::instance().all()) text += "\n  " + entry.name + ": " + entry.description;
  return text;
}

/// The option values that are not yet in their final form.
struct raw_options {
  std::vector<std::string> methods{"all"};
  std::string select = "last";
  std::string json;
  bool no_baseline = false;
  bool no_pictures = false;
  bool plain_momentum = false;
};

/// A number within limits; CLI::Range lets "nan" pass.
CLI::Validator number_between(double low, double high) {
  const std::string range = CLI::detail::to_string(low) + " to " + CLI::detail::to_string(high);
  return CLI::Validator(
      [=](const std::string& text) {
        double value = 0;
        const bool fits = CLI::detail::lexical_cast(text, value) && value >= low && value <= high;
        return fits ? std::string() : "'" + text + "' is not a number from " + range;
      },
      "");
}

void add_run_options(CLI::App& app, options& o, raw_options& raw) {
  app.add_option("-m,--method", raw.methods, "Method, list of methods separated by commas, or 'all':" + known_methods())
      ->delimiter(',')
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->required();
  app.add_option("-s,--source", o.source, "Domain with labels: mnist, mnistm, optdigits, optdigits-wide")->capture_default_str();
  app.add_option("-t,--target", o.target, "Domain without: one of the same")->capture_default_str();
  app.add_option("--data", o.data, "Folder of the digits files")->capture_default_str();
  app.add_option("-i,--iterations", o.iterations, "Training iterations of each run")
      ->check(number_between(1, 100000000))
      ->capture_default_str();
  app.add_option("-b,--batch-size", o.batch_size, "Images of each domain in one iteration")
      ->check(number_between(2, 100000))
      ->capture_default_str();
  app.add_option("--seed", o.seed, "Seed of the first run: initial weights, order of the images, dropout")->capture_default_str();
  app.add_option("--seeds", o.seeds, "Runs per method, with the seeds SEED, SEED + 1, ...")
      ->check(number_between(1, 1000))
      ->capture_default_str();
  app.add_option("--threads", o.threads, "Threads (0: all processors); does not change any number")
      ->check(number_between(0, 1024))
      ->capture_default_str();
  app.add_flag("--no-baseline", raw.no_baseline, "Do not also train source-only, which the others are compared with");
}

void add_training_options(CLI::App& app, method_config& m) {
  const std::string group = "Training";
  const CLI::Validator positive = number_between(1e-12, 1e6), not_negative = number_between(0, 1e6);
  app.add_option("--lr", m.sgd.learning_rate, "Learning rate at the start")->check(positive)->capture_default_str()->group(group);
  app.add_option("--lr-gamma", m.lr_gamma, "Learning rate at iteration i: lr (1 + gamma i)^-decay")
      ->check(not_negative)
      ->capture_default_str()
      ->group(group);
  app.add_option("--lr-decay", m.lr_decay, "See --lr-gamma")->check(not_negative)->capture_default_str()->group(group);
  app.add_option("--momentum", m.sgd.momentum, "Nesterov momentum of SGD (0: plain SGD)")
      ->check(number_between(0, 0.999999))
      ->capture_default_str()
      ->group(group);
  app.add_option("--weight-decay", m.sgd.weight_decay, "Weight decay")->check(not_negative)->capture_default_str()->group(group);
  app.add_option("--backbone-lr", m.backbone_multiplier, "Learning rate of the backbone relative to the rest")
      ->check(not_negative)
      ->capture_default_str()
      ->group(group);
  app.add_option("--trade-off", m.trade_off, "Weight of the transfer loss")->check(not_negative)->capture_default_str()->group(group);
  app.add_option("--reversal-iterations", m.reversal_iterations,
                 "Iterations N of the gradient reversal's schedule 2 / (1 + exp(-i / N)) - 1")
      ->check(number_between(1, 100000000))
      ->capture_default_str()
      ->group(group);
}

void add_method_settings(CLI::App& app, method_config& m) {
  for (const method_entry& entry : method_list::instance().all())
    for (const method_setting& setting : entry.settings) {
      const auto [place, is_new] = m.settings.emplace(setting.name, setting.value);
      if (!is_new) continue; // two methods share it
      app.add_option("--" + setting.name, place->second, setting.help)
          ->check(number_between(setting.low, setting.high))
          ->capture_default_str()
          ->group("Single methods");
    }
}

void add_output_options(CLI::App& app, options& o, raw_options& raw) {
  const std::string group = "Results";
  app.add_option("-o,--out", o.out, "Folder of all results; made if it is missing")->capture_default_str()->group(group);
  app.add_option("--json", raw.json, "Another file for the results as JSON")->group(group);
  app.add_option("--eval-every", o.evaluate_every, "Iterations between evaluations (the rows of history.csv)")
      ->check(number_between(1, 100000000))
      ->capture_default_str()
      ->group(group);
  app.add_option("--checkpoint-every", o.checkpoint_every, "Iterations between checkpoints")
      ->check(number_between(1, 100000000))
      ->capture_default_str()
      ->group(group);
  app.add_option("--select", raw.select,
                 "Weights that count: 'last'; 'score': best source accuracy x information maximisation on unlabelled target images; "
                 "'oracle': best on the target's test labels, for comparison only")
      ->check(CLI::IsMember({"last", "score", "oracle"}))
      ->capture_default_str()
      ->group(group);
  app.add_flag("--save", o.save, "Also write each run's classifier as model.safetensors, with PyTorch's names and shapes")->group(group);
  app.add_flag("--resume", o.resume, "Go on with what an interrupted call left in --out; finished runs are not repeated")->group(group);
  app.add_flag("--no-pictures", raw.no_pictures, "Leave the pictures of the features out (t-SNE takes some seconds)")->group(group);
}

/// Names into entries: 'all', aliases, the baseline in front, nothing twice.
std::vector<std::string> resolve_methods(const std::vector<std::string>& asked, bool with_baseline) {
  std::vector<std::string> names;
  const auto add = [&](const std::string& name) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  };
  if (with_baseline) add(method_list::instance().find("source-only").name);
  for (const std::string& name : asked) {
    if (name == "all")
      for (const method_entry& entry : method_list::instance().all()) add(entry.name);
    else
      add(method_list::instance().find(name).name);
  }
  return names;
}

selection parse_selection(const std::string& text) {
  return text == "score" ? selection::score : text == "oracle" ? selection::oracle : selection::last;
}

} // namespace

parsed_options parse_options(int argc, const char* const* argv) {
  options o;
  raw_options raw;
  o.data = data::default_folder();
  CLI::App app(introduction, "dalib_train");
  app.footer(ending);
  app.get_formatter()->column_width(34);
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast); // scripts append the user's options to their own
  add_run_options(app, o, raw);
  add_training_options(app, o.method);
  add_method_settings(app, o.method);
  add_output_options(app, o, raw);
  try {
    app.parse(argc, argv);
    o.methods = resolve_methods(raw.methods, !raw.no_baseline);
  } catch (const CLI::ParseError& error) {
    constexpr int wrong_arguments = 2;
    return {std::nullopt, app.exit(error) == 0 ? 0 : wrong_arguments};
  } catch (const std::invalid_argument& error) {
    std::cerr << "--method: " << error.what() << '\n';
    return {std::nullopt, 2};
  }
  o.method.sgd.nesterov = o.method.sgd.momentum > 0;
  o.select = parse_selection(raw.select);
  o.pictures = !raw.no_pictures;
  if (!raw.json.empty()) o.json = raw.json;
  return {std::move(o), 0};
}

std::string to_string(selection select) { return select == selection::last ? "last" : select == selection::score ? "score" : "oracle"; }

nlohmann::ordered_json describe_run(const options& o, const std::string& method, std::uint64_t seed) {
  nlohmann::ordered_json d;
  d["method"] = method;
  d["source"] = o.source;
  d["target"] = o.target;
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
  for (const method_setting& setting : method_list::instance().find(method).settings) d[setting.name] = o.method.settings.at(setting.name);
  d["evaluate_every"] = o.evaluate_every;
  d["select"] = to_string(o.select);
  return d;
}

} // namespace dalib::train
