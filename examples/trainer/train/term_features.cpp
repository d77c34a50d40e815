#include "term.hpp"

#include "../../autodiff/dalib_graph.hpp"

#include <dalib/measure/batch_spectral_penalisation.hpp>
#include <dalib/measure/feature_norm.hpp>

namespace dalib::train {

method_entry afn() {
  return entry_of({.name = "afn",
                   .description = "adaptive feature norm: the features' norms grow step by step in both domains",
                   .settings = {weight_of("afn", 0.05), {"afn-step", 1, 0, 1e6, "afn: the step"}},
                   .term = [](const method_config& config) -> transfer_term<scalar> {
                     const stepwise_feature_norm loss{config.settings.at("afn-step")};
                     return {config.settings.at("afn-weight"),
                             [loss](const term_input<scalar>& in) { return loss(in.outputs.source.features, in.outputs.target.features); }};
                   },
                   .bottleneck = nn::bottleneck_jan});
}

method_entry afn_hard() {
  return entry_of({.name = "afn-hard",
                   .description = "the same towards one norm",
                   .settings = {weight_of("afn-hard", 0.05), {"afn-norm", 10, 0, 1e6, "afn-hard: the norm"}},
                   .term = [](const method_config& config) -> transfer_term<scalar> {
                     const hard_feature_norm loss{config.settings.at("afn-norm")};
                     return {config.settings.at("afn-hard-weight"),
                             [loss](const term_input<scalar>& in) { return loss(in.outputs.source.features, in.outputs.target.features); }};
                   },
                   .bottleneck = nn::bottleneck_jan});
}

// A penalty of what DANN overdoes; by itself it would adapt nothing. The paper's 1e-4 is for 36 rows and a backbone that moves a tenth as
// fast: here the features of the target would shrink before DANN's reversal has grown, and the discriminator tell them apart for good.
method_entry bsp() {
  method_entry entry = entry_of({.name = "bsp",
                                 .description = "DANN with batch spectral penalisation: no direction of the features outshines the others",
                                 .settings = {weight_of("bsp", 1e-5)},
                                 .term = [](const method_config& config) -> transfer_term<scalar> {
                                   return {config.settings.at("bsp-weight"), [](const term_input<scalar>& in) {
                                             return batch_spectral_penalisation{}(in.outputs.source.features, in.outputs.target.features);
                                           }};
                                 }});
  entry.make = [term = entry.term](const method_config& config, io::random_generator random) {
    method_config own = config;
    own.terms.insert(own.terms.begin(), term(config));
    return find_method("dann").make(own, random);
  };
  entry.protocol = [](std::string_view data) { return find_method("dann").protocol(data); };
  return entry;
}

} // namespace dalib::train
