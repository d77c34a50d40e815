/// @file
/// The trainer's models and descents, made as the training traces ask for: one function per method of DALIB's example programs.
#pragma once

#include "kernels.hpp"
#include "networks.hpp"

#include "train/models/adversarial_model.hpp"
#include "train/models/dan.hpp"
#include "train/models/descent.hpp"
#include "train/models/jan.hpp"
#include "train/models/mcd.hpp"
#include "train/models/mdd.hpp"
#include "train/models/source_only.hpp"

#include <dalib/dalib.hpp>
#include <string>
#include <utility>
#include <vector>

namespace golden {

namespace train = dalib::train;

/// A trace's backbone and what its models are made from.
template <class T, class Backbone>
struct trace_setup {
  const test_case& test;
  Backbone backbone;
  dalib::io::random_generator& random; ///< of no matter: every parameter is overwritten by the weight rule

  std::ptrdiff_t classes() const { return test.param<std::ptrdiff_t>("classes"); }
  std::ptrdiff_t width() const { return test.param<std::ptrdiff_t>("bottleneck_dim"); }

  nn::image_classifier<T, Backbone> classifier(const nn::bottleneck_options& bottleneck) const {
    return {backbone, classes(), bottleneck, random};
  }
  nn::image_classifier<T, Backbone> classifier(bool batch_norm) const {
    return classifier(nn::bottleneck_options{width(), batch_norm, test.param<double>("dropout")});
  }
  nn::domain_discriminator<T> discriminator(std::ptrdiff_t inputs) const {
    return {inputs, test.param<std::ptrdiff_t>("hidden_size"), random};
  }
  /// DALIB's reversal with its defaults, where the trace starts.
  dalib::warm_start_reversal reversal(double high) const { return {.high = high, .iteration = test.param<long>("grl_iter_start")}; }
  nn::sgd_options sgd(double momentum) const {
    return {test.param<double>("lr"), momentum, test.param<bool>("nesterov"), test.param<double>("weight_decay")};
  }
  /// Null stands for a rate that stays.
  nn::stepwise_schedule schedule() const {
    const auto number = [&](const char* key) { return test.params.at(key).is_null() ? 0 : test.param<double>(key); };
    return {test.param<double>("lr"), number("lr_gamma"), number("lr_decay")};
  }
};

/// DALIB's examples: the backbone is pretrained, and learns at a tenth of the rate.
inline constexpr double trace_backbone_multiplier = 0.1;

template <class T, class Backbone, class Model>
train::descent<Model> descent_of(const trace_setup<T, Backbone>& setup, Model model) {
  return {std::move(model),
          {setup.sgd(setup.test.template param<double>("momentum")), setup.schedule(), trace_backbone_multiplier,
           setup.test.template param<double>("trade_off")}};
}

inline dalib::kernel::gaussian_ladder<> trace_ladder(const test_case& test) {
  const auto alphas = test.param<std::vector<double>>("alphas");
  for (std::size_t k = 1; k < alphas.size(); ++k)
    if (alphas[k] != 2 * alphas[k - 1]) unknown("ladder of alphas with step", std::to_string(alphas[k] / alphas[k - 1]));
  return dalib::kernel::gaussian_ladder(alphas.at(0), static_cast<int>(alphas.size()));
}

/// baseline.py
template <class T, class Backbone>
auto make_source_only(const trace_setup<T, Backbone>& setup) {
  return descent_of(setup, train::source_only_model<T, Backbone>(setup.classifier(nn::bottleneck_source_only)));
}

/// dan.py
template <class Estimator, class T, class Backbone>
auto make_dan(const trace_setup<T, Backbone>& setup) {
  const dalib::mmd discrepancy{trace_ladder(setup.test), Estimator{}};
  return descent_of(setup, train::dan_model<T, Backbone, std::remove_const_t<decltype(discrepancy)>>(setup.classifier(false), discrepancy));
}

/// jan.py: the joint MMD of features and softmax outputs by DALIB's full-pair estimator.
inline auto trace_joint_mmd(const test_case& test) {
  const dalib::kernel::gaussian<dalib::bandwidth::fixed> softmax_kernel{dalib::bandwidth::fixed{test.param<double>("softmax_sigma")}};
  return dalib::joint_mmd(dalib::layer_kernels(trace_ladder(test), softmax_kernel), dalib::compat::nonlinear{});
}
template <class T, class Backbone>
auto make_jan(const trace_setup<T, Backbone>& setup) {
  using discrepancy = decltype(trace_joint_mmd(setup.test));
  return descent_of(
      setup, train::jan_model<T, Backbone, discrepancy>(setup.classifier(true), trace_joint_mmd(setup.test), train::forwarding::jointly));
}
template <class T, class Backbone>
auto make_adversarial_jan(const trace_setup<T, Backbone>& setup) {
  using discrepancy = decltype(trace_joint_mmd(setup.test));
  return descent_of(setup, train::adversarial_jan_model<T, Backbone, discrepancy>(setup.classifier(true), trace_joint_mmd(setup.test),
                                                                                  train::forwarding::jointly, setup.random));
}

/// dann.py
template <class T, class Backbone>
auto make_dann(const trace_setup<T, Backbone>& setup) {
  return descent_of(setup, train::dann_model<T, Backbone>(setup.classifier(true), {setup.discriminator(setup.width()), setup.reversal(1)}));
}

/// cdan.py
template <class Conditioning, class T, class Backbone>
auto make_cdan(const trace_setup<T, Backbone>& setup) {
  using model = train::cdan_model<T, Backbone, dalib::multilinear_map, Conditioning>;
  auto loss = train::make_conditional_loss<T>(setup.width(), setup.classes(), setup.test.template param<std::ptrdiff_t>("hidden_size"),
                                              dalib::multilinear_map{}, Conditioning{}, setup.reversal(1), setup.random);
  return descent_of(setup, model(setup.classifier(true), std::move(loss)));
}

/// mdd.py: the target's term with DALIB's offset.
template <class T, class Backbone>
auto make_mdd(const trace_setup<T, Backbone>& setup) {
  using term = dalib::compat::shifted_log_complement;
  nn::mdd_classifier<T, Backbone> classifier(setup.backbone, setup.classes(),
                                             {setup.width(), setup.width(), setup.test.template param<double>("dropout")}, setup.random);
  classifier.reversal = setup.reversal(0.1);
  const dalib::margin_disparity disparity{setup.test.template param<double>("margin"), dalib::reduction::mean{}, term{}};
  return descent_of(setup, train::mdd_model<T, Backbone, std::remove_const_t<decltype(disparity)>>(std::move(classifier), disparity));
}

/// mcd.py
template <class T, class Backbone>
auto make_mcd(const trace_setup<T, Backbone>& setup) {
  const nlohmann::json& momentum = setup.test.params.at("momentum");
  typename train::mcd_descent<T, Backbone>::options options;
  options.width = setup.width();
  options.dropout = setup.test.template param<double>("dropout");
  options.trade_off = setup.test.template param<double>("trade_off");
  options.backbone_steps = setup.test.template param<int>("num_k");
  options.backbone = setup.sgd(momentum.at("G"));
  options.heads = setup.sgd(momentum.at("F1,F2"));
  options.schedule = setup.schedule();
  return train::mcd_descent<T, Backbone>(setup.backbone, setup.classes(), options, setup.random);
}

} // namespace golden
