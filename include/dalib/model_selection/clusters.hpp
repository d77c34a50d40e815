/// @file
/// Scores of a model by how the target's features lie: clusters against pseudo labels. Every score: higher is better.
#pragma once

#include "dalib/model_selection/predictions.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

namespace dalib::model_selection {

namespace detail {

/// Numbers of samples by pair of labels, and by each label.
struct contingency {
  std::map<std::pair<std::int64_t, std::int64_t>, double> pairs;
  std::map<std::int64_t, double> first, second;

  contingency(std::span<const std::int64_t> a, std::span<const std::int64_t> b) {
    for (std::size_t i = 0; i < a.size(); ++i) {
      pairs[{a[i], b[i]}] += 1;
      first[a[i]] += 1;
      second[b[i]] += 1;
    }
  }
};

inline double entropy_of_counts(const std::map<std::int64_t, double>& counts, double n) {
  double sum = 0;
  for (const auto& entry : counts) sum -= entry.second / n * std::log(entry.second / n);
  return sum;
}

/// Expected mutual information of two random partitions with these sizes (Vinh et al. 2010, eq. 24a): hypergeometric.
inline double expected_mutual_information(const contingency& table, double n) {
  const auto log_factorial = [](double x) { return std::lgamma(x + 1); };
  double sum = 0;
  for (const auto& [label_a, a] : table.first)
    for (const auto& [label_b, b] : table.second)
      for (double k = std::max(1.0, a + b - n); k <= std::min(a, b); ++k) {
        const double log_probability = log_factorial(a) + log_factorial(b) + log_factorial(n - a) + log_factorial(n - b) -
                                       log_factorial(n) - log_factorial(k) - log_factorial(a - k) - log_factorial(b - k) -
                                       log_factorial(n - a - b + k);
        sum += k / n * std::log(n * k / (a * b)) * std::exp(log_probability);
      }
  return sum;
}

} // namespace detail

/// Adjusted mutual information of two labellings (Vinh et al. 2010, with the mean of the entropies):
///
///     (MI - E MI) / ((H(a) + H(b)) / 2 - E MI)
///
/// 1 for the same partition, about 0 for independent ones; two labellings of one class each are the same. O(n + sum over pairs of their
/// sizes). @throws std::invalid_argument for no samples or different numbers of both.
inline double adjusted_mutual_information(std::span<const std::int64_t> a, std::span<const std::int64_t> b) {
  if (a.empty() || a.size() != b.size()) fail("adjusted_mutual_information", "needs two labels for each sample");
  const detail::contingency table(a, b);
  const double n = static_cast<double>(a.size());
  double information = 0;
  for (const auto& [labels, count] : table.pairs)
    information += count / n * std::log(n * count / (table.first.at(labels.first) * table.second.at(labels.second)));
  const double expected = detail::expected_mutual_information(table, n);
  const double most = 0.5 * (detail::entropy_of_counts(table.first, n) + detail::entropy_of_counts(table.second, n));
  if (table.first.size() == 1 && table.second.size() == 1) return 1;
  const double room = most - expected;
  return std::abs(room) < 1e-15 ? 1 : (information - expected) / room;
}

/// Mean silhouette (Rousseeuw 1987, eq. 2) of features (n, F) in clusters, Euclidean; a sample alone in its cluster counts 0, one cluster
/// gives 0. O(n^2 F). @throws std::invalid_argument for empty features or a number of clusters that is not n.
template <matrix_like A>
double silhouette(const A& features, std::span<const std::int64_t> clusters) {
  const auto x = detail::columns_of("silhouette", features);
  if (static_cast<Eigen::Index>(clusters.size()) != x.cols()) fail("silhouette", "needs one cluster for each sample");
  std::map<std::int64_t, double> sizes;
  for (const std::int64_t c : clusters) sizes[c] += 1;
  double total = 0;
  for (Eigen::Index i = 0; i < x.cols(); ++i) {
    std::map<std::int64_t, double> sums;
    for (Eigen::Index j = 0; j < x.cols(); ++j) sums[clusters[static_cast<std::size_t>(j)]] += (x.col(i) - x.col(j)).norm();
    const std::int64_t own = clusters[static_cast<std::size_t>(i)];
    if (sizes[own] < 2) continue;
    const double within = sums[own] / (sizes[own] - 1);
    double nearest = std::numeric_limits<double>::infinity();
    for (const auto& [cluster, sum] : sums)
      if (cluster != own) nearest = std::min(nearest, sum / sizes[cluster]);
    const double larger = std::max(within, nearest);
    if (is_finite(nearest) && larger > 0) total += (nearest - within) / larger;
  }
  return total / static_cast<double>(x.cols());
}

/// How features cluster around the classes that a model predicts.
///
/// @code{.cpp}
/// const Eigen::MatrixXd features = (Eigen::MatrixXd(4, 2) << 3, 0, 2, 0.1, 0, 2, 0.1, 3).finished(), logits = features;
/// const model_selection::class_clustering found = model_selection::class_clusters(features, logits);
/// assert((found.clusters == std::vector<std::int64_t>{0, 0, 1, 1}) && found.ami == 1 && found.silhouette > 0.9);
/// @endcode
struct class_clustering {
  std::vector<std::int64_t> clusters; ///< of each sample: the class whose mean its cluster began at
  double ami;                         ///< of pseudo labels and clusters
  double silhouette;                  ///< of the features in the clusters
};

/// Class clustering scores (ClassAMI and ClassSS, Musgrave et al. 2022): pseudo labels are argmax of the logits (n, C); k-means (Lloyd) of
/// the features (n, F), begun at the pseudo classes' means, runs until no sample changes its cluster, for at most 1000 rounds. With
/// `normalised` rows of features are divided by their norms first. A cluster that loses all samples keeps its centre; of centres at the
/// same distance the first counts. O(n F C) a round, O(n^2 F) for the silhouette.
/// @throws std::invalid_argument for empty tensors or different numbers of rows.
template <matrix_like F, matrix_like L>
class_clustering class_clusters(const F& features, const L& logits, bool normalised = true) {
  const char* const name = "class_clusters";
  auto x = detail::columns_of(name, features);
  const auto scores = detail::columns_of(name, logits);
  require_shapes(x.cols() == scores.cols(), name, "features and logits must be of the same samples", const_view_of(features),
                 const_view_of(logits));
  if (normalised)
    for (Eigen::Index i = 0; i < x.cols(); ++i)
      if (const double norm = x.col(i).norm(); norm > 0) x.col(i) /= norm;
  std::vector<std::int64_t> pseudo;
  for (Eigen::Index i = 0; i < scores.cols(); ++i) {
    Eigen::Index best = 0;
    scores.col(i).maxCoeff(&best);
    pseudo.push_back(best);
  }
  detail::dense<double> centres(x.rows(), scores.rows());
  const auto place_centres = [&](const std::vector<std::int64_t>& members) {
    detail::dense<double> sums = detail::dense<double>::Zero(x.rows(), scores.rows());
    Eigen::VectorXd counts = Eigen::VectorXd::Zero(scores.rows());
    for (Eigen::Index i = 0; i < x.cols(); ++i) {
      sums.col(members[static_cast<std::size_t>(i)]) += x.col(i);
      counts(members[static_cast<std::size_t>(i)]) += 1;
    }
    for (Eigen::Index c = 0; c < counts.size(); ++c)
      if (counts(c) > 0) centres.col(c) = sums.col(c) / counts(c);
  };
  place_centres(pseudo);
  std::vector<char> exists(static_cast<std::size_t>(scores.rows()), 0);
  for (const std::int64_t c : pseudo) exists[static_cast<std::size_t>(c)] = 1;
  const auto nearest = [&](Eigen::Index i) {
    std::int64_t best = -1;
    double least = std::numeric_limits<double>::infinity();
    for (Eigen::Index c = 0; c < centres.cols(); ++c) {
      if (!exists[static_cast<std::size_t>(c)]) continue;
      const double distance = (x.col(i) - centres.col(c)).squaredNorm();
      if (distance < least || best < 0) {
        least = distance;
        best = c;
      }
    }
    return best;
  };
  std::vector<std::int64_t> clusters(pseudo.size(), -1);
  for (int round = 0; round < 1000; ++round) {
    bool changed = false;
    for (Eigen::Index i = 0; i < x.cols(); ++i) {
      const std::int64_t best = nearest(i);
      changed = changed || best != clusters[static_cast<std::size_t>(i)];
      clusters[static_cast<std::size_t>(i)] = best;
    }
    if (!changed) break;
    place_centres(clusters);
  }
  const detail::dense<double> rows = x.transpose();
  const double ami = adjusted_mutual_information(pseudo, clusters);
  const double shape = silhouette(matrix_view<const double>(rows.data(), rows.rows(), rows.cols(), 1, rows.rows()), clusters);
  return {std::move(clusters), ami, shape};
}

} // namespace dalib::model_selection
