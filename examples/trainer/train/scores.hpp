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

/// Accuracies of an open set, in percent; the last class is the unknown one. NaN where there are no samples.
struct open_set_accuracy {
  double known = std::numeric_limits<double>::quiet_NaN();    ///< OS*: mean over the known classes of each one's accuracy
  double unknown = std::numeric_limits<double>::quiet_NaN();  ///< UNK: accuracy on the samples of unknown classes
  double harmonic = std::numeric_limits<double>::quiet_NaN(); ///< H-score: 2 OS* UNK / (OS* + UNK) (Bucci et al. 2020)
};

/// The same of logits (n, C) and labels. O(n C).
inline open_set_accuracy open_set_accuracies(const Eigen::MatrixXf& logits, const std::vector<int>& labels) {
  const Eigen::Index classes = logits.cols();
  Eigen::VectorXd right = Eigen::VectorXd::Zero(classes), count = right;
  for (Eigen::Index row = 0; row < logits.rows(); ++row) {
    const int label = labels[static_cast<std::size_t>(row)];
    Eigen::Index predicted = 0;
    logits.row(row).maxCoeff(&predicted);
    count(label) += 1;
    right(label) += predicted == label ? 1 : 0;
  }
  open_set_accuracy result;
  double sum = 0, known = 0;
  for (Eigen::Index c = 0; c + 1 < classes; ++c) {
    if (count(c) == 0) continue;
    sum += right(c) / count(c);
    known += 1;
  }
  if (known > 0) result.known = 100 * sum / known;
  if (count(classes - 1) > 0) result.unknown = 100 * right(classes - 1) / count(classes - 1);
  const double both = result.known + result.unknown;
  result.harmonic = both == 0 ? 0 : 2 * result.known * result.unknown / both;
  return result;
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
