/// Group selection: scores for model selection without target labels.
#include "loss_cases.hpp"

#include <dalib/model_selection/clusters.hpp>
#include <dalib/model_selection/validation.hpp>

namespace {

using namespace golden;
namespace selection = dalib::model_selection;

template <class T>
outputs_map of_predictions(const test_case& test) {
  const auto logits = dense_input<T>(test, "logits");
  const std::string& method = test.method;
  if (method == "entropy") return {{"score", array(selection::entropy(logits))}};
  if (method == "confidence") return {{"score", array(selection::confidence(logits))}};
  if (method == "softmax_correlation") return {{"score", array(selection::softmax_correlation(logits))}};
  if (method == "information_maximisation") {
    const auto r = selection::information_maximisation(logits);
    return {{"score", array(r.score)}, {"mean_entropy", array(r.mean_entropy)}, {"marginal_entropy", array(r.marginal_entropy)}};
  }
  if (method == "soft_neighbourhood_density")
    return {{"score", array(selection::soft_neighbourhood_density(logits, test.param<double>("temperature")))}};
  if (method == "minimum_class_confusion") {
    const double score = selection::class_confusion(logits, test.param<double>("temperature"));
    return {{"score", array(score)}, {"loss", array(-score)}};
  }
  if (method == "nuclear_norm") {
    const auto by = test.param<std::string>("normalisation");
    if (by == "rows") return {{"score", array(selection::nuclear_norm(logits, selection::nuclear_scale::rows))}};
    if (by == "singular_values") return {{"score", array(selection::nuclear_norm(logits, selection::nuclear_scale::singular_values))}};
    if (by == "bound") return {{"score", array(selection::nuclear_norm(logits, selection::nuclear_scale::bound))}};
    unknown("normalisation", by);
  }
  if (method == "mano") {
    const auto by = test.param<std::string>("scaling");
    const auto scaling = by == "taylor"    ? selection::mano_scaling::taylor
                         : by == "softmax" ? selection::mano_scaling::softmax
                                           : selection::mano_scaling::automatic;
    const auto r = selection::mano(logits, scaling, test.param<double>("p"), test.param<double>("eta"));
    return {{"score", array(r.score)}, {"phi", array(r.phi)}};
  }
  unknown("method", method);
}

outputs_map of_risk(const selection::validated_risk& r) {
  return {{"eta", array(r.eta)}, {"risk", array(r.risk)}, {"score", array(r.score)}};
}

template <class T>
std::vector<double> numbers(const test_case& test, const char* name) {
  const std::vector<T> values = values_as<T>(test.input(name));
  return {values.begin(), values.end()};
}

array integers_array(const std::vector<std::int64_t>& values) { return vector_array({values.begin(), values.end()}); }

template <class T>
outputs_map of_other_inputs(const test_case& test) {
  const std::string& method = test.method;
  if (method == "rankme") return {{"score", array(selection::rankme(dense_input<T>(test, "features"), test.param<double>("epsilon")))}};
  if (method == "deep_embedded_validation")
    return of_risk(selection::deep_embedded_validation(numbers<T>(test, "weights"), numbers<T>(test, "losses")));
  if (method == "importance_weighted_validation")
    return of_risk(selection::importance_weighted_validation(numbers<T>(test, "weights"), numbers<T>(test, "losses"),
                                                             test.param<bool>("self_normalised")));
  if (method == "importance_weights")
    return {{"weights", vector_array(selection::importance_weights(dense_input<T>(test, "domain_logits"), test.param<double>("n_s"),
                                                                   test.param<double>("n_t")))}};
  if (method == "proxy_a_distance") {
    const auto r = selection::proxy_a_distance(test.input("domains").integers(), test.input("predictions").integers());
    return {{"error", array(r.error)}, {"d_A", array(r.distance)}, {"d_A_balanced", array(r.balanced_distance)}, {"score", array(r.score)}};
  }
  if (method == "adjusted_mutual_information")
    return {{"score", array(selection::adjusted_mutual_information(test.input("labels").integers(), test.input("clusters").integers()))}};
  if (method == "class_clusters") {
    const auto r =
        selection::class_clusters(dense_input<T>(test, "features"), dense_input<T>(test, "logits"), test.param<bool>("normalised"));
    return {{"clusters", integers_array(r.clusters)}, {"ami", array(r.ami)}, {"silhouette", array(r.silhouette)}};
  }
  unknown("method", method);
}

template <class T>
std::vector<outcome> run(const test_case& test) {
  const bool predictions = test.inputs.size() == 1 && test.inputs.contains("logits");
  return {{"Eigen", predictions ? of_predictions<T>(test) : of_other_inputs<T>(test), {}}};
}

const claim_group group("selection", both_precisions([]<class T>(const test_case& test) { return run<T>(test); }));

} // namespace
