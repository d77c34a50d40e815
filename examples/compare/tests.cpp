// The tests that the program runs.
#include "tests.hpp"

#include <dalib/inference/aggregated_test.hpp>
#include <dalib/inference/linear_time_test.hpp>
#include <dalib/inference/nystrom_test.hpp>
#include <dalib/inference/permutation_test.hpp>
#include <dalib/inference/spectrum_test.hpp>
#include <dalib/inference/wild_bootstrap_test.hpp>

#include <algorithm>
#include <cmath>

namespace dalib::compare {

namespace {

using matrix = loaded_sample::matrix;

/// Rows in an order that has nothing to do with the file's: tests of blocks suppose it.
matrix shuffled(const matrix& rows, std::uint64_t seed, std::uint64_t which) {
  std::vector<index_t> order(static_cast<std::size_t>(rows.rows()));
  inference::draw(seed, inference::draw_stream::row, static_cast<index_t>(100 + which)).permute(order, rows.rows());
  matrix result(rows.rows(), rows.cols());
  for (std::ptrdiff_t i = 0; i < rows.rows(); ++i) result.row(i) = rows.row(order[static_cast<std::size_t>(i)]);
  return result;
}

finding of_counting(const std::string& name, const inference::test_result& r, const std::string& remark) {
  return {name, r.statistic, r.p_value, r.threshold, r.reject, r.warning.empty() ? remark : r.warning, r.null_sample};
}

finding run_aggregated(const setting& s, const matrix& x, const matrix& y) {
  inference::aggregated_test aggregated{inference::fuse_kernel(x, y)};
  aggregated.level_draws = std::max<std::ptrdiff_t>(200, s.asked.permutations / 2);
  const inference::aggregated_result r = aggregated(s.policy, x, y, s.test);
  const inference::bandwidth_collection widths = inference::fuse_bandwidths(x, y);
  const std::size_t best = r.strongest();
  finding f{"aggregated",
            r.statistics[best],
            r.p_values[best],
            r.quantiles[best],
            r.reject,
            r.warning.empty() ? "20 kernels are tried together at one level; statistic, p and threshold are those of the clearest kernel, "
                                "whose p must be at most its limit"
                              : r.warning,
            r.null_samples[best],
            r.p_values,
            r.p_thresholds,
            {}};
  for (const double b : widths.l1) f.kernels.push_back("Laplacian of l1, bandwidth " + std::to_string(b));
  for (const double b : widths.l2) f.kernels.push_back("Gaussian, bandwidth " + std::to_string(b));
  return f;
}

} // namespace

finding run_test(const std::string& name, const setting& s, const matrix& x, const matrix& y) {
  const char* exact = "exact for independent rows at any size";
  if (name == "aggregated") return run_aggregated(s, x, y);
  if (name == "fuse") return of_counting(name, inference::fuse_test{inference::fuse_kernel(x, y)}(s.policy, x, y, s.test), exact);
  if (name == "permutation") return of_counting(name, inference::permutation_test{s.kernel}(s.policy, x, y, s.test), exact);
  if (name == "energy") return of_counting(name, inference::energy_test{}(s.policy, x, y, s.test), exact);
  const std::ptrdiff_t pairs = std::min(x.rows(), y.rows());
  if (name == "wild-bootstrap") {
    const matrix a = x.topRows(pairs), b = y.topRows(pairs);
    return of_counting(name, inference::wild_bootstrap_test{s.kernel}(s.policy, a, b, s.test),
                       "rows are taken in pairs, the first " + std::to_string(pairs) + " of each file");
  }
  if (name == "spectrum")
    return of_counting(name, inference::spectrum_test{s.kernel}(s.policy, x, y, s.test), "approximate: trust it from about 100 rows on");
  if (name == "nystrom") {
    const bool indefinite = s.kernel.holds<kernel::energy>(); // features need a positive definite one
    const chosen_kernel kernel = indefinite ? kernel_named("gaussian", s.bandwidth) : s.kernel;
    const auto r = inference::nystrom_test{kernel}(s.policy, x, y, s.test);
    return of_counting(name, r,
                       "exact for independent rows at any size; rows are seen through " + std::to_string(r.landmarks) + " of them");
  }
  const matrix a = shuffled(x, s.asked.seed, 1), b = shuffled(y, s.asked.seed, 2);
  if (name == "linear-time") {
    const auto r = inference::linear_time_test{s.kernel}(s.policy, a, b, s.test);
    return of_counting(name, r, "approximate, rows in random order; misses small differences");
  }
  const auto rows = std::max<std::ptrdiff_t>(2, static_cast<std::ptrdiff_t>(std::sqrt(static_cast<double>(pairs))));
  const auto r = inference::block_test{s.kernel, std::min(rows, pairs / 2)}(s.policy, a, b, s.test);
  return of_counting(name, r, "approximate, rows in random order, blocks of " + std::to_string(rows));
}

} // namespace dalib::compare
