#include "evaluation.hpp"

#include "features.hpp"
#include "scores.hpp"

#include <algorithm>
#include <limits>

namespace dalib::train {

outputs predict_every(method& trained, const data::dataset& set, index_t count) {
  const index_t total = count < 0 ? set.size() : std::min(count, static_cast<index_t>(set.size()));
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
  const Eigen::MatrixXd p = probabilities(predict_all(trained, data.target_train, scored_images).logits);
  const double target_accuracy =
      data.target_test.labelled ? accuracy(target_test.logits, target_test.labels) : std::numeric_limits<double>::quiet_NaN();
  return {accuracy(source_test.logits, source_test.labels), target_accuracy, information_maximisation(p), soft_neighbourhood_density(p)};
}

} // namespace dalib::train
