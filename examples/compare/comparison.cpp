// The tests that the program runs.
#include "comparison.hpp"

#include "chosen_kernel.hpp"

#include <dalib/inference/aggregated_test.hpp>
#include <dalib/inference/linear_time_test.hpp>
#include <dalib/inference/permutation_test.hpp>
#include <dalib/inference/spectrum_test.hpp>
#include <dalib/inference/wild_bootstrap_test.hpp>
#include <dalib/inference/witness.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace dalib::compare {

namespace {

using matrix = loaded_sample::matrix;

/// Beyond so many rows in both files together, quadratic tests take minutes.
constexpr std::ptrdiff_t most_rows_for_quadratic = 10000;

/// At most `count` rows, drawn without replacement, in the order of the file.
void draw_rows(matrix& rows, std::ptrdiff_t count, std::uint64_t seed, std::uint64_t which) {
  if (count <= 0 || rows.rows() <= count) return;
  std::vector<index_t> order(static_cast<std::size_t>(rows.rows()));
  inference::draw(seed, inference::draw_stream::row, static_cast<index_t>(which)).permute(order, count);
  order.resize(static_cast<std::size_t>(count));
  std::sort(order.begin(), order.end());
  matrix kept(count, rows.cols());
  for (std::ptrdiff_t i = 0; i < count; ++i) kept.row(i) = rows.row(order[static_cast<std::size_t>(i)]);
  rows = std::move(kept);
}

/// Rows in an order that has nothing to do with the file's: tests of blocks suppose it.
matrix shuffled(const matrix& rows, std::uint64_t seed, std::uint64_t which) {
  std::vector<index_t> order(static_cast<std::size_t>(rows.rows()));
  inference::draw(seed, inference::draw_stream::row, static_cast<index_t>(100 + which)).permute(order, rows.rows());
  matrix result(rows.rows(), rows.cols());
  for (std::ptrdiff_t i = 0; i < rows.rows(); ++i) result.row(i) = rows.row(order[static_cast<std::size_t>(i)]);
  return result;
}

/// Mean 0 and deviation 1 of each feature over both samples; constant features become 0.
void standardise(matrix& a, matrix& b) {
  const auto n = static_cast<double>(a.rows() + b.rows());
  const Eigen::RowVectorXd mean = (a.colwise().sum() + b.colwise().sum()) / n;
  a.rowwise() -= mean;
  b.rowwise() -= mean;
  for (std::ptrdiff_t f = 0; f < a.cols(); ++f) {
    const double deviation = std::sqrt((a.col(f).squaredNorm() + b.col(f).squaredNorm()) / n);
    if (deviation > 0) {
      a.col(f) /= deviation;
      b.col(f) /= deviation;
    }
  }
}

/// Everything that one test needs.
struct setting {
  const options& asked;
  exec::default_policy policy;
  inference::test_options test;
  chosen_kernel kernel;
};

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
  const matrix a = shuffled(x, s.asked.seed, 1), b = shuffled(y, s.asked.seed, 2);
  if (name == "linear-time") {
    const auto r = inference::linear_time_test{s.kernel}(s.policy, a, b, s.test);
    return of_counting(name, r, "approximate, rows in random order; misses small differences");
  }
  const auto rows = std::max<std::ptrdiff_t>(2, static_cast<std::ptrdiff_t>(std::sqrt(static_cast<double>(pairs))));
  const auto r = inference::block_test{s.kernel, std::min(rows, pairs / 2)}(s.policy, a, b, s.test);
  return of_counting(name, r, "approximate, rows in random order, blocks of " + std::to_string(rows));
}

chosen_kernel::kind kind_of(const std::string& name) {
  for (int i = 0; i < 5; ++i)
    if (name == chosen_kernel::names[i]) return static_cast<chosen_kernel::kind>(i);
  throw std::invalid_argument("unknown kernel '" + name + "'");
}

/// Holm's correction of the energy tests of single features.
std::vector<feature_finding> compare_features(const setting& s, const matrix& x, const matrix& y, const std::vector<std::string>& names,
                                              const progress& tell) {
  std::vector<feature_finding> result;
  for (std::ptrdiff_t f = 0; f < x.cols(); ++f) {
    tell("feature " + std::to_string(f + 1) + " of " + std::to_string(x.cols()));
    const Eigen::VectorXd a = x.col(f), b = y.col(f);
    const double deviation = std::sqrt(((a.array() - a.mean()).square().sum() + (b.array() - b.mean()).square().sum()) /
                                       static_cast<double>(a.size() + b.size()));
    const auto place = static_cast<std::size_t>(f);
    result.push_back({place < names.size() ? names[place] : "feature " + std::to_string(f + 1),
                      inference::energy_test{}(s.policy, a, b, s.test).p_value, 1, deviation > 0 ? (a.mean() - b.mean()) / deviation : 0});
  }
  std::stable_sort(result.begin(), result.end(), [](const auto& a, const auto& b) {
    return a.p_value != b.p_value ? a.p_value < b.p_value : std::abs(a.difference) > std::abs(b.difference);
  });
  double most = 0;
  for (std::size_t i = 0; i < result.size(); ++i)
    result[i].corrected = most = std::max(most, std::min(1.0, static_cast<double>(result.size() - i) * result[i].p_value));
  return result;
}

