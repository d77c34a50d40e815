#include "comparison.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace dalib::train {

std::vector<std::string> methods_of(const run_list& runs) {
  std::vector<std::string> names;
  for (const run_result& run : runs)
    if (names.empty() || names.back() != run.method) names.push_back(run.method);
  return names;
}

std::vector<double> values_of(const run_list& runs, const std::string& method, const std::function<double(const run_result&)>& value) {
  std::vector<double> values;
  for (const run_result& run : runs)
    if (run.method == method) values.push_back(value(run));
  return values;
}

std::size_t most_seeds(const run_list& runs) {
  std::size_t most = 0;
  for (const std::string& method : methods_of(runs))
    most = std::max(most, values_of(runs, method, [](const run_result&) { return 0.0; }).size());
  return most;
}

double accuracy_selected_by(const report::csv_data& history, std::string_view column) {
  const std::vector<double> values = history.column(column);
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  const auto best = std::max_element(values.begin(), values.end()) - values.begin();
  return history.column("target_accuracy")[static_cast<std::size_t>(best)];
}

std::vector<comparison_column> comparison_columns(const selection& select, bool labelled, bool open_set) {
  const std::string weights = select == selection::last ? "last weights" : select == selection::score ? "best score" : "oracle weights";
  std::vector<comparison_column> columns;
  if (labelled)
    columns = {{"target_accuracy", "target %, " + weights, [](const run_result& r) { return r.chosen.target_accuracy; }},
               {"target_accuracy_by_score", "target %, by score",
                [by = select.column](const run_result& r) { return accuracy_selected_by(r.history, by); }},
               {"target_accuracy_oracle", "target %, oracle",
                [](const run_result& r) { return accuracy_selected_by(r.history, "target_accuracy"); }}};
  if (open_set) {
    columns.push_back({"os_star", "OS* %", [](const run_result& r) { return r.chosen.open.known; }});
    columns.push_back({"unk", "UNK %", [](const run_result& r) { return r.chosen.open.unknown; }});
    columns.push_back({"h_score", "H-score %", [](const run_result& r) { return r.chosen.open.harmonic; }});
  }
  const comparison_column source{"source_accuracy", "source %", [](const run_result& r) { return r.chosen.source_accuracy; }};
  const bool usual = select.column == "score";
  const comparison_column score{usual ? "score" : select.column, usual ? "score" : select.column,
                                [by = select.column](const run_result& r) { return r.chosen.value_of(by); }, usual ? 1 : 3};
  columns.push_back(labelled ? source : score);
  columns.push_back(labelled ? score : source);
  columns.push_back({"milliseconds_per_iteration", "ms / iteration", [](const run_result& r) { return r.milliseconds; }});
  return columns;
}

bool is_labelled(const run_list& runs) {
  return std::any_of(runs.begin(), runs.end(), [](const run_result& run) { return !std::isnan(run.chosen.target_accuracy); });
}

bool is_open_set(const run_list& runs) {
  return std::any_of(runs.begin(), runs.end(), [](const run_result& run) { return !std::isnan(run.chosen.open.harmonic); });
}

const run_result& best_run(const run_list& runs, const selection& select) {
  const auto adapts = [](const run_result& run) { return !run.method.starts_with("source-only"); };
  const auto better = [&](const run_result& a, const run_result& b) {
    if (a.among || b.among) return (a.among ? a.among->value() : -1) < (b.among ? b.among->value() : -1);
    return std::pair(adapts(a), a.chosen.value_of(select.column)) < std::pair(adapts(b), b.chosen.value_of(select.column));
  };
  return *std::max_element(runs.begin(), runs.end(), better);
}

namespace {

/// Ranks from 1, equal numbers sharing theirs.
std::vector<double> ranks_of(const std::vector<double>& values) {
  std::vector<double> ranks;
  for (const double value : values) {
    double below = 0, equal = 0;
    for (const double other : values) {
      below += other < value ? 1 : 0;
      equal += other == value ? 1 : 0;
    }
    ranks.push_back(below + (equal + 1) / 2);
  }
  return ranks;
}

} // namespace

double rank_correlation(const run_list& runs, std::string_view column) {
  std::vector<double> scores, accuracies;
  for (const run_result& run : runs) {
    const std::vector<double> a = run.history.column(column), b = run.history.column("target_accuracy");
    scores.insert(scores.end(), a.begin(), a.end());
    accuracies.insert(accuracies.end(), b.begin(), b.end());
  }
  const std::vector<double> x = ranks_of(scores), y = ranks_of(accuracies);
  const double middle = (static_cast<double>(x.size()) + 1) / 2;
  double xy = 0, xx = 0, yy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xy += (x[i] - middle) * (y[i] - middle);
    xx += (x[i] - middle) * (x[i] - middle);
    yy += (y[i] - middle) * (y[i] - middle);
  }
  return xx > 0 && yy > 0 ? xy / std::sqrt(xx * yy) : std::numeric_limits<double>::quiet_NaN();
}

