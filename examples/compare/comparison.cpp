// From two files to what is told about them.
#include "comparison.hpp"

#include "../trainer/report/pca.hpp"
#include "tests.hpp"

#include <dalib/inference/permutation_test.hpp>
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

double median_distance(const watched& policy, const matrix& x, const matrix& y) {
  workspace scratch;
  const engine::joint_sample<double> both{sample_of(x), sample_of(y)};
  return std::sqrt(engine::squared_scale_of(policy, bandwidth::median{}, both, scratch));
}

/// Holm's correction of the energy tests of single features.
std::vector<feature_finding> compare_features(const setting& s, const matrix& x, const matrix& y, const std::vector<std::string>& names,
                                              const audience& user) {
  std::vector<feature_finding> result;
  for (std::ptrdiff_t f = 0; f < x.cols(); ++f) {
    user.tell("feature " + std::to_string(f + 1) + " of " + std::to_string(x.cols()));
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
    return {"nystrom", "linear-time", "block"};
  }
  if (asked.test != "auto") return {asked.test};
  if (!large) return {"aggregated"};
  result.notes.push_back(
      "with " + std::to_string(rows) +
      " rows the nystrom test was chosen, whose cost grows slowly; --rows 2000 compares a sample by the aggregated test");
  return {"nystrom"};
}

void run_tests(const options& asked, const setting& s, const matrix& x, const matrix& y, const audience& user, comparison& result) {
  for (const std::string& name : chosen_tests(asked, x.rows() + y.rows(), result)) {
    user.tell(name + " test");
    if (name == "spectrum" && x.rows() + y.rows() > 3000) {
      result.notes.push_back("the spectrum test was left out: it needs the eigenvalues of a matrix of " +
                             std::to_string(x.rows() + y.rows()) + " rows");
      continue;
    }
    result.findings.push_back(run_test(name, s, x, y));
  }
}

/// The witness of what the two leading principal components show of both samples: where in this plane which of them has more rows. Its
/// kernel is the chosen one, with the median distance in the plane.
void add_witness_map(const setting& s, matrix a, matrix b, comparison& result) {
  draw_rows(a, 1000, s.asked.seed, 5);
  draw_rows(b, 1000, s.asked.seed, 6);
  matrix joint(a.rows() + b.rows(), a.cols());
  joint << a, b;
  const report::principal_components found = report::pca(joint, 2);
  const Eigen::RowVectorXd mean = joint.colwise().mean();
  const double whole = (joint.rowwise() - mean).squaredNorm() / static_cast<double>(joint.rows() - 1);
  result.shown_variance = whole > 0 ? found.variances.sum() / whole : 1;
  matrix plane = matrix::Zero(joint.rows(), 2);
  plane.leftCols(found.scores.cols()) = found.scores;
  const matrix first = plane.topRows(a.rows()), second = plane.bottomRows(b.rows());
  const auto positions = [](const matrix& rows) {
    std::vector<witness_map::position> list;
    for (std::ptrdiff_t i = 0; i < rows.rows(); ++i) list.push_back({rows(i, 0), rows(i, 1)});
    return list;
  };
  witness_map& map = result.witness = witness_map::around(positions(first), positions(second));
  matrix points(static_cast<std::ptrdiff_t>(map.cells()), 2);
  for (std::size_t cell = 0; cell < map.cells(); ++cell)
    for (std::ptrdiff_t k = 0; k < 2; ++k) points(static_cast<std::ptrdiff_t>(cell), k) = map.centre(cell)[static_cast<std::size_t>(k)];
  map.values = inference::witness{kernel_named(s.asked.kernel, median_distance(s.policy, first, second))}(s.policy, first, second, points);
}

} // namespace

comparison run_comparison(const options& asked, const audience& user) {
  comparison result;
  user.tell("reading " + asked.first);
  loaded_sample first = read_sample(asked.first);
  user.tell("reading " + asked.second);
  loaded_sample second = read_sample(asked.second);
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

  setting s{asked, {}, {.alpha = asked.alpha, .draws = asked.permutations, .seed = asked.seed, .keep_null = true}, {}};
  s.policy.by = &user.watch;
#if defined(_OPENMP)
  s.policy.inner.threads = asked.threads;
#endif
  result.bandwidth = asked.bandwidth > 0 ? asked.bandwidth : median_distance(s.policy, x, y);
  s.kernel = kernel_named(asked.kernel, result.bandwidth);
  s.bandwidth = result.bandwidth;
  run_tests(asked, s, x, y, user, result);
  if (x.rows() + y.rows() <= most_rows_for_quadratic) {
    user.tell("rows that differ most");
    const auto largest = inference::witness{s.kernel}.largest(s.policy, x, y, 5);
    for (const index_t row : largest.source) result.witness_rows[0].push_back(static_cast<std::size_t>(row) + 1);
    for (const index_t row : largest.target) result.witness_rows[1].push_back(static_cast<std::size_t>(row) + 1);
  }
  if (asked.report.empty()) return result;
  user.tell("witness");
  add_witness_map(s, x, y, result);
  if (x.cols() <= 200) {
    matrix a = x, b = y;
    draw_rows(a, 500, asked.seed, 3);
    draw_rows(b, 500, asked.seed, 4);
    result.by_feature = compare_features(s, a, b, first.features.empty() ? second.features : first.features, user);
  }
  return result;
}

} // namespace dalib::compare
