/// Group mdd: the margin disparity on matrices and n-d tensors, shift_log, and the classifier with two heads.
#include "class_scores.hpp"
#include "networks.hpp"
#include "two_sample.hpp"

#include <span>

namespace {

using namespace golden;

/// Logits of both classifiers on both domains, in the case's shape or as rows of scores.
struct logits {
  array s, s_adv, t, t_adv;
};

/// What every value of the loss is multiplied by before backward().
std::vector<double> upstream_of(const test_case& test, std::size_t values) {
  const auto of = test.param<std::string>("gradient_of");
  if (of == "mean(loss)") return std::vector<double>(values, 1 / static_cast<double>(values));
  if (of == "sum(loss*upstream)") return test.input("upstream").values;
  unknown("gradient_of", of);
}

/// Gradient rows times their upstream, in the shape of the case's tensor.
array pulled(const array& gradient, const std::vector<double>& upstream, const std::vector<std::ptrdiff_t>& shape) {
  array rows = gradient.shape.size() == 2 ? gradient : score_rows(gradient);
  const auto classes = static_cast<std::size_t>(rows.cols());
  for (std::size_t i = 0; i < rows.values.size(); ++i) rows.values[i] *= upstream[i / classes];
  return scores_of_rows(rows, shape);
}

/// Shape of a loss with one value per sample and position.
std::vector<std::ptrdiff_t> without_classes(std::vector<std::ptrdiff_t> shape) {
  shape.erase(shape.begin() + 1);
  return shape;
}

/// One reduction through one kind of tensor. With reduction none DALIB adds source value i and target value i to one.
template <class T, class Reduction>
outcome run_kind(const test_case& test, const logits& y, const tensor_kind<T>& kind) {
  any_tensor<T> s = kind(y.s), s_adv = kind(y.s_adv), t = kind(y.t), t_adv = kind(y.t_adv);
  any_tensor<T> gs = kind(unwritten_like(y.s_adv)), gt = kind(unwritten_like(y.t_adv));
  const dalib::margin_disparity loss{test.param<double>("margin"), Reduction{}, dalib::compat::shifted_log_complement{}};
  const auto value =
      loss.value_and_gradient(tensor_policy{}, s.get(), s_adv.get(), t.get(), t_adv.get(), dalib::gradients{gs.get(), gt.get()});
  const auto &source_shape = test.input("y_s_adv").shape, &target_shape = test.input("y_t_adv").shape;
  outcome result{kind.name + (y.s.shape == source_shape ? "" : " of rows"), {}, {}};
  if constexpr (Reduction::per_sample) {
    const std::size_t pairs = value.size() / 2;
    std::vector<double> sums(pairs);
    for (std::size_t i = 0; i < pairs; ++i) sums[i] = static_cast<double>(value[i]) + static_cast<double>(value[pairs + i]);
    const std::vector<double> upstream = upstream_of(test, pairs);
    result.outputs["loss"] = array(without_classes(source_shape), sums);
    result.outputs["grad.y_s_adv"] = pulled(gs.read(), upstream, source_shape);
    result.outputs["grad.y_t_adv"] = pulled(gt.read(), upstream, target_shape);
  } else {
    const std::vector<double> ones(y.s.values.size() + y.t.values.size(), 1.0);
    result.outputs["loss"] = array(static_cast<double>(value));
    result.outputs["grad.y_s_adv"] = pulled(gs.read(), ones, source_shape);
    result.outputs["grad.y_t_adv"] = pulled(gt.read(), ones, target_shape);
  }
  return result;
}

template <class T, class Reduction>
std::vector<outcome> run_reduction(const test_case& test) {
  std::vector<outcome> results;
  const logits own{test.input("y_s"), test.input("y_s_adv"), test.input("y_t"), test.input("y_t_adv")};
  for_each_score_kind<T>(own.s, [&](const tensor_kind<T>& kind) { results.push_back(run_kind<T, Reduction>(test, own, kind)); });
  if (own.s.shape.size() > 2) {
    const logits rows{score_rows(own.s), score_rows(own.s_adv), score_rows(own.t), score_rows(own.t_adv)};
    for_each_tensor_kind<T>([&](const tensor_kind<T>& kind) { results.push_back(run_kind<T, Reduction>(test, rows, kind)); });
  }
  return results;
}

template <class T>
std::vector<outcome> run_shift_log(const test_case& test) {
  const array& x = test.input("x");
  std::vector<T> y, slopes;
  for (double value : x.values) {
    T slope;
    y.push_back(dalib::compat::shift_log(static_cast<T>(value), test.param<double>("offset"), slope));
    slopes.push_back(slope);
  }
  return {{"compat", {{"y", array(std::span<const T>(y))}, {"grad.x", array(std::span<const T>(slopes))}}, {}}};
}

/// The case's x are the backbone's features.
template <class T>
struct no_backbone {
  ad::index_t out_features;
  ad::variable<T> operator()(const ad::variable<T>& x) const { return x; }
  template <class Visitor>
  void parts(Visitor&&) {}
};

template <class T>
std::vector<outcome> run_classifier(const test_case& test) {
  dalib::io::random_generator random(1);
  using model_type = nn::mdd_classifier<T, no_backbone<T>>;
  const typename model_type::options options{test.param<ad::index_t>("bottleneck_dim"), test.param<ad::index_t>("width"),
                                             test.param<double>("dropout")};
  model_type model(no_backbone<T>{test.input("x").cols()}, test.param<ad::index_t>("C"), options, random);
  set_parameters(model, "", [&](const std::string& name, const auto&) { return test.input(name); });
  const nlohmann::json& grl = test.params.at("grl");
  model.reversal.alpha = grl.at("alpha");
  model.reversal.low = grl.at("lo");
  model.reversal.high = grl.at("hi");
  model.reversal.iterations = grl.at("max_iters");
  for (long i = 0; i < test.param<long>("grl_iter"); ++i) model.step();
  if (test.param<std::string>("mode") != "train") nn::set_training(model, false);

  const ad::variable<T> x = ad::parameter(matrix_of<T>(test.input("x")));
  const auto [y, y_adv, features] = model(x);
  const auto weighted = [&](const ad::variable<T>& scores, const char* weights) {
    return ad::sum(ad::multiply(scores, ad::constant(matrix_of<T>(test.input(weights)))));
  };
  outcome result{"example network", {}, {}};
  result.outputs["y"] = array_of(y.value(), {y.rows(), y.cols()});
  result.outputs["y_adv"] = array_of(y_adv.value(), {y_adv.rows(), y_adv.cols()});
  ad::backward(ad::add(weighted(y, "R"), weighted(y_adv, "R_adv")));
  result.outputs["grad.x"] = array_of(x.gradient(), {x.rows(), x.cols()});
  for (auto& [name, gradient] : gradients_of(model, "")) result.outputs["grad." + name] = gradient;
  return {result};
}

template <class T>
std::vector<outcome> run(const test_case& test) {
  if (test.method == "shift_log") return run_shift_log<T>(test);
  if (test.method == "mdd.ImageClassifier") return run_classifier<T>(test);
  if (test.method != "MarginDisparityDiscrepancy") unknown("method", test.method);
  const auto reduction = test.param<std::string>("reduction");
  if (reduction == "mean") return run_reduction<T, dalib::reduction::mean>(test);
  if (reduction == "sum") return run_reduction<T, dalib::reduction::sum>(test);
  if (reduction == "none") return run_reduction<T, dalib::reduction::none>(test);
  unknown("reduction", reduction);
}

const claim_group mdd("mdd", both_precisions([]<class T>(const test_case& test) { return run<T>(test); }));

} // namespace
