#include "validation_scores.hpp"

#include <dalib/dalib.hpp>
#include <dalib/measure/decompositions.hpp>
#include <dalib/model_selection/validation.hpp>

#include <algorithm>
#include <cmath>

namespace dalib::train {
namespace {

using matrix = Eigen::MatrixXd;
using vector = Eigen::VectorXd;

/// The even rows, or the odd ones, of the first ones.
matrix half_of(const Eigen::MatrixXf& rows, Eigen::Index half, bool odd) {
  matrix result(half, rows.cols());
  for (Eigen::Index i = 0; i < half; ++i) result.row(i) = rows.row(2 * i + (odd ? 1 : 0)).cast<double>();
  return result;
}

matrix stacked(const matrix& a, const matrix& b) {
  matrix result(a.rows() + b.rows(), a.cols());
  result << a, b;
  return result;
}

/// Logistic regression by Newton's method in the dual, whose size is that of the samples and not of the features.
class domain_classifier {
public:
  domain_classifier(const matrix& source, const matrix& target) : rows_(stacked(source, target)) {
    mean_ = rows_.colwise().mean();
    scale_ = ((rows_.rowwise() - mean_).array().square().colwise().mean() * static_cast<double>(rows_.cols())).sqrt().matrix();
    scale_ = scale_.unaryExpr([](double s) { return s > 1e-12 ? 1 / s : 0.0; }).eval();
    rows_ = scaled(rows_);
    const matrix kernel = (rows_ * rows_.transpose()).array() + 1; // the one is the bias
    vector labels = vector::Zero(rows_.rows());
    labels.head(source.rows()).setOnes();
    vector sums = vector::Zero(rows_.rows());
    for (int k = 0; k < 6; ++k) {
      const vector p = sums.unaryExpr([](double x) { return 1 / (1 + std::exp(-x)); });
      const vector slope = (p.array() * (1 - p.array())).max(1e-3);
      const vector aim = sums + ((labels - p).array() / slope.array()).matrix();
      matrix system = kernel;
      system.diagonal().array() += ridge / slope.array();
      dual_ = system.llt().solve(aim);
      sums = kernel * dual_;
    }
  }

  /// Large for the source.
  vector logits(const matrix& samples) const { return ((scaled(samples) * rows_.transpose()).array() + 1).matrix() * dual_; }

private:
  static constexpr double ridge = 0.1;

  matrix scaled(const matrix& samples) const { return (samples.rowwise() - mean_) * scale_.asDiagonal(); }

  matrix rows_;
  Eigen::RowVectorXd mean_, scale_;
  vector dual_;
};

/// Cross-entropy of each odd row.
std::vector<double> losses_of(const outputs& source, Eigen::Index half) {
  std::vector<double> losses;
  for (Eigen::Index i = 0; i < half; ++i) {
    const Eigen::RowVectorXd y = source.logits.row(2 * i + 1).cast<double>();
    const double largest = y.maxCoeff();
    losses.push_back(largest + std::log((y.array() - largest).exp().sum()) - y(source.labels[static_cast<std::size_t>(2 * i + 1)]));
  }
  return losses;
}

} // namespace

validation_scores validate(const outputs& source, const outputs& target) {
  const auto half_size = [](const outputs& samples) { return std::min<Eigen::Index>(samples.features.rows(), 2 * scored_features) / 2; };
  const Eigen::Index n_s = half_size(source), n_t = half_size(target);
  if (n_s < 2 || n_t < 2) return {};
  const dalib::detail::eigen_on_one_thread alone;
  const domain_classifier domains(half_of(source.features, n_s, false), half_of(target.features, n_t, false));
  const vector of_source = domains.logits(half_of(source.features, n_s, true)),
               of_target = domains.logits(half_of(target.features, n_t, true));
  matrix domain_logits = matrix::Zero(n_s, 2);
  domain_logits.col(0) = of_source;
  const auto weights = model_selection::importance_weights(domain_logits, static_cast<double>(n_s), static_cast<double>(n_t));
  const std::vector<double> losses = losses_of(source, n_s);
  std::vector<std::int64_t> truth(static_cast<std::size_t>(n_s), 1), found;
  truth.insert(truth.end(), static_cast<std::size_t>(n_t), 0);
  for (const vector* const logits : {&of_source, &of_target})
    for (const double logit : *logits) found.push_back(logit > 0 ? 1 : 0);
  return {model_selection::importance_weighted_validation(weights, losses).score,
          model_selection::deep_embedded_validation(weights, losses).score, model_selection::proxy_a_distance(truth, found).score};
}

} // namespace dalib::train
