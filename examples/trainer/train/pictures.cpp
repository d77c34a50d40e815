#include "pictures.hpp"

#include "feature_plane.hpp"

#include "../report/bar_chart.hpp"
#include "../report/line_plot.hpp"
#include "../report/scatter_plot.hpp"
#include "../report/svg_grid.hpp"

#include <algorithm>

namespace dalib::train {
namespace {

/// A column of the histories over the iterations, one curve per method: the mean over its runs with their deviation as a band.
std::vector<report::series> history_curves(const run_list& runs, std::string_view column) {
  std::vector<report::series> curves;
  for (const std::string& method : methods_of(runs)) {
    report::series curve{method, {}, {}, {}};
    std::vector<std::vector<double>> columns;
    for (const run_result& run : runs) {
      if (run.method != method) continue;
      if (columns.empty()) curve.x = run.history.column("iteration");
      columns.push_back(run.history.column(column));
    }
    for (std::size_t i = 0; i < curve.x.size(); ++i) {
      std::vector<double> values;
      for (const auto& one : columns)
        if (i < one.size()) values.push_back(one[i]);
      const report::summary s = report::summarize(values);
      curve.y.push_back(s.mean);
      if (columns.size() > 1) curve.deviation.push_back(s.deviation);
    }
    curve.look = static_cast<int>(curves.size()); // a method has one colour in all plots
    curves.push_back(std::move(curve));
  }
  return curves;
}

std::string accuracy_plot(const run_list& runs, const std::string& task_name) {
  return report::line_plot(history_curves(runs, "target_accuracy"),
                           {.title = "Target test accuracy, " + task_name, .x_label = "iteration", .y_label = "accuracy, %"});
}

std::string score_plot(const run_list& runs, const std::string& task_name) {
  return report::line_plot(history_curves(runs, "score"),
                           {.title = "Score without target labels, " + task_name, .x_label = "iteration", .y_label = "score"});
}

std::string loss_plot(const run_list& runs) {
  return report::line_plot(
      history_curves(runs, "classification_loss"),
      {.title = "Classification loss on the source", .x_label = "iteration", .y_label = "cross-entropy", .height = 320, .log_y = true});
}

/// One plot for each method that has a transfer loss, because each has a scale of its own; empty if none has.
std::string transfer_plot(const run_list& runs) {
  const report::point size{450, 260};
  std::vector<std::string> plots;
  for (report::series& curve : history_curves(runs, "transfer_loss")) {
    if (std::none_of(curve.y.begin(), curve.y.end(), [](double y) { return y != 0; })) continue;
    const std::string title = "Transfer loss of " + curve.name;
    curve.name.clear();
    plots.push_back(report::line_plot({curve}, {.title = title, .x_label = "iteration", .width = size.x, .height = size.y}));
  }
  return plots.empty() ? "" : report::svg_grid(plots, 2, size);
}

std::string accuracy_bars(const run_list& runs, const std::string& task_name) {
  report::result_set results;
  for (const run_result& run : runs) results.add(run.method, task_name, run.chosen.target_accuracy);
  return report::bar_chart(results, {.title = "Target test accuracy", .baseline = "source-only"});
}

/// Number of test images of each domain in a picture of the features.
constexpr index_t pictured_images = 400;

/// Rows of the pictured images, from all over the data set: its beginning may be of the first classes only.
std::vector<Eigen::Index> pictured_rows(const outputs& samples) {
  const auto total = samples.features.rows(), count = std::min<Eigen::Index>(pictured_images, total);
  std::vector<Eigen::Index> rows(static_cast<std::size_t>(count));
  for (Eigen::Index i = 0; i < count; ++i) rows[static_cast<std::size_t>(i)] = i * total / count;
  return rows;
}

/// True classes, or predicted ones where there are none.
std::vector<int> classes_of(const outputs& samples, const std::vector<Eigen::Index>& rows, bool labelled) {
  std::vector<int> classes;
  for (const Eigen::Index row : rows) {
    Eigen::Index predicted = 0;
    samples.logits.row(row).maxCoeff(&predicted);
    classes.push_back(labelled ? samples.labels[static_cast<std::size_t>(row)] : static_cast<int>(predicted));
  }
  return classes;
}

/// t-SNE of one run's source and target test features.
report::scatter_panel feature_panel(const run_result& run, const std::string& title, bool labelled) {
  const std::vector<Eigen::Index> source = pictured_rows(run.source), target = pictured_rows(run.target);
  const feature_plane plane = embed_features(run.source.features(source, Eigen::all), run.target.features(target, Eigen::all));
  return {title, plane.source, plane.target, classes_of(run.source, source, true), classes_of(run.target, target, labelled)};
}

/// The first run of every method, side by side.
std::string feature_plot(const run_list& runs, const task& data) {
  std::vector<report::scatter_panel> panels;
  for (const std::string& method : methods_of(runs)) {
    const auto first = std::find_if(runs.begin(), runs.end(), [&](const run_result& run) { return run.method == method; });
    const bool labelled = data.target_test.labelled;
    panels.push_back(
        feature_panel(*first, labelled ? method + ": " + report::fixed(first->chosen.target_accuracy, 1) + " %" : method, labelled));
  }
  return report::scatter_plot(panels, {.title = "Features of test images, " + data.name()});
}

} // namespace

std::vector<picture> draw_pictures(const run_list& runs, const task& data, bool with_features) {
  const bool labelled = data.target_test.labelled;
  const bool several = runs.size() > methods_of(runs).size(); // seeds
  std::vector<picture> all;
  if (labelled) {
    all.push_back({"accuracy", accuracy_plot(runs, data.name()),
                   std::string("Accuracy on the target's test images during training") +
                       (several ? "; bands are the standard deviation over seeds" : ", one seed") +
                       ". Target labels are used for this measurement only."});
    const bool baseline = runs.front().method == "source-only";
    all.push_back({"methods", accuracy_bars(runs, data.name()),
                   std::string("Accuracy by method.") + (several ? " Dots are runs." : "") +
                       (baseline ? " The dashed line is training on the source alone." : "")});
  } else {
    all.push_back(
        {"score", score_plot(runs, data.name()),
         "Source accuracy x information maximisation during training, which needs no target labels. Its level differs between methods."});
  }
  all.push_back({"loss", loss_plot(runs), "Cross-entropy on the source, mean over the iterations between two evaluations."});
  if (std::string svg = transfer_plot(runs); !svg.empty())
    all.push_back({"transfer", std::move(svg), "Transfer loss as each method defines it, each on a scale of its own."});
  if (with_features)
    all.push_back({"features", feature_plot(runs, data),
                   std::string("t-SNE of the features behind the bottleneck, first seed, coloured by the true class") +
                       (labelled ? "" : " of the source and the predicted class of the target") +
                       "; circles are source, triangles are target; source-only is the picture before adaptation."});
  return all;
}

} // namespace dalib::train
