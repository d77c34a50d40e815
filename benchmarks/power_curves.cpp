// Power of the two-sample tests on three published problems: benchmark_power_curves [REPETITIONS [PICTURE.svg]] prints tables and draws
// them. Nothing is timed. include/dalib/inference.md has both.
#include "../tests/unit/inference/problems.hpp"

#include <dalib/dalib.hpp>
#include <dalib/inference/aggregated_test.hpp>
#include <dalib/inference/linear_time_test.hpp>
#include <dalib/inference/nystrom_test.hpp>

#include "io/atomic_file.hpp"
#include "report/line_plot.hpp"
#include "report/svg_grid.hpp"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

using namespace dalib;
using namespace dalib::inference;
using matrix = Eigen::MatrixXf;
using samples = std::pair<matrix, matrix>;
using contestant = std::pair<std::string, std::function<bool(const samples&, const test_options&)>>;

namespace {

/// The median distance as Schrab et al. use it, whose Gaussian is exp(-d^2 / b^2), times a factor.
struct median_of_paper {
  double factor = 1;
  template <class Data>
  double squared_scale(const Data& data) const {
    return factor * factor * bandwidth::median{}.squared_scale(data) / 2;
  }
};

/// Every test at level 0.05, with 199 draws.
std::vector<contestant> tests() {
  return {
      {"permutation, median", [](const samples& z, const test_options& o) { return permutation_test<>{}(z.first, z.second, o).reject; }},
      {"energy", [](const samples& z, const test_options& o) { return energy_test{}(z.first, z.second, o).reject; }},
      {"MMDAgg",
       [](const samples& z, const test_options& o) {
         aggregated_test test{fuse_kernel(z.first, z.second, 5)};
         test.level_draws = 200;
         return test(z.first, z.second, o).reject;
       }},
      {"MMD-FUSE",
       [](const samples& z, const test_options& o) { return fuse_test{fuse_kernel(z.first, z.second, 5)}(z.first, z.second, o).reject; }},
      {"Nystrom", [](const samples& z, const test_options& o) { return nystrom_test<>{}(z.first, z.second, o).reject; }},
      {"linear-time", [](const samples& z, const test_options& o) { return linear_time_test<>{}(z.first, z.second, o).reject; }}};
}

/// The tests of Schrab et al. (2023), section 5.4, as they ran them: 500 draws, and 500 for the level; five Gaussians, 2^-4 .. 1 medians.
std::vector<contestant> tests_of_paper() {
  return {{"median, as in the paper",
           [](const samples& z, test_options o) {
             o.draws = 500;
             return permutation_test{kernel::gaussian{median_of_paper{}}}(z.first, z.second, o).reject;
           }},
          {"MMDAgg, as in the paper", [](const samples& z, test_options o) {
             o.draws = 500;
             const auto k = [](double factor) { return kernel::gaussian{median_of_paper{factor}}; };
             return aggregated_test{k(1.0 / 16) + k(1.0 / 8) + k(1.0 / 4) + k(1.0 / 2) + k(1)}(z.first, z.second, o).reject;
           }}};
}

/// What the paper's authors found for these two, 500 repetitions each (results.csv of their repository mmdagg-paper).
const std::vector<report::series>& found_in_paper() {
  constexpr double none = std::numeric_limits<double>::quiet_NaN(); // between values: so that dots are drawn
  static const std::vector<report::series> found{{"", {1, 1, 2, 2, 3, 3, 4}, {1.0, none, 0.804, none, 0.082, none, 0.020}, {}, 6},
                                                 {"", {1, 1, 2, 2, 3, 3, 4}, {1.0, none, 0.976, none, 0.348, none, 0.032}, {}, 7}};
  return found;
}

/// A table, one row for each test and one column for each value of what is varied, and its curves.
struct problem {
  std::string title, varied_name;
  std::vector<double> varied;
  std::function<samples(double, std::uint64_t)> draw_at;

  std::vector<report::series> measure(const std::vector<contestant>& contestants, int repetitions) const {
    std::printf("\n| %s, %s |", title.c_str(), varied_name.c_str());
    for (const double v : varied) std::printf(" %g |", v);
    std::printf("\n|---|");
    for (std::size_t i = 0; i < varied.size(); ++i) std::printf("---|");
    std::printf("\n");
    std::vector<report::series> curves;
    for (const auto& [name, rejects] : contestants) {
      curves.push_back({name, varied, {}, {}, static_cast<int>(curves.size())});
      std::printf("| %s |", name.c_str());
      for (const double v : varied) {
        int count = 0;
        for (int i = 0; i < repetitions; ++i) {
          const auto seed = static_cast<std::uint64_t>(i);
          count += rejects(draw_at(v, 2 * seed + 1), {.draws = 199, .seed = seed}) ? 1 : 0;
        }
        curves.back().y.push_back(count / static_cast<double>(repetitions));
        std::printf(" %.2f |", curves.back().y.back());
        std::fflush(stdout);
      }
      std::printf("\n");
    }
    return curves;
  }
  std::string plot(const std::vector<report::series>& curves) const {
    return report::line_plot(curves, {.title = title,
                                      .x_label = varied_name,
                                      .y_label = "share rejected",
                                      .width = 560,
                                      .height = 460,
                                      .y_limits = report::range{0, 1},
                                      .reference = 0.05});
  }
};

int run(int repetitions, const std::string& picture) {
  const problem shifted{
      "normal, F = 2, n = 100", "shift", {0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6}, [](double shift, std::uint64_t seed) {
        return samples{test::normal_rows(seed, 100, 2).cast<float>(), test::normal_rows(seed + 1, 100, 2, shift).cast<float>()};
      }};
  const problem blobs{"blobs, stretched 6 times", "n", {50, 100, 150, 200, 300}, [](double n, std::uint64_t seed) {
                        const auto rows = static_cast<index_t>(n);
                        return samples{test::blobs(seed, rows, 1).cast<float>(), test::blobs(seed + 1, rows, 6).cast<float>()};
                      }};
  const problem waves{"perturbed uniforms, F = 1, n = 500", "perturbations", {1, 2, 3, 4, 5, 6}, [](double count, std::uint64_t seed) {
                        return samples{test::perturbed_uniforms(seed, 500, static_cast<int>(count), seed).cast<float>(),
                                       test::perturbed_uniforms(seed + 1, 500, 0, 0).cast<float>()};
                      }};
  problem paper = waves;
  paper.title = "perturbed uniforms (dots: the paper)";
  paper.varied = {1, 2, 3, 4};
  std::vector<std::string> plots;
  for (const problem* one : {&shifted, &blobs, &waves}) plots.push_back(one->plot(one->measure(tests(), repetitions)));
  std::vector<report::series> beside = paper.measure(tests_of_paper(), repetitions);
  for (std::size_t k = 0; k < beside.size(); ++k) beside[k].look = found_in_paper()[k].look;
  beside.insert(beside.end(), found_in_paper().begin(), found_in_paper().end());
  plots.push_back(paper.plot(beside));
  if (!picture.empty()) io::write_text_file(picture, report::svg_grid(plots, 2, {560, 470}));
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  try {
    return run(argc > 1 ? std::max(1, std::atoi(argv[1])) : 100, argc > 2 ? argv[2] : "");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
