#include "options.hpp"

#include "../data/nearest.hpp"

#include <CLI/CLI.hpp>

#include <iostream>

namespace dalib::predict {
namespace {

constexpr const char* introduction =
    R"(Predicts the classes of samples by a model that dalib_train wrote.

Example: dalib_predict --model run photos/field --out predictions.csv
The input is a folder of images of any depth, a list of lines 'PATH [LABEL]', IDX images, .npy features, a CSV table with the columns of the
training, or a domain of the bundled digits. Each sample gets a line: its file or row, class, calibrated confidence, a flag where it should not be
trusted, and the probability of each class. If the input has labels, accuracy, confusion matrix and calibration error are printed too.)";

constexpr const char* ending =
    R"(Flags: 'unsure' below a confidence of 0.5; 'far' from the features of both training domains, farther than 99 of 100 of their own samples;
'unreadable' files have no prediction. Interrupted, or killed, what is done is in OUT.partial, and --resume goes on from there.
Exit codes: 0 done, 1 something failed, 2 wrong arguments, names or paths, 130 / 143 interrupted.)";

struct raw_options {
  std::string data = "auto", unreadable = "skip", format, root;
};

void add_options(CLI::App& app, options& o, raw_options& raw) {
  app.add_option("-m,--model", o.model, "model.safetensors of a training run, or the run's folder")->required();
  app.add_option("input", o.input, "What to predict")->required();
  app.add_option("-o,--out", o.out, "File of the predictions; names that end with .jsonl get JSON lines")->capture_default_str();
  app.add_option("--format", raw.format, "csv or jsonl, whatever the file's name")->check(CLI::IsMember({"csv", "jsonl"}));
  app.add_option("--data", raw.data, "What the input is: auto, class-folders, images, list, idx, npy, csv, digits")->capture_default_str();
  app.add_option("--root", raw.root, "Lists: what their paths are relative to; the list's folder by default");
  app.add_option("--label", o.how.table.label, "Tables: name of the column of classes, where there is one; the training's by default");
  app.add_option("--ignore-columns", o.how.table.ignored, "Tables: columns that are no features; the training's by default")
      ->delimiter(',');
  app.add_option("--unreadable", raw.unreadable, "An image that cannot be read: 'skip' flags it and tells, 'stop' ends the program")
      ->check(CLI::IsMember({"skip", "stop"}))
      ->capture_default_str();
  app.add_option("--threads", o.threads, "Threads (0: all processors); does not change any number")->check(CLI::Range(0, 1024));
  CLI::Option* const resume = app.add_flag("--resume", o.resume, "Go on with what an interrupted call left in OUT.partial");
  app.add_flag("--overwrite", o.overwrite, "Replace the file of --out")->excludes(resume);
  app.set_version_flag("--version", std::string("dalib_predict of dalib ") + DALIB_VERSION);
}

/// What was probably meant by an unknown option.
std::string unknown_option_hint(const CLI::App& app) {
  std::vector<std::string> known;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
  for (const std::string& extra : app.remaining())
    if (const std::string best = data::nearest(extra.substr(0, extra.find('=')), known); !best.empty())
      return "Did you mean " + best + "?\n";
  return "";
}

} // namespace

parsed_options parse_options(int argc, const char* const* argv) {
  options o;
  raw_options raw;
  CLI::App app(introduction, "dalib_predict");
  app.footer(ending);
  app.get_formatter()->column_width(34);
  add_options(app, o, raw);
  constexpr int wrong_arguments = 2;
  try {
    app.parse(argc, argv);
    o.how.kind = data::find_input_kind(raw.data);
    if (!o.how.kind && raw.data != "auto") throw CLI::ValidationError("--data", "does not know '" + raw.data + "'");
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error) == 0 ? 0 : wrong_arguments;
    if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) std::cerr << unknown_option_hint(app);
    return {std::nullopt, code};
  }
  o.how.root = raw.root;
  o.how.test_part = true;
  o.label_given = app.count("--label") > 0;
  o.ignored_given = app.count("--ignore-columns") > 0;
  o.skip_unreadable = raw.unreadable == "skip";
  const bool lines = raw.format.empty() ? o.out.extension() == ".jsonl" : raw.format == "jsonl";
  o.format = lines ? train::prediction_format::json_lines : train::prediction_format::csv;
  return {std::move(o), 0};
}

} // namespace dalib::predict
