#include "report/bar_chart.hpp"
#include "report/line_plot.hpp"
#include "report/scatter_plot.hpp"
#include "report/svg_grid.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

using namespace dalib::report;

namespace {

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size())) ++found;
  return found;
}

/// True if the tags of a document are balanced and no attribute holds a number that is not finite.
bool well_formed(const std::string& svg) {
  std::vector<std::string> open;
  for (std::size_t at = svg.find('<'); at != std::string::npos; at = svg.find('<', at + 1)) {
    const std::size_t end = svg.find('>', at);
    if (end == std::string::npos) return false;
    const std::string tag = svg.substr(at + 1, end - at - 1);
    if (count(tag, "\"") % 2 != 0 || count(tag, "\"nan") + count(tag, "inf\"") + count(tag, "nan,") + count(tag, ",nan") > 0) return false;
    if (tag.front() == '/') {
      if (open.empty() || open.back() != tag.substr(1)) return false;
      open.pop_back();
    } else if (tag.back() != '/') {
      open.push_back(tag.substr(0, tag.find(' ')));
    }
  }
  return open.empty();
}

const double missing = std::numeric_limits<double>::quiet_NaN();
const double inf = std::numeric_limits<double>::infinity();

} // namespace

TEST_CASE("a line plot draws each curve, its band, its name and its labels") {
  const std::string svg = line_plot({{"DAN & co", {0, 1, 2}, {1, 2, 3}, {0.1, 0.2, 0.3}}, {"<DANN>", {0, 1, 2}, {3, 2, 1}}},
                                    {.title = "a title", .x_label = "an x", .y_label = "a y"});
  CHECK(well_formed(svg));
  CHECK(count(svg, "<polyline") == 2);
  CHECK(count(svg, "<polygon") == 1);
  for (const char* text : {">DAN &amp; co<", ">&lt;DANN&gt;<", ">a title<", ">an x<", ">a y<"}) CHECK(count(svg, text) == 1);
}

TEST_CASE("points of a curve are where the axis says") {
  svg_canvas canvas(100, 100, "test");
  axes frame{{10, 20, 50, 40}, make_axis({0, 10}, 0, 5), make_axis({0, 1}, 0, 5)};
  CHECK(frame.at(0, 0).x == 10);
  CHECK(frame.at(0, 0).y == 60);
  CHECK(frame.at(10, 1).x == 60);
  CHECK(frame.at(10, 1).y == 20);
}

TEST_CASE("odd data never break a plot") {
  const std::vector<std::vector<series>> cases{
      {},
      {{"empty", {}, {}}},
      {{"one point", {3}, {4}}},
      {{"constant", {1, 2, 3}, {5, 5, 5}}},
      {{"all nan", {1, 2}, {missing, missing}}},
      {{"gaps", {0, 1, 2, 3, 4}, {1, missing, inf, 2, 3}, {missing, 1, 1, inf, 1}}},
      {{"bad x", {missing, 1, inf, 2}, {1, 2, 3, 4}}},
      {{"huge", {1, 2, 3}, {1e308, -1e308, 1}}},
      {{"lengths", {1, 2, 3, 4}, {1, 2}, {1}}},
      {{"negative", {1, 2, 3}, {-1, 0, -2}, {1, 1, 1}}},
      {{"same x", {2, 2, 2}, {1, 2, 3}}},
  };
  for (const auto& curves : cases)
    for (const bool log_y : {false, true})
      for (const std::size_t smoothing : {1u, 3u}) {
        CAPTURE(curves.size());
        line_plot_options options{"t", "x", "y"};
        options.log_y = log_y;
        options.smoothing = smoothing;
        options.reference = missing;
        CHECK(well_formed(line_plot(curves, options)));
      }
}

TEST_CASE("a curve keeps its colour in every plot, and small multiples are one document") {
  series first{"first", {0, 1}, {1, 2}}, second{"second", {0, 1}, {2, 1}};
  second.look = 1;
  const std::string both = line_plot({first, second}, {}), alone = line_plot({second}, {.width = 300, .height = 200});
  CHECK(count(both, line_color(1)) > 0);
  CHECK(count(alone, line_color(1)) == count(both, line_color(1)));
  CHECK(count(alone, line_color(0)) == 0);
  const std::string grid = svg_grid({alone, alone, alone}, 2, {300, 200});
  CHECK(well_formed(grid));
  CHECK(count(grid, "viewBox=\"0 0 600 400\"") == 1);
  CHECK(count(grid, "translate(300 0)") == 1);
  CHECK(count(grid, "translate(0 200)") == 1);
}

