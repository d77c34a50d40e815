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

/// How wide plots are drawn.
struct drawing {
  double width;
  std::size_t columns; ///< of panels; 0: as many as there is room for
  bool narrow;

  /// A title with the task's name where there is room.
  std::string title(const std::string& text, const std::string& task_name) const { return narrow ? text : text + ", " + task_name; }
  report::line_plot_options lines(double height) const { return {.x_label = "iteration", .width = width, .height = narrow ? 280 : height}; }
};
constexpr drawing on_pages{900, 0, false}, on_phones{400, 1, true};

/// A plot in both widths.
template <class Draw>
picture drawn(std::string name, std::string caption, const Draw& draw) {
  return {std::move(name), draw(on_pages), draw(on_phones), std::move(caption)};
}

/// One plot for each method that has a transfer loss, because each has a scale of its own; empty if none has.
std::string transfer_plot(const run_list& runs, const drawing& how) {
  const report::point size{how.narrow ? how.width : how.width / 2, 260};
  std::vector<std::string> plots;
  for (report::series& curve : history_curves(runs, "transfer_loss")) {
    if (std::none_of(curve.y.begin(), curve.y.end(), [](double y) { return y != 0; })) continue;
    const std::string title = "Transfer loss of " + curve.name;
    curve.name.clear();
    plots.push_back(report::line_plot({curve}, {.title = title, .x_label = "iteration", .width = size.x, .height = size.y}));
  }
  return plots.empty() ? "" : report::svg_grid(plots, how.narrow ? 1 : 2, size);
}

std::string accuracy_bars(const run_list& runs, const std::string& task_name, const drawing& how) {
  report::result_set results;
  for (const run_result& run : runs) results.add(run.method, task_name, run.chosen.target_accuracy);
  return report::bar_chart(results, {.title = "Target test accuracy", .baseline = "source-only", .width = how.width});
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

/// Classes of these rows, true or predicted.
std::vector<int> classes_of(const outputs& samples, const std::vector<Eigen::Index>& rows, bool predicted) {
  std::vector<int> classes;
  for (const Eigen::Index row : rows) {
    Eigen::Index best = 0;
    samples.logits.row(row).maxCoeff(&best);
    classes.push_back(predicted ? static_cast<int>(best) : samples.labels[static_cast<std::size_t>(row)]);
  }
  return classes;
}

/// The source's samples in the pictures: those that were held out, or those of the training where these are few.
const outputs& pictured_source(const run_result& run) {
  constexpr Eigen::Index enough = 200;
  return run.source.features.rows() >= enough ? run.source : run.source_seen;
}

/// t-SNE of the first run of every method, without classes.
struct feature_planes {
  std::vector<const run_result*> runs{};
  std::vector<report::scatter_panel> panels{};
};

feature_planes embed(const run_list& runs, bool labelled) {
  feature_planes planes;
  for (const std::string& method : methods_of(runs)) {
    const run_result& run = *std::find_if(runs.begin(), runs.end(), [&](const run_result& r) { return r.method == method; });
    const outputs& source = pictured_source(run);
    const feature_plane plane =
        embed_features(source.features(pictured_rows(source), Eigen::all), run.target.features(pictured_rows(run.target), Eigen::all));
    const std::string title = labelled ? method + ": " + report::fixed(run.chosen.target_accuracy, 1) + " %" : method;
    planes.runs.push_back(&run);
    planes.panels.push_back({title, plane.source, plane.target, {}, {}});
  }
  return planes;
}

/// Those planes with the points coloured by class.
std::vector<report::scatter_panel> coloured(const feature_planes& planes, bool predicted) {
  std::vector<report::scatter_panel> panels = planes.panels;
  for (std::size_t i = 0; i < panels.size(); ++i) {
    const outputs& source = pictured_source(*planes.runs[i]);
    const outputs& target = planes.runs[i]->target;
    panels[i].source_labels = classes_of(source, pictured_rows(source), false);
    panels[i].target_labels = classes_of(target, pictured_rows(target), predicted);
  }
  return panels;
}

/// The features by domain, by predicted class, and by true class where the target has labels.
void add_feature_pictures(const run_list& runs, const task& data, std::vector<picture>& all) {
  const bool labelled = data.target_test.labelled;
  const feature_planes planes = embed(runs, labelled);
  const bool baseline = runs.front().method == "source-only";
  const std::string common = std::string(" Circles are source, triangles are target; first seed.") +
                             (baseline ? " Source-only is the picture before adaptation." : "");
  const auto add = [&](const char* name, const char* title, const std::vector<report::scatter_panel>& panels, bool by_class,
                       const std::string& caption) {
    all.push_back(drawn(name, caption + common, [&](const drawing& how) {
      report::scatter_plot_options options{.title = how.title(title, data.name()), .class_names = data.classes};
      options.color = by_class ? report::scatter_color::by_class : report::scatter_color::by_domain;
      options.width = how.width;
      options.columns = how.columns;
      return report::scatter_plot(panels, options);
    }));
  };
  add("features-domain", "Features by domain", planes.panels, false,
      "t-SNE of the features behind the bottleneck, coloured by domain: after adaptation the domains should mix.");
  add("features-predicted", "Features by predicted class", coloured(planes, true), true,
      "The same, coloured by the true class of the source and the predicted class of the target: groups of the target that lie between "
      "classes, or of two colours, are where predictions are doubtful.");
  if (labelled)
    add("features", "Features by true class", coloured(planes, false), true,
        "The same, coloured by the true class in both domains. The target's labels are used for the colours only.");
}

/// The curves of one column, for all methods.
picture curves_of(const run_list& runs, const char* name, std::string_view column, const report::line_plot_options& looks,
                  const std::string& task_name, const std::string& caption) {
  return drawn(name, caption, [&](const drawing& how) {
    report::line_plot_options options = how.lines(looks.height);
    options.title = task_name.empty() ? looks.title : how.title(looks.title, task_name);
    options.y_label = looks.y_label;
    options.log_y = looks.log_y;
    return report::line_plot(history_curves(runs, column), options);
  });
}

} // namespace

