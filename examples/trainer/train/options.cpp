#include "options.hpp"

#include "evaluation.hpp"
#include "resolve_options.hpp"

#include "../data/nearest.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <iostream>
#include <limits>

namespace dalib::train {
namespace {

constexpr const char* introduction =
    R"(Trains a classifier with labels of a source domain and samples of a target domain without, by one or several methods of domain
adaptation. The data are your own (folders of images, lists, features, tables), the bundled digits, or known image data sets on your disk.

Example: dalib_train --source photos/studio --target photos/field --weights resnet50.pth --out run
         dalib_predict --model run photos/field --out predictions.csv
         dalib_train --method dann,dan --source mnist --target optdigits --seeds 3
         dalib_train --data office31 --root DIR --source amazon --target webcam --arch resnet50 --weights resnet50.safetensors --method mdd
Results: the table on the terminal, and in the folder of --out report.html (curves, pictures of the features), results.json, results.md,
model.safetensors and predictions.csv for the target, and for every run a folder METHOD-seed-N with its own model and predictions, history.csv
and the checkpoint that --resume goes on from.)";

constexpr const char* ending =
    R"(Target labels are used for the reported accuracies only; columns that need them in order to choose something are called oracle.
For the digits, features and tables the defaults are a fixed protocol, the same for all methods; for images they are DALIB's, see the guide.
Equal settings and seeds give the same bits, for any number of threads, interrupted
or not. mpirun -np P dalib_train ... trains with P processes: the same batches, the same numbers up to rounding. SIGINT and SIGTERM stop after the present iteration with a checkpoint.
Exit codes: 0 done, 1 something failed, 2 wrong arguments, names or paths, 130 / 143 interrupted.)";

std::string known_methods() {
  std::string text;
  for (const method_entry& entry : all_methods()) text += "\n  " + entry.name + ": " + entry.description;
  return text;
}

/// The method of own data where none was asked for.
constexpr const char* own_method = "mdd";

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
  app.add_option("-m,--method", raw.methods,
                 "Method, list of methods separated by commas, or 'all'; 'auto': tries some and chooses one without labels; NAME+NAME adds "
                 "the loss of one to the other; own data: " +
                     std::string(own_method) + " unless told:" + known_methods())
      ->delimiter(',')
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option(
         "-s,--source", raw.source,
         "Domain with labels: a folder with one folder of images per class, a list of lines 'PATH LABEL', IDX images, .npy features, a CSV "
         "table; or digits: mnist, mnistm, optdigits, optdigits-wide; see --data")
      ->capture_default_str();
  app.add_option("-t,--target", raw.target, "Domain without: one of the same, labels are not needed; a folder may be of any depth")
      ->capture_default_str();
  app.add_option("--tasks", raw.tasks, "In place of these: list of SOURCE:TARGET separated by commas, or 'all' pairs of --data")
      ->delimiter(',')
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
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
  app.add_option(
      "--budget", raw.budget,
      "What all trainings of --method auto take together, in place of four trainings: iterations, or a time such as 90s, 10min or "
      "1h; as many are made to the end as fit");
  app.add_option("--threads", o.threads, "Threads (0: all processors); does not change any number")
      ->check(number_between(0, 1024))
      ->capture_default_str();
  app.add_flag("--local-batch-norm", o.local_batch_norm,
               "Under mpirun: batch norm takes the statistics of each rank's own images; otherwise of the whole batch");
  app.add_option(
         "--gradient-bucket", o.gradient_bucket,
         "Under mpirun: KiB of parameter gradients that travel together during the backward pass (0: all of them behind it); does not "
         "change any number")
      ->check(number_between(0, 1 << 20))
      ->capture_default_str();
  app.add_flag("--no-baseline", raw.no_baseline, "Do not also train source-only, which the others are compared with");
}

