#include "evaluation.hpp"

#include "features.hpp"
#include "scores.hpp"
#include "validation_scores.hpp"

#include <dalib/dalib.hpp>
#include <dalib/model_selection/scores.hpp>

#include <algorithm>
#include <limits>
#include <stdexcept>

namespace dalib::train {
namespace {

/// All scores that need no labels of the target, in the order of their names.
std::array<double, label_free_names.size()> label_free_scores_of(const outputs& source, const outputs& target) {
  std::array<double, label_free_names.size()> values{};
  std::size_t place = 0;
  const auto keep = [&](const model_selection::named_score& score) {
    if (score.name != label_free_names[place]) throw std::logic_error("evaluation: '" + score.name + "' is not where it was");
    values[place++] = score.value;
  };
  for (const auto& score : model_selection::label_free_scores(target.logits)) keep(score);
  const Eigen::Index rows = std::min<Eigen::Index>(target.features.rows(), scored_features);
  const Eigen::MatrixXf logits = target.logits.topRows(rows), features = target.features.topRows(rows);
  const bool spread = features.squaredNorm() > 0; // of features that are all 0 nothing can be said
  const auto clusters = model_selection::class_clusters(features, logits);
  keep({"rankme", spread ? model_selection::rankme(features) : 0});
  keep({"class_ami", clusters.ami});
  keep({"class_silhouette", clusters.silhouette});
  const validation_scores validated = validate(source, target);
  keep({"iwcv", validated.iwcv});
  keep({"dev", validated.dev});
  keep({"a_distance", validated.a_distance});
  return values;
}

} // namespace

double evaluation::value_of(std::string_view name) const {
  if (name == "score") return score();
  const auto found = std::find(label_free_names.begin(), label_free_names.end(), name);
  if (found == label_free_names.end()) throw std::invalid_argument("unknown score '" + std::string(name) + "'");
  return label_free[static_cast<std::size_t>(found - label_free_names.begin())];
}

outputs predict_every(method& trained, const data::dataset& set, index_t count) {
  const index_t total = evaluated_part(set, count, distributed::ranks::all().rank()).count;
  outputs result;
  index_t done = 0;
  for_each_slice<scalar>(set, count, [&](const variable<scalar>& images, const std::vector<int>& labels) {
    const auto [logits, features] = trained.predict(images);
    if (done == 0) {
      result.logits.resize(total, logits.cols());
      result.features.resize(total, features.cols());
    }
    result.logits.middleRows(done, logits.rows()) = logits.value();
    result.features.middleRows(done, logits.rows()) = features.value();
    result.labels.insert(result.labels.end(), labels.begin(), labels.end());
    done += logits.rows();
  });
  gather_images(set, count, result.labels, {&result.logits, &result.features});
  return result;
}

outputs predict_all(method& trained, const data::dataset& set, index_t count) {
  outputs result = predict_every(trained, set, count);
  drop_unreadable(set, result.labels, {&result.logits, &result.features});
  return result;
}

evaluation evaluate(method& trained, const task& data) {
  const outputs nothing;
  return evaluate(trained, data, predict_all(trained, data.source_test),
                  data.target_test.labelled ? predict_all(trained, data.target_test) : nothing);
}

evaluation evaluate(method& trained, const task& data, const outputs& source_test, const outputs& target_test) {
  const outputs unlabelled = predict_all(trained, data.target_train, scored_images);
  const auto& ranks = distributed::ranks::all();
  if (!ranks.first()) return ranks.of_first(evaluation{});
  const Eigen::MatrixXd p = probabilities(unlabelled.logits);
  const double target_accuracy =
      data.target_test.labelled ? accuracy(target_test.logits, target_test.labels) : std::numeric_limits<double>::quiet_NaN();
  const bool open_set = data.open_set && data.target_test.labelled;
  return ranks.of_first(evaluation{accuracy(source_test.logits, source_test.labels), target_accuracy, information_maximisation(p),
                                   soft_neighbourhood_density(p), label_free_scores_of(source_test, unlabelled),
                                   open_set ? open_set_accuracies(target_test.logits, target_test.labels) : open_set_accuracy{}});
}

} // namespace dalib::train
