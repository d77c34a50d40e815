/// Group mcd: the discrepancy of two classifiers, the class-balance term, both in step B, and the classifier head.
#include "class_scores.hpp"
#include "networks.hpp"
#include "two_sample.hpp"

#include <span>
#include <string>

namespace {

using namespace golden;

template <class T>
std::vector<outcome> run_discrepancy(const test_case& test) {
  std::vector<outcome> results;
  const array &first = test.input("p1"), &second = test.input("p2");
  for_each_score_type<T>(first, [&]<class Tensor>(tag<Tensor>) {
    Tensor p1(first), p2(second), g1(unwritten_like(first)), g2(unwritten_like(second));
    const dalib::classifier_discrepancy loss{dalib::scores::probabilities{}};
    const T value = loss.value_and_gradient(tensor_policy{}, p1.get(), p2.get(), dalib::gradients{g1.get(), g2.get()});
    results.push_back({Tensor::kind(), {{"loss", array(static_cast<double>(value))}, {"grad.p1", g1.read()}, {"grad.p2", g2.read()}}, {}});
  });
  return results;
}

template <class T>
std::vector<outcome> run_balance(const test_case& test) {
  std::vector<outcome> results;
  const array& scores = test.input("p1");
  for_each_score_type<T>(scores, [&]<class Tensor>(tag<Tensor>) {
    Tensor p(scores), g(unwritten_like(scores));
    const T value =
        dalib::class_balance{dalib::scores::probabilities{}}.value_and_gradient(tensor_policy{}, p.get(), dalib::gradient{g.get()});
    results.push_back({Tensor::kind(), {{"loss", array(static_cast<double>(value))}, {"grad.p1", g.read()}}, {}});
  });
  return results;
}

/// 0.01 (balance + balance) - discrepancy of the softmax of both logits, written into one gradient by scale and accumulation.
template <class T>
std::vector<outcome> run_step_b(const test_case& test) {
  std::vector<outcome> results;
  const array &first = test.input("logits1"), &second = test.input("logits2");
  for_each_score_kind<T>(first, [&](const tensor_kind<T>& kind) {
    any_tensor<T> l1 = kind(first), l2 = kind(second), g1 = kind(unwritten_like(first)), g2 = kind(unwritten_like(second));
    const T weight = static_cast<T>(0.01);
    const T balance = dalib::class_balance{}.value_and_gradient(tensor_policy{}, l1.get(), dalib::gradient{g1.get(), weight}) +
                      dalib::class_balance{}.value_and_gradient(tensor_policy{}, l2.get(), dalib::gradient{g2.get(), weight});
    const T discrepancy = dalib::classifier_discrepancy{}.value_and_gradient(
        tensor_policy{}, l1.get(), l2.get(), dalib::gradients{g1.get(), g2.get(), T(-1), dalib::write_mode::accumulate});
    results.push_back({kind.name,
                       {{"loss", array(static_cast<double>(weight * balance - discrepancy))},
                        {"discrepancy", array(static_cast<double>(discrepancy))},
                        {"entropy", array(static_cast<double>(balance))},
                        {"grad.logits1", g1.read()},
                        {"grad.logits2", g2.read()}},
                       {}});
  });
  return results;
}

/// The classifier head of the example networks.
template <class T>
std::vector<outcome> run_head(const test_case& test) {
  dalib::io::random_generator random(1);
  const array& input = test.input("x");
  nn::image_classifier_head<T> head(input.cols(), test.param<ad::index_t>("C"), test.param<ad::index_t>("bottleneck_dim"), random,
                                    test.param<double>("dropout"));
  nn::visit(head, [&](const std::string& name, auto& item) { item.from_torch(std::span<const double>(test.input(name).values)); });
  nn::set_training(head, test.param<std::string>("mode") == "train");
  const ad::variable<T> x = ad::parameter(matrix_of<T>(input));
  const ad::variable<T> y = head(x);
  ad::backward(ad::sum(ad::multiply(y, ad::constant(matrix_of<T>(test.input("R"))))));
  outcome result{"example network", {}, {}};
  result.outputs["y"] = array_of(y.value(), {y.rows(), y.cols()});
  result.outputs["grad.x"] = array_of(x.gradient(), {x.rows(), x.cols()});
  for (auto& [name, gradient] : gradients_of(head, "")) result.outputs["grad." + name] = gradient;
  for (auto& [name, state] : state_of(head, "")) result.outputs["after." + name] = state;
  return {result};
}

template <class T>
std::vector<outcome> run(const test_case& test) {
  if (test.method == "classifier_discrepancy") return run_discrepancy<T>(test);
  if (test.method == "entropy") return run_balance<T>(test);
  if (test.method == "0.01*(entropy+entropy)-discrepancy of softmax") return run_step_b<T>(test);
  if (test.method == "ImageClassifierHead") return run_head<T>(test);
  unknown("method", test.method);
}

const claim_group mcd("mcd", both_precisions([]<class T>(const test_case& test) { return run<T>(test); }));

} // namespace
