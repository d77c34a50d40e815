#include "term.hpp"

#include "../../autodiff/dalib_graph.hpp"

#include <dalib/measure/energy_distance.hpp>
#include <dalib/measure/local_mmd.hpp>

namespace dalib::train {

method_entry energy() {
  return entry_of({.name = "energy",
                   .description = "energy distance of the features",
                   .settings = {weight_of("energy", 0.3)},
                   .term = [](const method_config& config) -> transfer_term<scalar> {
                     return {config.settings.at("energy-weight"), [](const term_input<scalar>& in) {
                               return energy_distance{}(in.outputs.source.features, in.outputs.target.features);
                             }};
                   }});
}

// The paper's backbone has batch norm, LeNet has none. The domains pass as one batch, so that the statistics of evaluation fit both.
method_entry dsan() {
  return entry_of({.name = "dsan",
                   .description = "local MMD: the MMD of the features within each class, by labels and predictions",
                   .settings = {weight_of("dsan", 0.5)},
                   .term = [](const method_config& config) -> transfer_term<scalar> {
                     return {config.settings.at("dsan-weight"), [grows = config.reversal_iterations](const term_input<scalar>& in) {
                               const auto& [source, target] = in.outputs;
                               const auto p = ad::detach(ad::softmax(target.logits));
                               const auto loss = local_mmd{in.source_labels}(source.features, target.features, p);
                               return ad::scale(loss, static_cast<scalar>(ramp(in.iteration, grows)));
                             }};
                   },
                   .bottleneck = nn::bottleneck_dann,
                   .how = forwarding::jointly});
}

} // namespace dalib::train
