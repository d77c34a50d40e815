#pragma once
// The results of all runs, as tables and JSON.

#include "run_result.hpp"

#include "options.hpp"

#include "../report/table.hpp"

#include <functional>
#include <string>
#include <vector>

namespace dalib::train {

/// Finished runs in the order of the methods, each method's seeds together.
using run_list = std::vector<run_result>;

/// Names of the methods, each once.
std::vector<std::string> methods_of(const run_list& runs);

/// One number per run of a method.
std::vector<double> values_of(const run_list& runs, const std::string& method, const std::function<double(const run_result&)>& value);

/// Runs of the method that has most.
std::size_t most_seeds(const run_list& runs);

/// Target accuracy at the evaluation that a column's largest value selects.
double accuracy_selected_by(const report::csv_data& history, std::string_view column);

/// The columns of the comparison besides the method's name: heading, value of a run, decimals.
struct comparison_column {
  std::string name;   ///< in JSON
  std::string header; ///< in tables
  std::function<double(const run_result&)> value;
  int decimals = 1;
};

/// Without target labels the columns that need them are missing.
std::vector<comparison_column> comparison_columns(const selection& select, bool labelled, bool open_set);

/// Whether the target had labels.
bool is_labelled(const run_list& runs);
/// Whether it had those of an open set.
bool is_open_set(const run_list& runs);

/// The run whose model counts: what --method auto chooses, otherwise the best label-free score, by the selection's name of it, among those
/// that adapt, or among all where none does. `runs` must not be empty.
const run_result& best_run(const run_list& runs, const selection& select);

/// Spearman's rank correlation of a label-free score with the target's accuracy over all evaluations of all runs; NaN where either is
/// constant or there are no labels.
double rank_correlation(const run_list& runs, std::string_view column);

/// "83.3 ± 1.7" with that many decimals.
std::string mean_and_deviation(const std::vector<double>& values, int decimals);

/// Methods as rows, the best mean target accuracy strong; without target labels the best mean score.
report::table comparison_table(const run_list& runs, const selection& select);

/// What the columns mean, for below the table.
std::vector<std::string> comparison_notes(const run_list& runs, const selection& select);

/// Everything about the comparison for other programs.
nlohmann::ordered_json comparison_json(const run_list& runs, const selection& select, const std::string& task_name);

} // namespace dalib::train
