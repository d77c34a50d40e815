// What was found, as a page.
#include "comparison.hpp"

#include "../trainer/report/html.hpp"
#include "../trainer/report/line_plot.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <vector>

namespace dalib::compare {

namespace {

std::string with_digits(double value) { return report::significant(value, 3); }

/// Counts of the null sample in 40 bins, and the observed value as a line.
std::string null_histogram(finding f) {
  std::erase_if(f.null_sample, [](double value) { return !std::isfinite(value); }); // of a kernel that overflowed
  if (f.null_sample.empty() || !std::isfinite(f.statistic)) return {};
  const auto [low, high] = std::minmax_element(f.null_sample.begin(), f.null_sample.end());
  const double from = std::min(*low, f.statistic), to = std::max(*high, f.statistic), width = to > from ? (to - from) / 40 : 1;
  report::series bars{"null law", {}, {}};
  std::vector<double> counts(40, 0.0);
  for (const double value : f.null_sample) counts[std::min<std::size_t>(39, static_cast<std::size_t>((value - from) / width))] += 1;
  for (std::size_t i = 0; i < counts.size(); ++i)
    for (const double edge : {0.001, 0.999}) {
      bars.x.push_back(from + (static_cast<double>(i) + edge) * width);
      bars.y.push_back(counts[i]);
    }
  const double top = *std::max_element(counts.begin(), counts.end());
  const report::series observed{"observed", {f.statistic, f.statistic + 1e-9 * width}, {0, top}};
  return report::line_plot({bars, observed}, {.title = f.test, .x_label = "statistic", .y_label = "draws"});
}

report::table findings_table(const comparison& result) {
  report::table t({"test", "statistic", "threshold", "p", "different"});
  for (const finding& f : result.findings)
    t.add(
        {{f.test}, {with_digits(f.statistic)}, {with_digits(f.threshold)}, {with_digits(f.p_value), f.reject}, {f.reject ? "yes" : "no"}});
  return t;
}

} // namespace

void save_report(const comparison& result, const options& asked) {
  report::html_report page(std::filesystem::path(asked.first).filename().string() + " and " +
                           std::filesystem::path(asked.second).filename().string());
  page.paragraph(sentence_of(result, asked));
  page.results("Tests", findings_table(result));
  std::vector<std::string> remarks; // sentences: as a column they would be wider than the page
  for (const finding& f : result.findings) remarks.push_back(f.test + ": " + f.remark);
  page.notes("What the tests suppose", remarks);
  for (const finding& f : result.findings)
    if (const std::string histogram = null_histogram(f); !histogram.empty())
      page.figure(
          histogram,
          "What the statistic would be if both files followed one law, and what it is. An aggregated test shows its clearest kernel.");
  for (const finding& f : result.findings) {
    if (f.kernels.empty()) continue;
    report::table t({"kernel", "p", "limit"});
    for (std::size_t k = 0; k < f.kernels.size(); ++k)
      t.add({{f.kernels[k]}, {with_digits(f.kernel_p[k]), f.kernel_p[k] <= f.kernel_limits[k]}, {with_digits(f.kernel_limits[k])}});
    page.results("p of each kernel", t);
  }
  page.section("Where they differ");
  const auto name_of = [](const std::string& file) { return std::filesystem::path(file).filename().string(); };
  page.figure(witness_plot(result.witness, {"Witness over the two leading principal components", name_of(asked.first),
                                            name_of(asked.second), "first principal component", "second principal component"}),
              "Where in this plane which file has more rows (at most 1000 of each are shown). The plane has " +
                  with_digits(100 * result.shown_variance) + " % of the rows' variance.");
  if (!result.witness_rows[0].empty()) {
    report::table t({"file", "rows that the other file has the least like of"});
    for (int i = 0; i < 2; ++i) {
      std::string rows;
      for (const std::size_t row : result.witness_rows[i]) rows += (rows.empty() ? "" : ", ") + std::to_string(row);
      t.add({{i == 0 ? asked.first : asked.second}, {rows}});
    }
    page.results("Most telling rows", t);
  }
  if (!result.by_feature.empty()) {
    report::table t({"feature", "p (Holm)", "p alone", "difference of means / deviation"});
    for (std::size_t i = 0; i < std::min<std::size_t>(20, result.by_feature.size()); ++i) {
      const feature_finding& f = result.by_feature[i];
      t.add({{f.name}, {with_digits(f.corrected), f.corrected <= asked.alpha}, {with_digits(f.p_value)}, {with_digits(f.difference)}});
    }
    page.results("Most different features", t);
  }
  if (!result.notes.empty()) page.notes("Notes", result.notes);
  page.save(asked.report);
}

} // namespace dalib::compare
