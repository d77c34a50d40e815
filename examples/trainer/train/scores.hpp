#pragma once
// Scores of predictions: accuracy, and what can be said without labels.

#include <Eigen/Core>

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

namespace dalib::train {

/// Share of the rows, in percent, whose largest logit is at the label.
inline double accuracy(const Eigen::MatrixXf& logits, const std::vector<int>& labels) {
  Eigen::Index correct = 0;
  for (Eigen::Index row = 0; row < logits.rows(); ++row) {
    Eigen::Index predicted = 0;
    logits.row(row).maxCoeff(&predicted);
    correct += predicted == labels[static_cast<std::size_t>(row)] ? 1 : 0;
  }
  return 100 * static_cast<double>(correct) / static_cast<double>(logits.rows());
}

/// Softmax of every row.
inline Eigen::MatrixXd probabilities(const Eigen::MatrixXf& logits) {
  Eigen::MatrixXd p = logits.cast<double>();
  p.colwise() -= p.rowwise().maxCoeff().eval();
  p = p.array().exp().matrix();
  p.array().colwise() /= p.rowwise().sum().array().eval();
  return p;
}

/// Entropy of each row, natural logarithm; 0 log 0 = 0.
inline Eigen::VectorXd row_entropies(const Eigen::MatrixXd& p) {
  return p.unaryExpr([](double x) { return x > 0 ? -x * std::log(x) : 0.0; }).rowwise().sum();
}

/// Information maximisation: (H(mean p) - mean H(p)) / log(classes), in [0, 1]. High where every prediction is sure and all classes are
/// predicted. Shapes: p is (n, classes), n >= 1, classes >= 2.
inline double information_maximisation(const Eigen::MatrixXd& p) {
  const Eigen::MatrixXd mean = p.colwise().mean();
  return (row_entropies(mean)(0) - row_entropies(p).mean()) / std::log(static_cast<double>(p.cols()));
}

/// Soft neighbourhood density (Saito et al., ICCV 2021): mean entropy of the softmax over each row's similarities, divided by
/// `temperature`, to all other rows; rows are predictions scaled to length 1. Divided by log(n - 1), so in [0, 1]. Needs n >= 3 rows.
inline double soft_neighbourhood_density(const Eigen::MatrixXd& p, double temperature = 0.05) {
  const Eigen::MatrixXd unit = p.rowwise().normalized();
  Eigen::MatrixXd similarity = unit * unit.transpose() / temperature;
  similarity.diagonal().setConstant(-std::numeric_limits<double>::infinity());
  similarity.colwise() -= similarity.rowwise().maxCoeff().eval();
  similarity = similarity.array().exp().matrix();
  similarity.array().colwise() /= similarity.rowwise().sum().array().eval();
  return row_entropies(similarity).mean() / std::log(static_cast<double>(p.rows() - 1));
}

} // namespace dalib::train
