#pragma once
// Accuracy, and scores of the target predictions that need no labels.

#include "method.hpp"
#include "scores.hpp"
#include "task.hpp"

#include <Eigen/Core>

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace dalib::train {

/// Outputs for a whole data set, one row per image.
struct outputs {
  Eigen::MatrixXf logits;
  Eigen::MatrixXf features;
  std::vector<int> labels; ///< data::no_label where the image could not be read
};

/// Forwards all images of a data set in evaluation mode.
outputs predict_every(method& trained, const data::dataset& set, index_t count = -1);

/// Forwards the first `count` images of a data set (all by default) in evaluation mode and keeps what could be read.
/// Throws std::runtime_error if none of them can be read.
outputs predict_all(method& trained, const data::dataset& set, index_t count = -1);

/// Names of the scores that need no label of the target, as --select and history.csv have them: dalib::model_selection::score_names, and
/// those of validation_scores.
inline constexpr std::array<std::string_view, 14> label_free_names{"entropy",
                                                                   "information_maximisation",
                                                                   "confidence",
                                                                   "soft_neighbourhood_density",
                                                                   "nuclear_norm",
                                                                   "softmax_correlation",
                                                                   "class_confusion",
                                                                   "mano",
                                                                   "rankme",
                                                                   "class_ami",
                                                                   "class_silhouette",
                                                                   "iwcv",
                                                                   "dev",
                                                                   "a_distance"};

/// How good the present weights are.
struct evaluation {
  double source_accuracy = 0; ///< on the source's test images, percent
  double target_accuracy = 0; ///< on the target's test images, percent: needs target labels, an oracle; without them NaN
  double information = 0;     ///< information_maximisation on unlabelled training images of the target
  double density = 0;         ///< soft_neighbourhood_density on the same
  std::array<double, label_free_names.size()> label_free{}; ///< of unlabelled training images of the target; higher is better
  open_set_accuracy open{};                                 ///< of an open set, on the target's test images: needs target labels

  /// What selects weights without target labels: source accuracy (percent) times information maximisation.
  double score() const { return source_accuracy * information; }

  /// A score by its name: "score", or one of label_free_names. Throws std::invalid_argument for others.
  double value_of(std::string_view name) const;
};

/// Number of unlabelled target images that the label-free scores look at.
inline constexpr index_t scored_images = 1000;
/// Those whose features the scores of features look at, which take n^2 F.
inline constexpr index_t scored_features = 300;

/// Evaluates the present weights on the first `scored_images` target training images and all test images.
evaluation evaluate(method& trained, const task& data);

/// The same from the outputs for all test images.
evaluation evaluate(method& trained, const task& data, const outputs& source_test, const outputs& target_test);

} // namespace dalib::train
