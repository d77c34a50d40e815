#include "report/bar_chart.hpp"
#include "report/csv.hpp"
#include "report/embedding.hpp"
#include "report/html.hpp"
#include "report/line_plot.hpp"
#include "report/progress.hpp"
#include "report/scatter_plot.hpp"
#include "report/table.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <unistd.h>
#include <vector>

using namespace dalib::report;

// The program of examples/trainer/report.md, with a terminal that keeps its text.
TEST_CASE("a whole report from progress to page") {
  const std::filesystem::path folder = std::filesystem::temp_directory_path() / joined("dalib_report_", std::to_string(::getpid()));
  std::filesystem::create_directory(folder);
  std::string log;
  const terminal out{[&](std::string_view text) { log += text; }, [] { return 80; }, [] { return 0.0; }};

  csv_log history(folder / "history.csv", {"iteration", "loss", "accuracy"});
  {
    progress bar(out, 300);
    for (int i = 1; i <= 300; ++i) {
      const double loss = 2.3 / i;
      const double accuracy = 90 - 80.0 / i;
      bar.update(i, {.loss = loss, .accuracy = accuracy});
      if (i % 100 == 0) history.append({double(i), loss, accuracy});
    }
  }
  CHECK(log == " 33%  100/300  loss 0.0230  acc 89.2%\n"
               " 66%  200/300  loss 0.0115  acc 89.6%\n"
               "100%  300/300  loss 0.0077  acc 89.7%\n");

  result_set results;
  results.add("source only", "mnist -> optdigits", 73.7);
  results.add("MDD", "mnist -> optdigits", 92.7);

  const Eigen::MatrixXf source_features = Eigen::MatrixXf::Random(40, 6);
  const Eigen::MatrixXf target_features = Eigen::MatrixXf::Random(30, 6);
  const std::vector<int> source_labels(40, 1);
  const std::vector<int> target_labels(30, 2);
  const auto plane = embed_by_tsne(source_features, target_features);
  html_report page("mnist -> optdigits");
  page.results("Results", results_table(results));
  page.figure(bar_chart(results, {.baseline = "source only"}), "The dashed line is training on the source alone.");
  const series curve{"MDD", history.data().column("iteration"), history.data().column("accuracy")};
  page.figure(line_plot({curve}, {.x_label = "iteration", .y_label = "target accuracy, %", .y_limits = range{0, 100}}), "");
  page.figure(scatter_plot({{"after adaptation", plane.source, plane.target, source_labels, target_labels}}, {}), "t-SNE of the features.");
  page.save(folder / "report.html");
  CHECK(std::filesystem::file_size(folder / "report.html") == page.str().size());
  CHECK(page.str().size() > 10000);
  std::filesystem::remove_all(folder);
}