std::string mean_and_deviation(const std::vector<double>& values, int decimals) {
  const report::summary s = report::summarize(values);
  if (s.count == 0) return "-";
  return report::fixed(s.mean, decimals) + (s.count > 1 ? " \u00B1 " + report::fixed(s.deviation, decimals) : "");
}

report::table comparison_table(const run_list& runs, const selection& select) {
  const auto columns = comparison_columns(select, is_labelled(runs), is_open_set(runs));
  std::vector<std::string> header{"method"};
  for (const comparison_column& column : columns) header.push_back(column.header);
  report::table table(std::move(header));
  double best = -1;
  const auto mean = [&](const std::string& method) { return report::summarize(values_of(runs, method, columns[0].value)).mean; };
  for (const std::string& method : methods_of(runs)) best = std::max(best, mean(method));
  for (const std::string& method : methods_of(runs)) {
    std::vector<report::cell> row{{method}};
    for (std::size_t c = 0; c < columns.size(); ++c)
      row.push_back({mean_and_deviation(values_of(runs, method, columns[c].value), columns[c].decimals), c == 0 && mean(method) == best});
    table.add(std::move(row));
  }
  return table;
}

std::vector<std::string> comparison_notes(const run_list& runs, const selection& select) {
  const std::size_t seeds = most_seeds(runs);
  std::vector<std::string> notes;
  if (seeds > 1)
    notes.push_back("Mean \u00B1 standard deviation of " + std::to_string(seeds) + " runs with different seeds" +
                    (seeds * methods_of(runs).size() == runs.size() ? "." : ", of fewer for some methods."));
  if (!is_labelled(runs)) {
    notes.push_back("The target has no labels, so nothing here is its accuracy.");
    notes.push_back(
        "score = source accuracy in % (on the validation part) x information maximisation of the predictions for the target: high where "
        "these are sure and use all classes. It compares weights and seeds of one method; between methods its level differs.");
    return notes;
  }
  notes.push_back(select == selection::last ? "The first column is of the weights after the last iteration: nothing is selected."
                  : select == selection::score
                      ? "The first column is of the weights with the best " + select.column + "."
                      : "The first column is of the weights that are best on the target's test labels: an oracle, not a result.");
  notes.push_back(
      select.column == "score"
          ? "by score: at the evaluation with the best score = source accuracy x information maximisation of the predictions for "
            "unlabelled target images; needs no target label."
          : "by score: at the evaluation with the best " + select.column + " of unlabelled target images; needs no target label.");
  if (is_open_set(runs))
    notes.push_back("OS*: mean accuracy of the known classes; UNK: accuracy on samples of unknown ones; H-score: their harmonic mean.");
  notes.push_back("oracle: at the evaluation with the best target accuracy; what selection could reach at most.");
  return notes;
}

namespace {

/// Every evaluation of a run: iteration, accuracies and all scores, as columns.
nlohmann::ordered_json checkpoints_json(const run_result& run) {
  nlohmann::ordered_json document{{"seed", run.seed}};
  for (const char* const name : {"iteration", "source_accuracy", "target_accuracy", "score"}) document[name] = run.history.column(name);
  for (const std::string_view name : label_free_names) document["scores"][std::string(name)] = run.history.column(name);
  return document;
}

} // namespace

nlohmann::ordered_json comparison_json(const run_list& runs, const selection& select, const std::string& task_name) {
  nlohmann::ordered_json document;
  document["task"] = task_name;
  document["select"] = to_string(select);
  document["methods"] = nlohmann::ordered_json::array();
  if (is_labelled(runs)) {
    nlohmann::ordered_json& correlations = document["rank_correlation_with_target_accuracy"];
    correlations["score"] = rank_correlation(runs, "score");
    for (const std::string_view name : label_free_names) correlations[std::string(name)] = rank_correlation(runs, name);
  }
  for (const std::string& method : methods_of(runs)) {
    nlohmann::ordered_json entry;
    const run_result& first = *std::find_if(runs.begin(), runs.end(), [&](const run_result& run) { return run.method == method; });
    entry["iterations"] = first.iterations;
    entry["configuration"] = first.configuration;
    for (const comparison_column& column : comparison_columns(select, is_labelled(runs), is_open_set(runs))) {
      const std::vector<double> values = values_of(runs, method, column.value);
      const report::summary s = report::summarize(values);
      entry[column.name] = {{"mean", s.mean}, {"deviation", s.deviation}, {"runs", values}};
    }
    for (const std::string_view name : label_free_names)
      entry["scores"][std::string(name)] = values_of(runs, method, [&](const run_result& r) { return r.chosen.value_of(name); });
    for (const run_result& run : runs)
      if (run.method == method) entry["checkpoints"].push_back(checkpoints_json(run));
    document["methods"].push_back({{"method", method}});
    document["methods"].back().update(entry);
  }
  return document;
}

} // namespace dalib::train
