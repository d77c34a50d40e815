// Power of the two-sample tests on three published problems, as tables: benchmark_power_curves [repetitions]. Nothing is timed.
#include "../tests/unit/inference/problems.hpp"

#include <dalib/dalib.hpp>
#include <dalib/inference/aggregated_test.hpp>
#include <dalib/inference/linear_time_test.hpp>
#include <dalib/inference/nystrom_test.hpp>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <utility>
#include <vector>

using namespace dalib;
using namespace dalib::inference;
using matrix = Eigen::MatrixXf;
using samples = std::pair<matrix, matrix>;

namespace {

/// Every test at level 0.05, with 199 draws.
const std::vector<std::pair<std::string, std::function<bool(const samples&, const test_options&)>>>& tests() {
  static const std::vector<std::pair<std::string, std::function<bool(const samples&, const test_options&)>>> all{
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
  return all;
}

/// A table: one row for each test, one column for each value of what is varied.
void print_power(const std::string& problem, const std::vector<double>& varied, int repetitions,
                 const std::function<samples(double, std::uint64_t)>& draw_at) {
  std::printf("\n| %s |", problem.c_str());
  for (const double v : varied) std::printf(" %g |", v);
  std::printf("\n|---|");
  for (std::size_t i = 0; i < varied.size(); ++i) std::printf("---|");
  std::printf("\n");
  for (const auto& [name, rejects] : tests()) {
    std::printf("| %s |", name.c_str());
    for (const double v : varied) {
      int count = 0;
      for (int i = 0; i < repetitions; ++i) {
        const auto seed = static_cast<std::uint64_t>(i);
        count += rejects(draw_at(v, 2 * seed + 1), {.draws = 199, .seed = seed}) ? 1 : 0;
      }
      std::printf(" %.2f |", count / static_cast<double>(repetitions));
      std::fflush(stdout);
    }
    std::printf("\n");
  }
}

} // namespace

int main(int argc, char** argv) {
  const int repetitions = argc > 1 ? std::max(1, std::atoi(argv[1])) : 100;
  print_power("normal, F = 2, n = 100, shift", {0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6}, repetitions, [](double shift, std::uint64_t seed) {
    return samples{test::normal_rows(seed, 100, 2).cast<float>(), test::normal_rows(seed + 1, 100, 2, shift).cast<float>()};
  });
  print_power("blobs, stretched 6 times, n", {50, 100, 150, 200, 300}, repetitions, [](double n, std::uint64_t seed) {
    const auto rows = static_cast<index_t>(n);
    return samples{test::blobs(seed, rows, 1).cast<float>(), test::blobs(seed + 1, rows, 6).cast<float>()};
  });
  print_power("perturbed uniforms, F = 1, n = 500, perturbations", {1, 2, 3, 4, 5, 6}, repetitions, [](double count, std::uint64_t seed) {
    return samples{test::perturbed_uniforms(seed, 500, static_cast<int>(count), seed).cast<float>(),
                   test::perturbed_uniforms(seed + 1, 500, 0, 0).cast<float>()};
  });
}
