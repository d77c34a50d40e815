/// @file
/// The networks and losses of the training traces: DALIB's example programs, one small class per method.
#pragma once

#include "kernels.hpp"
#include "networks.hpp"

#include "autodiff/dalib_graph.hpp"

#include <dalib/dalib.hpp>
#include <utility>
#include <vector>

namespace golden {

/// One iteration's samples of both domains.
template <class T>
struct trace_batch {
  ad::variable<T> source, target;
  std::vector<std::int64_t> labels;
};

/// Losses of one iteration; `transfer` is not valid where the method has none.
template <class T>
struct trace_losses {
  ad::variable<T> classification, transfer;
  double domain_accuracy = 0;
};

/// Width of the layers between backbone and head.
inline nn::bottleneck_options bottleneck_of(const test_case& test, bool batch_norm) {
  if (test.param<double>("dropout") != 0) unknown("dropout rate", test.params.at("dropout").dump());
  return {test.param<std::ptrdiff_t>("bottleneck_dim"), batch_norm, 0};
}

/// baseline.py: cross-entropy on the source.
template <class T, class Backbone>
struct source_only_model {
  nn::image_classifier<T, Backbone> classifier;

  source_only_model(const test_case& test, Backbone backbone, dalib::io::random_generator& random)
      : classifier(std::move(backbone), test.param<std::ptrdiff_t>("classes"), nn::bottleneck_source_only, random) {}

  trace_losses<T> operator()(const trace_batch<T>& batch) {
    return {ad::cross_entropy<T>(classifier(batch.source).logits, batch.labels), {}, 0};
  }
  std::vector<nn::parameter_group<T>> parameter_groups() { return classifier.parameter_groups(0.1); }
  template <class Visitor>
  void parts(Visitor&& f) {
    f("classifier", classifier);
  }
};

/// dann.py: the domains as one batch, a discriminator behind a gradient reversal.
template <class T, class Backbone>
struct dann_model {
  nn::image_classifier<T, Backbone> classifier;
  dalib::domain_adversarial_loss<nn::domain_discriminator<T>> adversarial;

  dann_model(const test_case& test, Backbone backbone, dalib::io::random_generator& random)
      : classifier(std::move(backbone), test.param<std::ptrdiff_t>("classes"), bottleneck_of(test, true), random),
        adversarial{{classifier.features(), test.param<std::ptrdiff_t>("hidden_size"), random},
                    {.iteration = test.param<long>("grl_iter_start")}} {}

  trace_losses<T> operator()(const trace_batch<T>& batch) {
    const auto [logits, features] = classifier(ad::concat_rows<T>({batch.source, batch.target}));
    const std::vector<ad::index> sizes{batch.source.shape().images, batch.target.shape().images};
    const auto parts = ad::split_rows(features, sizes);
    const auto [transfer, accuracy] = adversarial(parts[0], parts[1]);
    return {ad::cross_entropy<T>(ad::split_rows(logits, sizes)[0], batch.labels), transfer, accuracy};
  }
  std::vector<nn::parameter_group<T>> parameter_groups() {
    auto groups = classifier.parameter_groups(0.1);
    groups.push_back(nn::group_of<T>(adversarial.discriminator));
    return groups;
  }
  template <class Visitor>
  void parts(Visitor&& f) {
    f("classifier", classifier);
    f("domain_discri", adversarial.discriminator);
  }
};

/// dan.py: the domains one after the other, MK-MMD between the bottleneck's features.
template <class T, class Backbone, class Estimator>
struct dan_model {
  nn::image_classifier<T, Backbone> classifier;
  dalib::mmd<dalib::kernel::gaussian_ladder<>, Estimator> discrepancy;

  dan_model(const test_case& test, Backbone backbone, dalib::io::random_generator& random)
      : classifier(std::move(backbone), test.param<std::ptrdiff_t>("classes"), bottleneck_of(test, false), random),
        discrepancy(ladder_of(test.param<std::vector<double>>("alphas"))) {}

  trace_losses<T> operator()(const trace_batch<T>& batch) {
    const auto source = classifier(batch.source), target = classifier(batch.target);
    return {ad::cross_entropy<T>(source.logits, batch.labels), ad::apply(discrepancy, source.features, target.features), 0};
  }
  std::vector<nn::parameter_group<T>> parameter_groups() { return classifier.parameter_groups(0.1); }
  template <class Visitor>
  void parts(Visitor&& f) {
    f("classifier", classifier);
  }

private:
  static dalib::kernel::gaussian_ladder<> ladder_of(const std::vector<double>& alphas) {
    for (std::size_t k = 1; k < alphas.size(); ++k)
      if (alphas[k] != 2 * alphas[k - 1]) unknown("ladder of alphas with step", std::to_string(alphas[k] / alphas[k - 1]));
    return dalib::kernel::gaussian_ladder(alphas.at(0), static_cast<int>(alphas.size()));
  }
};

} // namespace golden
