// Our side of compare_tests.py: benchmark_two_sample_tests TASK N F DRAWS [THREADS] prints the milliseconds of the processor that one call
// takes, the median of several, and the most memory that the process has had, as JSON. N rows in each sample.
#include "../tests/unit/inference/samples.hpp"

#include <dalib/dalib.hpp>
#include <dalib/inference/aggregated_test.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <string>
#include <vector>

using namespace dalib;
using namespace dalib::inference;
using matrix = Eigen::MatrixXf;

namespace {

double value_of_task(const std::string& task, const matrix& x, const matrix& y, index_t draws, const exec::default_policy& exec) {
  const test_options options{.draws = draws, .seed = 1};
  const kernel::gaussian k{static_cast<double>(x.cols())}; // any; its choice is no part of what is compared
  if (task == "permutation") return permutation_test{k}(exec, x, y, options).p_value;
  if (task == "mmd") {
    matrix gx(x.rows(), x.cols()), gy(y.rows(), y.cols());
    return static_cast<double>(mmd{k, estimator::unbiased{}}.value_and_gradient(exec, x, y, gradients{gx, gy}));
  }
  if (task == "mmdagg") return aggregated_test{mmdagg_kernel(x, y), resampling::permutations}(exec, x, y, options).p_values[0];
  std::fprintf(stderr, "unknown task %s: permutation, mmd or mmdagg\n", task.c_str());
  std::exit(2);
}

/// The most memory that this process has had, in MiB; what getrusage says is also that of the process which began it.
double peak_mib() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (word == "VmHWM:" && status >> word) return std::strtod(word.c_str(), nullptr) / 1024;
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  if (argc < 5) return std::fprintf(stderr, "usage: %s permutation|mmd|mmdagg N F DRAWS [THREADS]\n", argv[0]), 2;
  const index_t n = std::atoll(argv[2]), features = std::atoll(argv[3]), draws = std::atoll(argv[4]);
  exec::default_policy exec;
#if defined(_OPENMP)
  exec.threads = argc > 5 ? std::atoi(argv[5]) : 1;
#endif
  const matrix x = test::normal_rows<float>(1, n, features), y = test::normal_rows<float>(2, n, features, 0.05);
  const auto now = [] { return 1e3 * static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }; // of all threads: use one for times
  std::vector<double> times;
  double value = 0;
  const double until = now() + 1500;
  do {
    const double start = now();
    value = value_of_task(argv[1], x, y, draws, exec);
    times.push_back(now() - start);
  } while (now() < until && times.size() < 101);
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2), times.end());
  std::printf("{\"ms\": %.4g, \"calls\": %zu, \"peak_mib\": %.4g, \"value\": %.6g}\n", times[times.size() / 2], times.size(), peak_mib(),
              value);
}
