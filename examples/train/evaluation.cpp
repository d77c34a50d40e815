#include "evaluation.hpp"

#include "scores.hpp"

#include <algorithm>

namespace dalib::train {

outputs predict_all(method& trained, const data::dataset& set, index count) {
  constexpr index at_once = 250;
  const index total = count < 0 ? set.size() : std::min(count, static_cast<index>(set.size()));
  outputs result;
  for (index first = 0; first < total; first += at_once) {
    const index rows = std::min(at_once, total - first);
    const auto [logits, features] = trained.predict(image_slice<scalar>(set, first, rows));
    if (first == 0) {
      result.logits.resize(total, logits.cols());
      result.features.resize(total, features.cols());
    }
    result.logits.middleRows(first, rows) = logits.value();
    result.features.middleRows(first, rows) = features.value();
  }
  return result;
}

evaluation evaluate(method& trained, const task& data) {
  const Eigen::MatrixXd p = probabilities(predict_all(trained, data.target_train, scored_images).logits);
  return {accuracy(predict_all(trained, data.source_test).logits, data.source_test.labels),
          accuracy(predict_all(trained, data.target_test).logits, data.target_test.labels), information_maximisation(p),
          soft_neighbourhood_density(p)};
}

} // namespace dalib::train
