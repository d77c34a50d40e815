#pragma once
// Settings of the program.

#include "auto_budget.hpp"
#include "method.hpp"
#include "task.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace dalib::train {

/// Which weights of a run count.
struct selection {
  enum kind {
    last,  ///< after the last iteration: nothing is selected
    score, ///< of the evaluation with the best label-free score
    oracle ///< of the evaluation with the best target test accuracy: uses target labels
  };
  kind how = last;
  std::string column = "score"; ///< of history.csv, which has the label-free score: that, or one of label_free_names

  selection() = default;
  selection(kind k) : how(k) {}
  friend bool operator==(const selection& a, kind b) { return a.how == b; }
};

struct options {
  std::vector<std::string> methods; ///< primary names, in the order asked for
  bool automatic = false;           ///< these are candidates, of which one is chosen without labels
  std::vector<task_names> tasks{{"mnist", "optdigits"}};
  data_choice data;
  data::prefetching prefetch;
  long iterations = 1000;
  std::size_t batch_size = 64;
  std::uint64_t seed = 1;
  long seeds = 1;
  training_budget budget; ///< of --method auto
  long trainings = 0;     ///< of --method auto, where a budget of time has been made a plan
  method_config method;
  long evaluate_every = 100;
  long checkpoint_every = 100;
  selection select = selection::last;
  int threads = 0;
  bool local_batch_norm = false;     ///< of several ranks, each normalises with the statistics of its own images
  std::size_t gradient_bucket = 256; ///< KiB of gradients that ranks sum together
  std::filesystem::path out = "dalib-train";
  bool resume = false;
  bool overwrite = false; ///< begin runs anew that are in `out` already
  bool pictures = true;
  bool dry_run = false; ///< only the checks before training
  std::optional<std::filesystem::path> json;
  std::set<std::string> given; ///< options of the command line that a method's protocol does not replace
  bool centre_crop = false;    ///< by the method's protocol
  std::string command;         ///< the call, for the report
};

/// What parse_options decided: options to train with, or an exit code because everything has been said (help, wrong arguments).
struct parsed_options {
  std::optional<options> settings;
  int exit_code = 0;
};

/// Reads the command line; prints help and complaints itself.
parsed_options parse_options(int argc, const char* const* argv);

/// The settings of one method's runs: on image data sets those of its protocol, but for the ones that were given on the command line.
options settings_for(const options& settings, const method_entry& entry);

/// A run that is asked for.
struct planned_run {
  std::string method;
  std::uint64_t seed;
  long lengths = 1; ///< factor of the iterations, for a candidate of --method auto

  /// What tables and folders call its method: with that factor, unless it is 1.
  std::string name() const { return lengths > 1 ? method + "-x" + std::to_string(lengths) : method; }
};

/// The settings of one run: those of its method, with the iterations that are planned.
options settings_of(const options& settings, const planned_run& run);

/// Iterations of one training of --method auto.
long iterations_of_candidate(const options& settings);

/// How many trainings of its order a budget of --method auto pays for.
/// @param iteration_cost of a method, in the budget's unit
/// @param other_cost     of a training besides its iterations, for each of its lengths
long trainings_for(const options& settings, double budget, const std::function<double(std::string_view)>& iteration_cost,
                   double other_cost = 0);

/// All runs of one task in their order: each method with the seeds from `seed` on, `seeds` of them; of the order of --method auto as many
/// trainings as the budget allows, of one of time that is not yet planned the first.
std::vector<planned_run> planned_runs(const options& settings);

/// "last", "oracle", or the name of the score.
std::string to_string(const selection& select);

/// Everything that influences the numbers of one run, as JSON: what a checkpoint remembers. Two runs of equal description give the same
/// bits as far as both go, so the number of iterations is not part of it, nor are threads and places of files.
/// The task is the first of the settings.
nlohmann::ordered_json describe_run(const options& settings, const std::string& method, std::uint64_t seed);

} // namespace dalib::train
