/// Group optim: Adam and its kin, learning rates, clipping, softened cross-entropies, distillation, mean teacher.
#include "loss_cases.hpp"
#include "networks.hpp"
#include "optimiser_rows.hpp"

#include <dalib/measure/distillation.hpp>
#include <dalib/measure/partial_adaptation.hpp>
#include <dalib/measure/weighted_cross_entropy.hpp>

#include <algorithm>
#include <span>

namespace {

using namespace golden;

/// The moments of an optimiser, one parameter after another.
template <class T>
struct moment_collector {
  std::map<std::string, std::vector<double>> values;

  template <class Number>
  void operator()(const std::string& name, const nn::shape&, std::span<Number> elements) {
    static const std::map<std::string, std::string> names{
        {"first_moment", "exp_avg"}, {"second_moment", "exp_avg_sq"}, {"largest_moment", "max_exp_avg_sq"}};
    const auto found = names.find(name.substr(0, name.find('.')));
    if (found == names.end()) return;
    std::vector<double>& to = values[found->second];
    for (const Number element : elements) to.push_back(static_cast<double>(element));
  }
};

template <class T>
outcome run_adam(const test_case& test) {
  optimiser_rows<T> given(test);
  const auto betas = test.param<std::vector<double>>("betas");
  nn::adam<T> optimiser(given.groups(), {test.param<double>("lr"), betas.at(0), betas.at(1), test.param<double>("eps"),
                                         test.param<double>("weight_decay"), test.method == "AdamW", test.param<bool>("amsgrad")});
  outcome result{"examples", {{"trajectory", given.trajectory(optimiser, [] {})}}, {}};
  moment_collector<T> moments;
  optimiser.visit_state(moments);
  for (auto& [name, values] : moments.values) result.outputs.emplace(name, array(test.input("p0").shape, std::move(values)));
  return result;
}

template <class T, class Rate>
outcome rates_of(const test_case& test, const Rate& rate) {
  std::vector<double> rates;
  for (int i = 0; i < test.param<int>("iterations"); ++i) rates.push_back(static_cast<double>(static_cast<T>(rate(i))));
  return {"examples", {{"lr", vector_array(rates)}}, {}};
}
template <class T>
outcome run_rates(const test_case& test) {
  const auto number = [&](const char* key) { return test.param<double>(key); };
  const auto count = [&](const char* key) { return test.param<std::int64_t>(key); };
  if (test.method == "CosineAnnealingLR") return rates_of<T>(test, nn::cosine_rate{number("lr"), number("eta_min"), count("T_max")});
  if (test.method == "StepLR") return rates_of<T>(test, nn::step_rate{number("lr"), number("gamma"), count("step_size")});
  if (test.method == "MultiStepLR")
    return rates_of<T>(test, nn::milestone_rate{number("lr"), number("gamma"), test.param<std::vector<std::int64_t>>("milestones")});
  if (test.method == "ExponentialLR") return rates_of<T>(test, nn::exponential_rate{number("lr"), number("gamma")});
  return rates_of<T>(test, nn::warm_up_cosine_rate{number("lr"), count("warmup"), count("total")});
}

template <class T>
outcome run_clipping(const test_case& test) {
  std::vector<nn::parameter_group<T>> groups(1);
  for (int k = 0; k < 3; ++k) {
    const array& g = test.input("g" + std::to_string(k));
    const ad::matrix<T> values = matrix_of<T>(g);
    groups[0].parameters.push_back(ad::parameter(values));
    groups[0].parameters.back().add_gradient([&](ad::map<T> target, ad::write) { target = values; });
  }
  outcome result{"examples", {}, {}};
  if (test.method == "clip_grad_norm")
    result.outputs.emplace("total_norm", array(nn::clip_gradient_norm<T>(groups, test.param<double>("max_norm"))));
  else
    nn::clip_gradient_values<T>(groups, test.param<double>("clip_value"));
  for (int k = 0; k < 3; ++k)
    result.outputs.emplace("clipped" + std::to_string(k), array_of(groups[0].parameters[static_cast<std::size_t>(k)].gradient(),
                                                                   test.input("g" + std::to_string(k)).shape));
  return result;
}

/// A model of one parameter.
template <class T>
struct one_parameter {
  nn::parameter<T> p;

  explicit one_parameter(const std::vector<double>& values) : p(nn::shape{static_cast<std::int64_t>(values.size())}) {
    p.from_torch(std::span<const double>(values));
  }
  template <class Visitor>
  void parts(Visitor&& f) {
    f("p", p);
  }
};
template <class T>
outcome run_teacher(const test_case& test) {
  nn::mean_teacher average{.alpha = test.param<double>("alpha"), .ramp = test.param<bool>("ramp")};
  const array& students = test.input("students");
  one_parameter<T> teacher(test.input("teacher0").values);
  std::vector<double> trajectory;
  for (std::ptrdiff_t k = 0; k < students.rows(); ++k) {
    const auto first = students.values.begin() + k * students.cols();
    one_parameter<T> student(std::vector<double>(first, first + students.cols()));
    average.update(teacher, student);
    for (const T value : teacher.p.to_torch()) trajectory.push_back(static_cast<double>(value));
  }
  return {"examples", {{"trajectory", {students.shape, std::move(trajectory)}}}, {}};
}

template <class T>
std::vector<outcome> run(const test_case& test) {
  const std::string& method = test.method;
  if (method == "Adam" || method == "AdamW") return {run_adam<T>(test)};
  if (test.params.contains("schedule")) return {run_rates<T>(test)};
  if (method.starts_with("clip_grad")) return {run_clipping<T>(test)};
  if (method.starts_with("EMA teacher")) return {run_teacher<T>(test)};
  if (method == "distillation") {
    const Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic> y = dense_input<T>(test, "y"), teacher = dense_input<T>(test, "teacher");
    const dalib::distillation loss{test.param<double>("temperature")};
    const auto [value, g] = loss.value_and_gradient(y, teacher);
    require_same_value(loss(y, teacher), value);
    return {{"Eigen", {{"loss", scalar(value)}, {"grad.y", array_of(g, test.input("y").shape)}}, {}}};
  }
  if (!method.starts_with("cross entropy")) unknown("method", method);
  const std::vector<std::int64_t> labels = test.input("labels").integers();
  std::vector<double> weights;
  if (test.inputs.contains("weight")) weights = dalib::weights_of_labels(test.input("weight").values, labels);
  return run_one<T>(
      test, "y",
      dalib::weighted_cross_entropy{
          labels, weights, dalib::weighted_mean::by_weight, {test.params.value("smoothing", 0.0), test.params.value("temperature", 1.0)}});
}

const claim_group group("optim", both_precisions([]<class T>(const test_case& test) { return run<T>(test); }));

} // namespace