void note_left_out(const loaded_sample& sample, comparison& result) {
  if (sample.left_out.empty()) return;
  std::string rows;
  for (std::size_t i = 0; i < std::min<std::size_t>(5, sample.left_out.size()); ++i)
    rows += (i > 0 ? ", " : "") + std::to_string(sample.left_out[i]);
  result.notes.push_back(sample.name + ": " + std::to_string(sample.left_out.size()) + " rows are not finite and were left out (row " +
                         rows + (sample.left_out.size() > 5 ? ", ..." : "") + ")");
}

/// The tests of `auto` and of `all`.
std::vector<std::string> chosen_tests(const options& asked, std::ptrdiff_t rows, comparison& result) {
  const bool large = rows > most_rows_for_quadratic;
  if (asked.test == "all") {
    if (!large) return test_names();
    result.notes.push_back("with " + std::to_string(rows) +
                           " rows only the tests of linear cost were run; --rows 2000 compares a sample by all");
    return {"linear-time", "block"};
  }
  if (asked.test != "auto") return {asked.test};
  if (!large) return {"aggregated"};
  result.notes.push_back("with " + std::to_string(rows) +
                         " rows the block test was chosen, whose cost grows slowly; --rows 2000 compares a sample by the aggregated test");
  return {"block"};
}

} // namespace

comparison run_comparison(const options& asked, const progress& tell, loaded_sample& first, loaded_sample& second) {
  comparison result;
  tell("reading " + asked.first);
  first = read_sample(asked.first);
  tell("reading " + asked.second);
  second = read_sample(asked.second);
  if (first.rows.cols() != second.rows.cols())
    throw std::invalid_argument(first.name + " has " + std::to_string(first.rows.cols()) + " features, " + second.name + " has " +
                                std::to_string(second.rows.cols()));
  note_left_out(first, result);
  note_left_out(second, result);
  draw_rows(first.rows, asked.rows, asked.seed, 1);
  draw_rows(second.rows, asked.rows, asked.seed, 2);
  for (const loaded_sample* one : {&first, &second})
    if (one->rows.rows() < 4)
      throw std::invalid_argument(one->name + " has " + std::to_string(one->rows.rows()) + " usable rows, at least 4 are needed");
  if (asked.standardise) standardise(first.rows, second.rows);
  const matrix &x = first.rows, &y = second.rows;
  result.features = static_cast<std::size_t>(x.cols());
  result.rows[0] = static_cast<std::size_t>(x.rows());
  result.rows[1] = static_cast<std::size_t>(y.rows());

  setting s{asked,
            {},
            {.alpha = asked.alpha, .draws = asked.permutations, .seed = asked.seed, .keep_null = true},
            {kind_of(asked.kernel), asked.bandwidth}};
#if defined(_OPENMP)
  s.policy.threads = asked.threads;
#endif
  if (!(s.kernel.length > 0)) {
    workspace scratch;
    const engine::joint_sample<double> both{sample_of(x), sample_of(y)};
    s.kernel.length = std::sqrt(engine::squared_scale_of(s.policy, bandwidth::median{}, both, scratch));
  }
  result.bandwidth = s.kernel.length;
  for (const std::string& name : chosen_tests(asked, x.rows() + y.rows(), result)) {
    tell(name + " test");
    if (name == "spectrum" && x.rows() + y.rows() > 3000) {
      result.notes.push_back("the spectrum test was left out: it needs the eigenvalues of a matrix of " +
                             std::to_string(x.rows() + y.rows()) + " rows");
      continue;
    }
    result.findings.push_back(run_test(name, s, x, y));
  }
  tell("witness");
  if (x.rows() + y.rows() <= most_rows_for_quadratic) {
    const auto largest = inference::witness{s.kernel}.largest(s.policy, x, y, 5);
    for (const index_t row : largest.source) result.witness_rows[0].push_back(static_cast<std::size_t>(row) + 1);
    for (const index_t row : largest.target) result.witness_rows[1].push_back(static_cast<std::size_t>(row) + 1);
  }
  if (!asked.report.empty() && x.cols() <= 200) {
    matrix a = x, b = y;
    draw_rows(a, 500, asked.seed, 3);
    draw_rows(b, 500, asked.seed, 4);
    result.by_feature = compare_features(s, a, b, first.features.empty() ? second.features : first.features, tell);
  }
  return result;
}

} // namespace dalib::compare
