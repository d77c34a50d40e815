/// @file
/// All scores of a model that need nothing but its predictions, and its features, on the target.
#pragma once

#include "dalib/model_selection/clusters.hpp"

#include <string>
#include <utility>
#include <vector>

namespace dalib::model_selection {

/// A score's name and value; higher is better.
///
/// @code{.cpp}
/// const Eigen::MatrixXd logits = Eigen::MatrixXd::Random(5, 3);
/// const std::vector<model_selection::named_score> scores = model_selection::label_free_scores(logits);
/// assert(scores.size() == 8 && scores[0].name == "entropy" && scores[0].value == model_selection::entropy(logits));
/// @endcode
struct named_score {
  std::string name;
  double value;
};

/// Names of the scores of label_free_scores, in its order; the last three need features.
inline const std::vector<std::string>& score_names() {
  static const std::vector<std::string> names = {"entropy",         "information_maximisation",
                                                 "confidence",      "soft_neighbourhood_density",
                                                 "nuclear_norm",    "softmax_correlation",
                                                 "class_confusion", "mano",
                                                 "rankme",          "class_ami",
                                                 "class_silhouette"};
  return names;
}

/// Every score of predictions.hpp, with its default settings, of the target's logits (n, C).
/// @throws std::invalid_argument for fewer than two samples.
template <matrix_like L>
std::vector<named_score> label_free_scores(const L& logits) {
  const std::vector<double> values = {entropy(logits),         information_maximisation(logits).score,
                                      confidence(logits),      soft_neighbourhood_density(logits),
                                      nuclear_norm(logits),    softmax_correlation(logits),
                                      class_confusion(logits), mano(logits).score};
  std::vector<named_score> result;
  for (std::size_t i = 0; i < values.size(); ++i) result.push_back({score_names()[i], values[i]});
  return result;
}

/// The same, and those of the features (n, F): RankMe and the class clustering scores.
template <matrix_like L, matrix_like F>
std::vector<named_score> label_free_scores(const L& logits, const F& features) {
  std::vector<named_score> result = label_free_scores(logits);
  const class_clustering clusters = class_clusters(features, logits);
  for (const double value : {rankme(features), clusters.ami, clusters.silhouette}) result.push_back({score_names()[result.size()], value});
  return result;
}

} // namespace dalib::model_selection
