#include "evaluation.hpp"

#include "features.hpp"
#include "scores.hpp"

#include <algorithm>

namespace dalib::train {

outputs predict_all(method& trained, const data::dataset& set, index_t count) {
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
  drop_unreadable(set, result.labels, {&result.logits, &result.features});
  return result;
}

evaluation evaluate(method& trained, const task& data) {
  return evaluate(trained, data, predict_all(trained, data.source_test), predict_all(trained, data.target_test));
}

evaluation evaluate(method& trained, const task& data, const outputs& source_test, const outputs& target_test) {
  const Eigen::MatrixXd p = probabilities(predict_all(trained, data.target_train, scored_images).logits);
  return {accuracy(source_test.logits, source_test.labels), accuracy(target_test.logits, target_test.labels), information_maximisation(p),
          soft_neighbourhood_density(p)};
}

} // namespace dalib::train