TEST_CASE("a gap splits a curve and a lone point is a dot") {
  const std::string svg = line_plot({{"", {0, 1, 2, 3, 4, 5}, {1, 2, missing, 3, missing, 4}}}, {});
  CHECK(count(svg, "<polyline") == 1);
  CHECK(count(svg, "<circle") == 2);
}

TEST_CASE("long curves are thinned, and the extremes stay") {
  series s{"noise", {}, {}};
  for (int i = 0; i < 100000; ++i) {
    s.x.push_back(i);
    s.y.push_back(i == 50001 ? 10.0 : std::sin(i * 12.9898));
  }
  const std::string svg = line_plot({s}, {});
  CHECK(svg.size() < 60000);
  std::vector<point> points;
  for (std::size_t i = 0; i < s.x.size(); ++i) points.push_back({s.x[i] / 100, s.y[i]});
  const auto kept = detail::thinned(points);
  CHECK(kept.size() <= 4000);
  CHECK(std::any_of(kept.begin(), kept.end(), [](point p) { return p.y == 10.0; }));
  CHECK(std::is_sorted(kept.begin(), kept.end(), [](point a, point b) { return a.x < b.x; }));
}

TEST_CASE("smoothing is the mean over a centred window that stops at gaps") {
  const series s{"", {0, 1, 2, 3, 4, 5}, {0, 3, 6, missing, 10, 20}};
  const series mean = detail::smoothed(s, 3, false);
  CHECK(mean.y[0] == 1.5);
  CHECK(mean.y[1] == 3);
  CHECK(mean.y[2] == 4.5);
  CHECK(std::isnan(mean.y[3]));
  CHECK(mean.y[4] == 15);
}

TEST_CASE("a scatter plot draws circles for source, triangles for target, and skips what is not finite") {
  scatter_panel panel{"before", Eigen::MatrixXd::Random(20, 2), Eigen::MatrixXd::Random(30, 2), std::vector<int>(20, 1),
                      std::vector<int>(30, 2)};
  panel.source(3, 0) = missing;
  const std::string svg = scatter_plot({panel}, {.title = "t", .class_names = {"zero", "<one>"}});
  CHECK(well_formed(svg));
  CHECK(count(svg, "<circle") == 19 + 1);  // one in the legend
  CHECK(count(svg, "<polygon") == 30 + 1); // one in the legend
  CHECK(count(svg, "&lt;one&gt;") == 2);   // legend and panel
  CHECK(count(svg, ">2<") == 2);           // a class without a name
}

TEST_CASE("degenerate scatter plots") {
  const scatter_panel empty{"empty", {}, {}};
  const scatter_panel same{"same", Eigen::MatrixXd::Ones(5, 2), Eigen::MatrixXd::Ones(5, 2)};
  const scatter_panel lost{"lost", Eigen::MatrixXd::Constant(2, 2, missing), Eigen::MatrixXd(0, 2)};
  CHECK(well_formed(scatter_plot({}, {})));
  const std::string svg = scatter_plot({empty, same, lost, empty}, {});
  CHECK(well_formed(svg));
  CHECK(count(svg, ">no points<") == 3);
  scatter_panel wrong{"wrong", Eigen::MatrixXd::Zero(5, 3), {}};
  CHECK_THROWS_WITH_AS(scatter_plot({wrong}, {}), "scatter_plot: the source points must have 2 columns, got (5, 3)", std::invalid_argument);
  wrong = {"wrong", {}, Eigen::MatrixXd::Zero(5, 2), {}, {1, 2}};
  CHECK_THROWS_WITH_AS(scatter_plot({wrong}, {}), "scatter_plot: 5 target points but 2 labels", std::invalid_argument);
}

TEST_CASE("a bar chart shows means, deviations, the best and what was not run") {
  result_set results;
  for (const double accuracy : {70.0, 72.0, 74.0}) results.add("source only", "a -> b", accuracy);
  for (const double accuracy : {90.0, 91.0}) results.add("MDD", "a -> b", accuracy);
  results.add("MDD", "b -> a", missing);
  results.add("source only", "b -> a", 400);
  const std::string svg = bar_chart(results, {.title = "t", .baseline = "source only"});
  CHECK(well_formed(svg));
  CHECK(count(svg, ">72.0 \u00B1 2.0<") == 1);
  CHECK(count(svg, "font-weight=\"bold\">90.5 \u00B1 0.7<") == 1);
  CHECK(count(svg, ">not run<") == 1);
  CHECK(count(svg, "source only, a -&gt; b: 72.0 \u00B1 2.0 (3 runs)") == 1);
  CHECK(well_formed(bar_chart({}, {})));
}
