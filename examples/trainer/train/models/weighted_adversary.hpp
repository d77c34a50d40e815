#pragma once

#include "../../../autodiff/dalib_graph.hpp"
#include "../../../nn/nn.hpp"

#include <dalib/measure/domain_adversarial.hpp>
#include <dalib/measure/partial_adaptation.hpp>
#include <dalib/measure/warm_start_reversal.hpp>

#include <array>
#include <vector>

namespace dalib::train {

using ad::index_t;
using ad::variable;

/// A domain discriminator behind a gradient reversal for which some samples of the source count less: PADA and IWAN.
template <class T>
struct weighted_adversary {
  nn::domain_discriminator<T> discriminator;
  warm_start_reversal reversal{};

  /// @param weights one for each row of the source
  adversarial_result<variable<T>> operator()(const variable<T>& source, const variable<T>& target, const std::vector<T>& weights) {
    const auto both = ad::gradient_reversal(ad::concat_rows<T>({source, target}), static_cast<T>(reversal.coefficient()));
    reversal.step();
    const auto logits = ad::split_rows(discriminator(both), {source.rows(), target.rows()});
    const auto loss =
        graph_traits<variable<T>>::record(std::array<variable<T>, 2>{logits[0], logits[1]}, [&](const auto& values, const auto& slopes) {
          const weighted_domain_adversarial measure(0.5, 0.5); // as DANN's, w = 1
          return measure.value_and_gradient(weighted(values[0], weights), values[1], gradients<T>{slopes[0], slopes[1]});
        });
    const auto accuracy_of = [](const auto& s, const auto& t) { return domain_accuracy(s, t); };
    return {loss, with_graph_views(accuracy_of, logits[0], logits[1])};
  }
};

} // namespace dalib::train
