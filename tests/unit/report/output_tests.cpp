#include "report/confusion.hpp"
#include "report/contact_sheet.hpp"
#include "report/html.hpp"
#include "report/line_plot.hpp"
#include "report/results_json.hpp"
#include "report/table.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string>
#include <unistd.h>

using namespace dalib::report;

namespace {

result_set example() {
  result_set results;
  for (const double accuracy : {73.0, 74.0, 75.0}) results.add("source only", "mnist \u2192 optdigits", accuracy);
  results.add("source only", "a|b", 50);
  for (const double accuracy : {92.0, 93.0}) results.add("mdd", "mnist \u2192 optdigits", accuracy);
  results.add("dan", "a|b", 5);
  results.add("dan", "mnist \u2192 optdigits", std::nan(""));
  return results;
}

} // namespace

TEST_CASE("mean and standard deviation, and what is unknown stays unknown") {
  const summary s = summarize({1, 2, 3, 4});
  CHECK(s.mean == 2.5);
  CHECK(s.deviation == doctest::Approx(std::sqrt(5.0 / 3)));
  CHECK(std::isnan(summarize({7}).deviation));
  CHECK(std::isnan(summarize({}).mean));
  CHECK(summarize({std::nan(""), 3}).mean == 3);
  CHECK(summary_text(summarize({7})) == "7.0");
  CHECK(summary_text(summarize({})) == "-");
}

TEST_CASE("text tables are aligned in columns of the terminal") {
  const std::string text = results_table(example()).text();
  CHECK(text == "method       mnist \u2192 optdigits    a|b   average\n"
                "-----------  -----------------   ----   -------\n"
                "source only         74.0 \u00B1 1.0   50.0*     62.0*\n"
                "mdd                 92.5 \u00B1 0.7*     -         -\n"
                "dan                          -    5.0         -\n");
  const std::string bold = results_table(example()).text(emphasis::terminal_bold);
  CHECK(bold.find("\x1b[1m92.5 \u00B1 0.7\x1b[0m") != std::string::npos);
  CHECK(bold.find('*') == std::string::npos);
}

TEST_CASE("Markdown tables have the best in bold and escape what would end a cell") {
  const std::string text = results_table(example()).markdown();
  CHECK(text == "| method | mnist \u2192 optdigits | a\\|b | average |\n"
                "| :-- | --: | --: | --: |\n"
                "| source only | 74.0 \u00B1 1.0 | **50.0** | **62.0** |\n"
                "| mdd | **92.5 \u00B1 0.7** | - | - |\n"
                "| dan | - | 5.0 | - |\n");
}

TEST_CASE("tables refuse rows of another length") {
  table t({"a", "b"});
  CHECK_THROWS_WITH_AS(t.add({{"1"}}), "table: a row of 1 cells for 2 columns", std::invalid_argument);
  CHECK_THROWS_AS(table({}), std::invalid_argument);
  CHECK(results_table({}).text() == "method\n------\n");
}

TEST_CASE("the HTML report is self-contained and escapes all text") {
  html_report report("<script>alert(1)</script>");
  report.paragraph("a < b & c");
  report.settings("Configuration", {{"out", "\"><img src=x>"}});
  report.results("Results", results_table(example()));
  report.figure(line_plot({{"x", {0, 1}, {0, 1}}}, {}), "a <caption>");
  report.notes("Notes", {"one", "<b>two</b>"});
  const std::string page = report.str();
  CHECK(page.find("<script") == std::string::npos);
  CHECK(page.find("<img") == std::string::npos);
  CHECK(page.find("<b>") == std::string::npos);
  CHECK(page.find("a &lt; b &amp; c") != std::string::npos);
  CHECK(page.find("<strong>92.5 \u00B1 0.7</strong>") != std::string::npos);
  CHECK(page.find("<svg") != std::string::npos);
  CHECK(page.find(" src=") == page.find(" src=x&gt;")); // loads nothing
  CHECK(page.find("url(") == std::string::npos);
  const std::filesystem::path path = std::filesystem::temp_directory_path() / joined("dalib_report_", std::to_string(::getpid()), ".html");
  report.save(path);
  std::ifstream file(path);
  CHECK(std::string(std::istreambuf_iterator<char>(file), {}) == page);
  std::filesystem::remove(path);
  CHECK_THROWS_AS(report.save("/nonexistent-folder/report.html"), std::runtime_error);
}

