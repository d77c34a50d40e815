#include "trust.hpp"

#include "scores.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace dalib::train {

double feature_region::distance(const Eigen::Ref<const Eigen::RowVectorXf>& features) const {
  double sum = 0;
  for (std::size_t f = 0; f < mean.size(); ++f) {
    const double z = (static_cast<double>(features(static_cast<Eigen::Index>(f))) - mean[f]) / deviation[f];
    sum += z * z;
  }
  return mean.empty() ? 0 : sum / static_cast<double>(mean.size());
}

feature_region region_of(const Eigen::MatrixXf& features, const Eigen::MatrixXf& others) {
  feature_region region;
  const Eigen::MatrixXd x = features.cast<double>();
  const auto n = static_cast<double>(x.rows());
  const Eigen::RowVectorXd mean = x.colwise().mean();
  const Eigen::RowVectorXd variance = (x.rowwise() - mean).colwise().squaredNorm() / std::max(n - 1, 1.0);
  // A feature that never moves (a dead ReLU) would make any movement infinitely far: no variance counts as less than a hundredth of the
  // mean one.
  const double least = std::max(0.01 * variance.mean(), 1e-12);
  for (Eigen::Index f = 0; f < x.cols(); ++f) {
    region.mean.push_back(static_cast<float>(mean(f)));
    region.deviation.push_back(static_cast<float>(std::sqrt(std::max(variance(f), least))));
  }
  const Eigen::MatrixXf& measured = others.rows() > 0 ? others : features;
  std::vector<double> distances;
  for (Eigen::Index row = 0; row < measured.rows(); ++row) distances.push_back(region.distance(measured.row(row)));
  std::sort(distances.begin(), distances.end());
  region.limit = distances[static_cast<std::size_t>(0.99 * static_cast<double>(distances.size() - 1) + 0.5)];
  return region;
}

double fit_temperature(const Eigen::MatrixXf& logits, const std::vector<int>& labels) {
  if (labels.empty()) return 1;
  const auto loss = [&](double log_temperature) {
    const Eigen::MatrixXd scaled = logits.cast<double>() / std::exp(log_temperature);
    double sum = 0;
    for (Eigen::Index row = 0; row < scaled.rows(); ++row) {
      const double largest = scaled.row(row).maxCoeff();
      sum += largest + std::log((scaled.row(row).array() - largest).exp().sum()) - scaled(row, labels[static_cast<std::size_t>(row)]);
    }
    return sum;
  };
  // The loss is convex in 1 / T, so it has one valley in log T: golden sections.
  constexpr double golden = 0.6180339887498949;
  double low = -std::log(20.0), high = std::log(20.0);
  double a = high - golden * (high - low), b = low + golden * (high - low), loss_a = loss(a), loss_b = loss(b);
  for (int i = 0; i < 40; ++i) {
    if (loss_a <= loss_b) {
      high = b;
      b = a;
      loss_b = loss_a;
      loss_a = loss(a = high - golden * (high - low));
    } else {
      low = a;
      a = b;
      loss_a = loss_b;
      loss_b = loss(b = low + golden * (high - low));
    }
  }
  return std::exp((low + high) / 2);
}

double calibration_error(const std::vector<double>& confidences, const std::vector<bool>& correct) {
  constexpr std::size_t bins = 10;
  std::array<double, bins> difference{};
  for (std::size_t i = 0; i < confidences.size(); ++i) {
    const std::size_t bin = std::min(static_cast<std::size_t>(confidences[i] * bins), bins - 1);
    difference[bin] += confidences[i] - (correct[i] ? 1 : 0);
  }
  double sum = 0;
  for (const double d : difference) sum += std::abs(d);
  return confidences.empty() ? 0 : 100 * sum / static_cast<double>(confidences.size());
}

} // namespace dalib::train
