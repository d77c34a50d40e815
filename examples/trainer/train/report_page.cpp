#include "report_page.hpp"

#include "domain_gap.hpp"
#include "label_free.hpp"
#include "target_samples.hpp"

#include "../../distributed/ranks.hpp"
#include "../report/confusion.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>
#include <fstream>

namespace dalib::train {
namespace {

/// The processor's name, as Linux tells it.
std::string machine() {
  std::ifstream processors("/proc/cpuinfo");
  std::string name = "unknown";
  for (std::string line; std::getline(processors, line);)
    if (line.starts_with("model name") && line.find(": ") != std::string::npos) name = line.substr(line.find(": ") + 2);
  return name + ", " + std::to_string(exec::default_policy{}.workers()) + " threads";
}

std::string date_now() {
  const std::time_t now = std::time(nullptr);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M UTC", std::gmtime(&now))};
}

/// What was asked for, when and where it ran, on how much; then the settings.
std::vector<std::pair<std::string, std::string>> settings_list(const options& o, const run_list& runs, const task& data) {
  const auto count = [](const data::dataset& set) { return std::to_string(set.size()); };
  std::vector<std::pair<std::string, std::string>> list{
      {"command", o.command},
      {"date", date_now()},
      {"machine", machine()},
      {"dalib", DALIB_VERSION},
      {"seeds", std::to_string(most_seeds(runs)) + ", from " + std::to_string(o.seed) + "; " + std::to_string(runs.size()) + " runs"},
      {"samples", "source " + count(data.source_train) + " to train on, " + count(data.source_test) + " held out; target " +
                      count(data.target_train) + " without labels, " + count(data.target_test) +
                      (data.target_test.labelled ? " to measure on" : " predicted")},
      {"iterations", std::to_string(settings_for(o, find_method(o.methods.front())).iterations)}};
  const nlohmann::ordered_json description = describe_run(o, o.methods.front(), o.seed);
  for (const auto& [name, value] : description.items())
    if (name != "method") list.emplace_back(name, value.is_string() ? value.get<std::string>() : value.dump());
  return list;
}

/// What the page is about, in a sentence or two.
std::string lead(const run_list& runs, const options& settings, const task& data) {
  const run_result& best = best_run(runs, settings.select);
  const bool labelled = data.target_test.labelled;
  return "From " + std::to_string(data.source_train.size()) + " labelled samples of the source and " +
         std::to_string(data.target_train.size()) + " unlabelled ones of the target, " + std::to_string(data.classes.size()) +
         " classes; " + (most_seeds(runs) == 1 ? std::string("one seed") : std::to_string(most_seeds(runs)) + " seeds") + ". " +
         (labelled ? "Labels of the target are used to measure, never to train."
                   : "The target has no labels: nothing here is its accuracy.") +
         " The model that counts, in model.safetensors, is of " + best.method + ", seed " + std::to_string(best.seed) +
         (labelled ? ", with an accuracy of " + report::fixed(best.chosen.target_accuracy, 1) + " % on the target." : ".");
}

std::string measured(double value, int decimals) { return std::isnan(value) ? "-" : report::fixed(value, decimals); }

/// How far the features of the domains are apart, for the first run of each method, with what was there before adaptation as the first row.
report::table gap_table(const run_list& runs, const options& settings, const std::optional<seen_features>& before) {
  report::table table({"features of", "MK-MMD\u00B2", "p", "A-distance", "domains told apart, %"});
  const auto add = [&](const std::string& name, const Eigen::MatrixXf& source, const Eigen::MatrixXf& target) {
    constexpr Eigen::Index fewest = 4;
    if (std::min(source.rows(), target.rows()) < fewest) return;
    const domain_gap gap = measure_gap(source, target);
    table.add(
        {{name}, {measured(gap.mmd, 4)}, {measured(gap.p_value, 3)}, {measured(gap.a_distance, 2)}, {measured(gap.domain_accuracy, 1)}});
  };
  if (before) add(best_run(runs, settings.select).method + ", before training", before->source, before->target);
  for (const std::string& method : methods_of(runs)) {
    const run_result& run = *std::find_if(runs.begin(), runs.end(), [&](const run_result& r) { return r.method == method; });
    add(method.starts_with("source-only") ? method + " (before adaptation)" : method, run.source_seen.features, run.target_seen);
  }
  return table;
}

void add_gaps(report::html_report& page, const run_list& runs, const options& settings, const std::optional<seen_features>& before) {
  page.results("How far the domains are apart", gap_table(runs, settings, before));
  page.paragraph(
      "Features behind the bottleneck of up to 300 samples of each domain that were trained on. MK-MMD\u00B2: the squared discrepancy by "
      "five "
      "Gaussian kernels around the mean squared distance, unbiased, so that it is about 0, or negative, for samples of one law; p is of "
      "its "
      "permutation test (499 draws: 0.002 is the least), small where the domains surely differ. A-distance: 2 (1 - 2 error) of a linear "
      "classifier of the domains on samples that it was not fitted to: 2 where it tells all apart, about 0 where it guesses. Small "
      "distances "
      "do not prove that classes lie on their own kind: the pictures and the scores below say more.");
}

/// All scores without labels, what they mean, and where labels exist what they would have been worth.
void add_scores(report::html_report& page, const run_list& runs) {
  const bool labelled = is_labelled(runs);
  const std::vector<std::string> methods = methods_of(runs);
  std::vector<std::string> header{"score", "what it says"};
  if (labelled) header.insert(header.end(), {"rank correlation", "target % by it"});
  header.insert(header.end(), methods.begin(), methods.end());
  report::table table(std::move(header));
  const auto add = [&](std::string_view name) {
    std::vector<report::cell> row{{std::string(name)}, {std::string(meaning_of_score(name))}};
    const double correlation = labelled ? rank_correlation(runs, name) : 0;
    if (labelled) {
      std::vector<double> selected;
      for (const run_result& run : runs) selected.push_back(accuracy_selected_by(run.history, name));
      row.push_back({measured(correlation, 2)});
      row.push_back({measured(report::summarize(selected).mean, 1)});
    }
    std::vector<double> means;
    for (const std::string& method : methods)
      means.push_back(report::summarize(values_of(runs, method, [&](const run_result& r) { return r.chosen.value_of(name); })).mean);
    const double best = *std::max_element(means.begin(), means.end());
    for (const double mean : means) row.push_back({measured(mean, name == "score" ? 1 : 3), methods.size() > 1 && mean == best});
    table.add(std::move(row));
  };
  add("score");
  for (const std::string_view name : label_free_names) add(name);
  page.section("Scores that need no label");
  page.explained(table);
  page.paragraph(
      std::string(
          "Of the target's unlabelled samples, by the weights that count; higher is better, the best in bold. They compare weights and "
          "seeds of one method well, methods with care: each of them can be high for predictions that are sure and wrong.") +
      (labelled
           ? " Rank correlation: Spearman's, with the target's accuracy over all evaluations of all runs; 1 would have chosen right. "
             "Target % by it: of the "
             "checkpoints that it would have selected, mean over the runs; the column of the oracle in the table of the results is what "
             "any could have reached."
           : ""));
}

/// Which classes the chosen model takes for which.
void add_confusion(report::html_report& page, const run_result& best, const task& data) {
  if (!data.target_test.labelled) return;
  const auto classes = static_cast<Eigen::Index>(data.classes.size());
  Eigen::MatrixXi counts = Eigen::MatrixXi::Zero(classes, classes);
  for (Eigen::Index row = 0; row < best.target.logits.rows(); ++row) {
    Eigen::Index predicted = 0;
    best.target.logits.row(row).maxCoeff(&predicted);
    ++counts(best.target.labels[static_cast<std::size_t>(row)], predicted);
  }
  constexpr std::size_t largest_matrix = 20;
  page.section("Which classes " + best.method + " takes for which");
  if (data.classes.size() <= largest_matrix)
    page.block(report::confusion_matrix(counts, data.classes));
  else
    page.block(report::worst_classes(counts, data.classes, largest_matrix).html());
  page.paragraph(data.classes.size() <= largest_matrix
                     ? "Target samples: true classes are rows, predicted ones columns."
                     : "Target samples, the " + std::to_string(largest_matrix) + " classes with the lowest accuracy.");
}

} // namespace

std::optional<seen_features> seen_before_training(const run_list& runs, const options& settings, const task& data) {
  if (runs.front().method.starts_with("source-only")) return std::nullopt;
  const auto& ranks = distributed::ranks::all();
  const run_result& best = ranks.first() ? best_run(runs, settings.select) : runs.front();
  const std::uint64_t seed = ranks.of_first(best.seed);
  const method_entry& entry = find_method(ranks.of_first(best.configuration.at("method").get<std::string>()));
  return untrained_features(settings_for(settings, entry), data, entry, seed);
}

report::html_report report_page(const run_list& runs, const options& settings, const task& data, const std::vector<picture>& pictures,
                                const std::optional<seen_features>& before) {
  const run_result& best = best_run(runs, settings.select);
  report::html_report page("Domain adaptation " + data.name());
  page.paragraph(lead(runs, settings, data));
  page.results("Results", comparison_table(runs, settings.select));
  page.notes("How to read it", comparison_notes(runs, settings.select));
  const auto show = [&](bool features) {
    for (const picture& p : pictures)
      if (p.name.starts_with("features") == features) page.figure(p.svg, p.narrow, p.caption);
  };
  page.section("Training");
  show(false);
  add_gaps(page, runs, settings, before);
  show(true);
  add_target_samples(page, best, data);
  add_confusion(page, best, data);
  add_scores(page, runs);
  page.settings("How this was made", settings_list(settings, runs, data));
  return page;
}

} // namespace dalib::train
