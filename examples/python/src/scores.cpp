/// @file
/// Scores of models without target labels, and weights of samples and classes: dalib/model_selection.hpp and partial adaptation.
#include "inference.hpp"

#include "dalib/measure/partial_adaptation.hpp"
#include "dalib/model_selection/scores.hpp"
#include "dalib/model_selection/validation.hpp"

namespace dalib_python {

namespace {

namespace s = dalib::model_selection;

/// A column as numbers one after another.
template <class T = double>
std::vector<T> column(const array& of) {
  const auto rows = of.read<double>();
  std::vector<T> result;
  for (index_t i = 0; i < rows.rows; ++i) result.push_back(static_cast<T>(rows(i, 0)));
  return result;
}

test_answer answer_of_risk(const s::validated_risk& found) {
  test_answer answer;
  answer.details = {{"risk", found.risk}, {"eta", found.eta}, {"score", found.score}};
  return answer;
}

test_answer answer_of_scores(const std::vector<s::named_score>& found) {
  test_answer answer;
  for (std::size_t i = 0; i < found.size(); ++i) answer.details.emplace_back(s::score_names()[i].c_str(), found[i].value);
  return answer;
}

} // namespace

bool run_score(const test_request& r, test_answer& answer) {
  const auto x = r.inputs[0].read<double>();
  if (r.name == "label_free_scores") {
    answer = answer_of_scores(r.inputs.size() == 1 ? s::label_free_scores(x) : s::label_free_scores(x, r.inputs[1].read<double>()));
  } else if (r.name == "importance_weights") {
    answer.values = s::importance_weights(x, r.number(0), r.number(1));
  } else if (r.name == "importance_weighted_validation") {
    answer = answer_of_risk(s::importance_weighted_validation(column(r.inputs[0]), column(r.inputs[1]), r.number(0) != 0));
  } else if (r.name == "deep_embedded_validation") {
    answer = answer_of_risk(s::deep_embedded_validation(column(r.inputs[0]), column(r.inputs[1])));
  } else if (r.name == "proxy_a_distance") {
    const s::domain_distance found = s::proxy_a_distance(column<std::int64_t>(r.inputs[0]), column<std::int64_t>(r.inputs[1]));
    answer.details = {
        {"error", found.error}, {"distance", found.distance}, {"balanced_distance", found.balanced_distance}, {"score", found.score}};
  } else if (r.name == "partial_class_weights") {
    answer.values = dalib::partial_class_weights(x, r.number(0));
  } else if (r.name == "importance_weights_of") {
    answer.values = dalib::importance_weights_of(x, r.number(0));
  } else {
    return false;
  }
  return true;
}

} // namespace dalib_python