TEST_CASE("a contact sheet escapes names, and leaves out the picture that is not there") {
  const std::string sheet =
      contact_sheet({{"data:image/png;base64,AA==", "a<b", "97 %", "x\" onload=\"y"}, {"", "ring", "51 %, is star", "2", true}});
  CHECK(sheet.find("<img src=\"data:image/png;base64,AA==\" alt=\"x&quot; onload=&quot;y\">") != std::string::npos);
  CHECK(sheet.find("<b>a&lt;b</b> 97 %") != std::string::npos);
  CHECK(sheet.find("<div class=\"wrong\"><b>ring</b> 51 %, is star<small>2</small>") != std::string::npos);
  html_report page("sheet");
  page.block(sheet);
  page.subsection("a & b");
  CHECK(page.str().find(sheet) != std::string::npos);
  CHECK(page.str().find("<h3>a &amp; b</h3>") != std::string::npos);
}

TEST_CASE("confusion: a matrix with each class's share, or the worst classes") {
  const Eigen::MatrixXi counts = (Eigen::MatrixXi(3, 3) << 8, 2, 0, 0, 0, 0, 3, 1, 0).finished();
  const std::vector<std::string> names{"a", "<b>", "c"};
  const std::string matrix = confusion_matrix(counts, names);
  CHECK(matrix.find("<tr><td>a</td><td>10</td><td>80.0</td><td style=\"background:rgba(0,114,178,0.49)\">8</td>") != std::string::npos);
  CHECK(matrix.find("<td>&lt;b&gt;</td><td>0</td><td>-</td>") != std::string::npos); // a class without samples
  CHECK(matrix.find("rgba(213,94,0,0.48)\">3</td>") != std::string::npos);
  CHECK(worst_classes(counts, names, 5).text() == "class  samples  right, %  most often taken for\n"
                                                  "-----  -------  --------  --------------------\n"
                                                  "c            4       0.0                 a (3)\n"
                                                  "a           10      80.0               <b> (2)\n");
  CHECK(worst_classes(counts, names, 1).text().find("80.0") == std::string::npos);
  CHECK_THROWS_WITH_AS(confusion_matrix(counts, {"a", "b"}), "confusion: 2 classes need as many rows and columns, got (3, 3)",
                       std::invalid_argument);
}

TEST_CASE("results as JSON") {
  const auto document = nlohmann::json::parse(
      results_json(example(), {{"seed", "1"}, {"bad", "\xff"}}).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  CHECK(document["configuration"]["seed"] == "1");
  REQUIRE(document["results"].size() == 5);
  CHECK(document["results"][0]["method"] == "source only");
  CHECK(document["results"][0]["accuracies"] == nlohmann::json({73.0, 74.0, 75.0}));
  CHECK(document["results"][0]["mean"] == 74.0);
  CHECK(document["results"][0]["deviation"] == 1.0);
  CHECK(document["results"][1]["deviation"].is_null());
  CHECK(document["results"][4]["mean"].is_null());
  const std::filesystem::path path = std::filesystem::temp_directory_path() / joined("dalib_results_", std::to_string(::getpid()), ".json");
  save_json(path, results_json(example(), {{"bad", "\xff"}}));
  std::ifstream file(path);
  CHECK(nlohmann::json::parse(file)["configuration"]["bad"] == "\uFFFD");
  std::filesystem::remove(path);
}
