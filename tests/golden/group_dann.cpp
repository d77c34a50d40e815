/// Group dann: the domain adversarial loss with its discriminator, gradient reversal and reductions.
#include "networks.hpp"
#include "tensors.hpp"

#include "autodiff/dalib_graph.hpp"

#include <functional>
#include <span>

namespace {

using namespace golden;

template <class T>
using discriminator = nn::domain_discriminator<T>;

dalib::warm_start_reversal reversal_of(const test_case& test) {
  const nlohmann::json& grl = test.params.at("grl");
  return {grl.at("alpha"), grl.at("lo"), grl.at("hi"), grl.at("max_iters").get<long>(), test.param<long>("grl_iter")};
}

template <class T>
discriminator<T> discriminator_of(const test_case& test) {
  dalib::io::random_generator random(1);
  discriminator<T> result(test.input("f_s").cols(), test.input("D.layer1.weight").rows(), random);
  set_parameters(result, "D.", [&](const std::string& name, const auto&) { return test.input(name); });
  return result;
}

/// The scalar whose gradients the case holds, of a loss that is one number or one value per sample (source first).
template <class T>
ad::variable<T> differentiated(const test_case& test, const ad::variable<T>& loss) {
  const auto of = test.param<std::string>("gradient_of");
  if (of == "loss") return loss;
  // DALIB adds source sample i and target sample i to one value, so both get that value's upstream gradient.
  if (of == "mean(loss)") return ad::scale(ad::sum(loss), T(1) / static_cast<T>(test.input("f_s").rows()));
  if (of != "sum(loss*upstream)") unknown("gradient_of", of);
  const ad::matrix<T> upstream = matrix_of<T>(test.input("upstream"));
  ad::matrix<T> twice(2 * upstream.rows(), 1);
  twice << upstream, upstream;
  return ad::sum(ad::multiply(loss, ad::constant(twice)));
}

/// The loss in DALIB's shape: per-sample values are added up in pairs.
template <class T>
array loss_of(const ad::variable<T>& loss) {
  if (loss.rows() == 1) return array(static_cast<double>(loss.item()));
  const Eigen::Index n = loss.rows() / 2;
  return array_of(loss.value().topRows(n) + loss.value().bottomRows(n), {n, 1});
}

/// What a forward pass gives: the loss, and the accuracy of the discriminator in percent.
template <class T>
using forward_pass =
    std::function<dalib::adversarial_result<ad::variable<T>>(discriminator<T>&, const ad::variable<T>&, const ad::variable<T>&)>;

/// Forward, backward, and everything the case asks for.
template <class T>
outcome run_forward(const test_case& test, const std::string& label, const forward_pass<T>& forward) {
  discriminator<T> network = discriminator_of<T>(test);
  const ad::variable<T> source = ad::parameter(matrix_of<T>(test.input("f_s"))), target = ad::parameter(matrix_of<T>(test.input("f_t")));
  const auto [loss, accuracy] = forward(network, source, target);
  outcome result{label, state_of(network, "D."), {}};
  result.outputs["loss"] = loss_of(loss);
  result.outputs["accuracy"] = array(accuracy);
  ad::backward(differentiated(test, loss));
  result.outputs["grad.f_s"] = array_of(source.gradient(), {source.rows(), source.cols()});
  result.outputs["grad.f_t"] = array_of(target.gradient(), {target.rows(), target.cols()});
  for (auto& [name, gradient] : gradients_of(network, "D.")) result.outputs["grad." + name] = gradient;
  return result;
}

/// The class with the discriminator inside, on the example tape.
template <class T, class Reduction>
outcome run_whole(const test_case& test) {
  return run_forward<T>(test, "domain_adversarial_loss", [&](discriminator<T>& network, const auto& source, const auto& target) {
    // The loss holds the discriminator by reference, so that its gradients and statistics can be read.
    const auto by_reference = [&](const ad::variable<T>& x) { return network(x); };
    dalib::domain_adversarial_loss loss{by_reference, reversal_of(test), Reduction{}};
    const auto result = loss(source, target);
    if (loss.reversal.iteration != test.param<long>("grl_iter") + 1)
      throw std::runtime_error("the reversal's schedule did not advance by one");
    return result;
  });
}

/// The loss of logits alone, through one kind of tensor: what lies around it is the tape's.
template <class T, class Reduction>
outcome run_logits(const test_case& test, const tensor_kind<T>& kind) {
  return run_forward<T>(test, "domain_adversarial, " + kind.name, [&](discriminator<T>& network, const auto& source, const auto& target) {
    const ad::variable<T> joint = ad::concat_rows<T>({source, target});
    const ad::variable<T> logits = network(ad::gradient_reversal(joint, static_cast<T>(reversal_of(test).coefficient())));
    const std::vector<ad::variable<T>> parts = ad::split_rows(logits, {source.rows(), target.rows()});
    double accuracy = 0;
    auto loss = dalib::graph_traits<ad::variable<T>>::record(std::array{parts[0], parts[1]}, [&](const auto&, const auto& gradients) {
      const array values_s = array_of(parts[0].value(), {source.rows(), 1}), values_t = array_of(parts[1].value(), {target.rows(), 1});
      any_tensor<T> ls = kind(values_s), lt = kind(values_t), gs = kind(values_s), gt = kind(values_t);
      auto value = dalib::domain_adversarial<Reduction>{}.value_and_gradient(tensor_policy{}, ls.get(), lt.get(),
                                                                             dalib::gradients{gs.get(), gt.get()});
      accuracy = dalib::domain_accuracy(ls.get(), lt.get());
      const array written_s = gs.read(), written_t = gt.read();
      for (std::ptrdiff_t i = 0; i < source.rows(); ++i) gradients[0](i, 0) = static_cast<T>(written_s.at(i));
      for (std::ptrdiff_t i = 0; i < target.rows(); ++i) gradients[1](i, 0) = static_cast<T>(written_t.at(i));
      return value;
    });
    return dalib::adversarial_result<ad::variable<T>>{loss, accuracy};
  });
}

template <class T, class Reduction>
std::vector<outcome> run_reduction(const test_case& test) {
  std::vector<outcome> results;
#ifndef DALIB_TEST_THRUST // the class runs on the example tape, which is the host's
  results.push_back(run_whole<T, Reduction>(test));
#endif
  for_each_tensor_kind<T>([&](const tensor_kind<T>& kind) { results.push_back(run_logits<T, Reduction>(test, kind)); });
  return results;
}

/// DALIB's binary cross-entropy of a sigmoid, whose gradient dies where the sigmoid saturates.
template <class T>
std::vector<outcome> run_saturation(const test_case& test) {
  const array &logits = test.input("logits"), &labels = test.input("labels");
  std::vector<T> losses, slopes;
  for (std::ptrdiff_t i = 0; i < logits.rows(); ++i) {
    T slope;
    losses.push_back(dalib::compat::binary_cross_entropy(static_cast<T>(logits.at(i)), labels.at(i) != 0, slope));
    slopes.push_back(slope);
  }
  return {{"compat", {{"loss", array(std::span<const T>(losses))}, {"grad.logits", array(std::span<const T>(slopes))}}, {}}};
}

template <class T>
std::vector<outcome> run(const test_case& test) {
  if (test.method == "BCELoss(sigmoid(x))") return run_saturation<T>(test);
  if (test.method != "DomainAdversarialLoss") unknown("method", test.method);
  const auto reduction = test.param<std::string>("reduction");
  if (reduction == "mean") return run_reduction<T, dalib::reduction::mean>(test);
  if (reduction == "sum") return run_reduction<T, dalib::reduction::sum>(test);
  if (reduction == "none") return run_reduction<T, dalib::reduction::none>(test);
  unknown("reduction", reduction);
}

const claim_group dann("dann", both_precisions([]<class T>(const test_case& test) { return run<T>(test); }));

} // namespace