void add_data_options(CLI::App& app, options& o, raw_options& raw) {
  const std::string group = "Data";
  app.add_option(
         "--data", o.data.name,
         "auto: found out from --source and --target; what they are: class-folders, images (the target's folders are no classes), list, "
         "idx, npy, "
         "csv, digits; data sets: office31 (amazon, dslr, webcam), office-home (Art, Clipart, Product, Real_World), visda2017 (train, "
         "validation), "
         "domainnet (clipart, infograph, painting, quickdraw, real, sketch), by these names or DALIB's letters; or image-list: source "
         "and target are files of lines 'PATH NUMBER' below --root, by the data sets' protocol")
      ->capture_default_str()
      ->group(group);
  app.add_option("--root", raw.root, "Folder of the data; digits: the bundled files; lists: what their paths are relative to")
      ->group(group);
  app.add_option("--classes", o.data.classes, "Number of classes, where it is not the data set's (0)")
      ->check(number_between(0, 100000))
      ->capture_default_str()
      ->group(group);
  app.add_option("--image-side", o.data.side, "Height and width of inputs made of image files")
      ->check(number_between(16, 1024))
      ->capture_default_str()
      ->group(group);
  app.add_option("--source-classes", o.data.kept.source, "Open set: classes that the source keeps, separated by commas; digits: 0,1,2,3,4")
      ->delimiter(',')
      ->group(group);
  app.add_option("--target-classes", o.data.kept.target, "Partial task: classes that the target keeps, by its labels, separated by commas")
      ->delimiter(',')
      ->group(group);
  app.add_flag("--open-set", o.data.kept.open_set, "Classes of the target that the source lacks are one more class, 'unknown'")
      ->group(group);
  app.add_option("--unreadable", raw.unreadable, "An image file that cannot be read: 'stop', or 'skip' it and tell")
      ->check(CLI::IsMember({"stop", "skip"}))
      ->capture_default_str()
      ->group(group);
  app.add_option("--target-test", o.data.own.target_test, "Labelled input of the target that the accuracy is measured on")->group(group);
  app.add_option("--validation", o.data.own.validation, "Part of the source that is held out: a share (default 10%), or an input")
      ->group(group);
  app.add_option("--label", o.data.own.table.label, "Tables: name of the column of classes")->capture_default_str()->group(group);
  app.add_option("--ignore-columns", o.data.own.table.ignored, "Tables: columns that are no features, separated by commas")
      ->delimiter(',')
      ->group(group);
  app.add_option("--missing", raw.missing, "Tables: missing values: 'refuse', or 'mean' of the source")
      ->check(CLI::IsMember({"refuse", "mean"}))
      ->capture_default_str()
      ->group(group);
  app.add_option("--workers", o.prefetch.threads, "Threads that read the images of each domain ahead")
      ->check(number_between(1, 256))
      ->capture_default_str()
      ->group(group);
}

void add_network_options(CLI::App& app, options& o, raw_options& raw) {
  const std::string group = "Network";
  app.add_option("--arch", raw.arch,
                 "lenet (digits, IDX), resnet18, resnet34, resnet50 (images), resnet101; mlp (features, tables), linear")
      ->group(group);
  app.add_option("--weights", raw.weights, "What a resnet starts from: torchvision's .pth file, or safetensors with its names")
      ->group(group);
  app.add_flag("--frozen-backbone", o.data.frozen_backbone,
               "Compute the features of all images once and train what is behind the resnet only")
      ->group(group);
  app.add_flag("--frozen-batch-norm", o.data.backbone.frozen_batch_norm, "The resnet's batch norms keep the statistics of the weights")
      ->group(group);
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
  for (const method_entry& entry : all_methods())
    for (const method_setting& setting : entry.settings) {
      const auto [place, is_new] = m.settings.emplace(setting.name, setting.value);
      if (!is_new && place->second != setting.value)
        throw std::logic_error("two methods have the setting '" + setting.name + "' with different defaults");
      if (!is_new) continue; // they share it
      app.add_option("--" + setting.name, place->second, setting.help)
          ->check(number_between(setting.low, setting.high))
          ->capture_default_str()
          ->group("Single methods");
    }
}

