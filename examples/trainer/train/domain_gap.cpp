#include "domain_gap.hpp"

#include <dalib/dalib.hpp>
#include <dalib/inference/permutation_test.hpp>
#include <dalib/model_selection/validation.hpp>

#include <Eigen/Cholesky>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <vector>

namespace dalib::train {
namespace {

/// Rows of both domains in turn, in double.
Eigen::MatrixXd alternating(const Eigen::MatrixXf& source, const Eigen::MatrixXf& target) {
  const Eigen::Index count = std::min(source.rows(), target.rows());
  Eigen::MatrixXd rows(2 * count, source.cols());
  for (Eigen::Index i = 0; i < count; ++i) {
    rows.row(2 * i) = source.row(i).cast<double>();
    rows.row(2 * i + 1) = target.row(i).cast<double>();
  }
  return rows;
}

/// Coefficients of the rows of `products` (inner products of the fitted rows) by ridge regression on `wanted`, the ridge that of five
/// which leaves the least squared error where each row is judged by a fit without it: error_i = a_i / (inverse of K + ridge)_ii.
Eigen::VectorXd fitted(const Eigen::MatrixXd& products, const Eigen::VectorXd& wanted) {
  const Eigen::Index n = products.rows();
  const double scale = products.diagonal().mean();
  Eigen::VectorXd best;
  double least = std::numeric_limits<double>::infinity();
  for (const double ridge : {1e-3, 1e-2, 1e-1, 1e0, 1e1}) {
    const Eigen::MatrixXd shifted = products + ridge * scale * Eigen::MatrixXd::Identity(n, n);
    const Eigen::MatrixXd inverse = shifted.llt().solve(Eigen::MatrixXd::Identity(n, n));
    const Eigen::VectorXd coefficients = inverse * wanted;
    const double error = (coefficients.array() / inverse.diagonal().array()).square().sum();
    if (error < least) {
      least = error;
      best = coefficients;
    }
  }
  return best;
}

/// The domains (1 source, 0 target) of rows that lie in turn, as a linear classifier says that was fitted to the other half of them.
std::vector<std::int64_t> predicted_domains(Eigen::MatrixXd rows) {
  const Eigen::Index pairs = rows.rows() / 2, first = 2 * (pairs / 2);
  rows.rowwise() -= rows.colwise().mean().eval();
  for (Eigen::Index f = 0; f < rows.cols(); ++f) // scales say nothing: no feature may count for its unit
    if (const double norm = rows.col(f).norm(); norm > 0) rows.col(f) /= norm;
  std::vector<std::int64_t> domains;
  for (const bool second : {false, true}) {
    const Eigen::MatrixXd judged = second ? rows.bottomRows(rows.rows() - first) : rows.topRows(first);
    const Eigen::MatrixXd seen = second ? rows.topRows(first) : rows.bottomRows(rows.rows() - first);
    Eigen::VectorXd wanted(seen.rows());
    for (Eigen::Index i = 0; i < seen.rows(); ++i) wanted(i) = i % 2 == 0 ? 1 : -1;
    const Eigen::VectorXd answers = judged * (seen.transpose() * fitted(seen * seen.transpose(), wanted));
    for (const double answer : answers) domains.push_back(answer > 0 ? 1 : 0);
  }
  return domains;
}

} // namespace

domain_gap measure_gap(const Eigen::MatrixXf& source, const Eigen::MatrixXf& target) {
  constexpr Eigen::Index fewest = 4;
  if (source.rows() < fewest || target.rows() < fewest || source.cols() != target.cols())
    throw std::invalid_argument("measure_gap: needs 4 rows of each domain and the same features");
  constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
  const auto all_equal = [&](const Eigen::MatrixXf& rows) { return (rows.rowwise() - source.row(0)).isZero(0); };
  if (all_equal(source) && all_equal(target)) return {unknown, unknown, unknown, unknown};

  const inference::permutation_test test{kernel::gaussian_ladder{}, estimator::unbiased{}};
  const inference::test_result found = test(source, target, {.draws = 499});

  const Eigen::MatrixXd rows = alternating(source, target);
  std::vector<std::int64_t> domains;
  for (Eigen::Index i = 0; i < rows.rows(); ++i) domains.push_back(i % 2 == 0 ? 1 : 0);
  const auto distance = model_selection::proxy_a_distance(domains, predicted_domains(rows));
  return {found.statistic, found.p_value, distance.distance, 100 * (1 - distance.error)};
}

} // namespace dalib::train