std::vector<picture> draw_pictures(const run_list& runs, const task& data, bool with_features) {
  const bool labelled = data.target_test.labelled;
  const bool several = runs.size() > methods_of(runs).size(); // seeds
  std::vector<picture> all;
  if (labelled) {
    all.push_back(curves_of(runs, "accuracy", "target_accuracy", {.title = "Target test accuracy", .y_label = "accuracy, %"}, data.name(),
                            std::string("Accuracy on the target's test images during training") +
                                (several ? "; bands are the standard deviation over seeds" : ", one seed") +
                                ". Target labels are used for this measurement only."));
    const bool baseline = runs.front().method == "source-only";
    all.push_back(drawn("methods",
                        std::string("Accuracy by method.") + (several ? " Dots are runs." : "") +
                            (baseline ? " The dashed line is training on the source alone." : ""),
                        [&](const drawing& how) { return accuracy_bars(runs, data.name(), how); }));
  } else {
    all.push_back(curves_of(
        runs, "score", "score", {.title = "Score without target labels", .y_label = "score"}, data.name(),
        "Source accuracy x information maximisation during training, which needs no target labels. Its level differs between methods."));
  }
  all.push_back(curves_of(runs, "loss", "classification_loss",
                          {.title = "Classification loss on the source", .y_label = "cross-entropy", .height = 320, .log_y = true}, "",
                          "Cross-entropy on the source, mean over the iterations between two evaluations."));
  if (!transfer_plot(runs, on_pages).empty())
    all.push_back(drawn("transfer", "Transfer loss as each method defines it, each on a scale of its own.",
                        [&](const drawing& how) { return transfer_plot(runs, how); }));
  if (with_features) add_feature_pictures(runs, data, all);
  return all;
}

} // namespace dalib::train