/// What --select takes.
std::vector<std::string> selections() {
  std::vector<std::string> names{"last", "score"};
  names.insert(names.end(), label_free_names.begin(), label_free_names.end());
  names.push_back("oracle");
  return names;
}
std::string joined_scores() {
  std::string text;
  for (const std::string_view name : label_free_names) text.append(text.empty() ? "" : ", ").append(name);
  return text;
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
                 "or best by " +
                     joined_scores() +
                     "; "
                     "'oracle': best on the target's test labels, for comparison only. Without target labels the default is score")
      ->check(CLI::IsMember(selections()))
      ->capture_default_str()
      ->group(group);
  app.add_flag("--save", raw.save, "Kept for old scripts: each run's model is always written")->group("");
  app.add_flag("--dry-run", o.dry_run, "Own data: check them, estimate the time, and stop")->group(group);
  CLI::Option* const resume =
      app.add_flag("--resume", o.resume, "Go on with what an interrupted call left in --out; finished runs are not repeated")->group(group);
  app.add_flag("--overwrite", o.overwrite, "Replace runs of an earlier call in --out; without it and --resume they are an error")
      ->excludes(resume)
      ->group(group);
  app.add_flag("--no-pictures", raw.no_pictures, "Leave the pictures of the features out (t-SNE takes some seconds)")->group(group);
}

/// CLI11's complaint about an unknown option, with what was probably meant.
std::string unknown_option_hint(const CLI::App& app, const std::vector<std::string>& extras) {
  std::vector<std::string> known;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
  for (const std::string& extra : extras)
    if (const std::string best = data::nearest(extra.substr(0, extra.find('=')), known); !best.empty())
      return "Did you mean " + best + "?\n";
  return "";
}

selection parse_selection(const std::string& text) {
  selection select = text == "oracle" ? selection::oracle : text == "last" ? selection::last : selection::score;
  if (select == selection::score) select.column = text;
  return select;
}

} // namespace

parsed_options parse_options(int argc, const char* const* argv) {
  options o;
  raw_options raw;
  CLI::App app(introduction, "dalib_train");
  app.footer(ending);
  app.get_formatter()->column_width(34);
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast); // scripts append the user's options to their own
  add_run_options(app, o, raw);
  add_data_options(app, o, raw);
  add_network_options(app, o, raw);
  add_training_options(app, o.method);
  add_method_settings(app, o.method);
  add_output_options(app, o, raw);
  app.set_version_flag("--version", std::string("dalib_train of dalib ") + DALIB_VERSION);
  constexpr int wrong_arguments = 2;
  try {
    app.parse(argc, argv);
    for (const CLI::Option* option : app.get_options())
      if (option->count() > 0 && !option->get_lnames().empty()) o.given.insert("--" + option->get_lnames().front());
    resolve_data(raw, o);
    if (raw.methods.empty() && o.data.is_own()) raw.methods = {own_method};
    if (raw.methods.empty())
      throw CLI::ValidationError("--method", "is required for the digits and known data sets; own data need --source and --target");
    resolve_classes(o);
    o.methods = resolve_methods(raw.methods, !raw.no_baseline);
    keep_methods_for_classes(raw, o);
    o.automatic = std::find(raw.methods.begin(), raw.methods.end(), "auto") != raw.methods.end();
    o.tasks = resolve_tasks(raw, o);
    if (o.data.frozen_backbone) keep_methods_for_features(raw, o);
    check_method_settings(o);
    resolve_budget(raw, o);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error) == 0 ? 0 : wrong_arguments;
    if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) std::cerr << unknown_option_hint(app, app.remaining());
    return {std::nullopt, code};
  } catch (const std::invalid_argument& error) {
    std::cerr << "dalib_train: " << error.what() << '\n';
    return {std::nullopt, wrong_arguments};
  }
  o.method.sgd.nesterov = o.method.sgd.momentum > 0;
  o.select = parse_selection(raw.select);
  o.pictures = !raw.no_pictures;
  for (int i = 0; i < argc; ++i) o.command += (i == 0 ? "" : " ") + std::string(argv[i]);
  if (!raw.json.empty()) o.json = raw.json;
  return {std::move(o), 0};
}

} // namespace dalib::train
