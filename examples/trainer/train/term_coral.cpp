#include "term.hpp"

#include "../../autodiff/dalib_graph.hpp"

#include <dalib/measure/coral.hpp>
#include <dalib/measure/log_euclidean_coral.hpp>

namespace dalib::train {

method_entry coral() {
  return entry_of({.name = "coral",
                   .description = "Deep CORAL: the covariances of the features",
                   .settings = {weight_of("coral", 100)},
                   .term = [](const method_config& config) -> transfer_term<scalar> {
                     return {config.settings.at("coral-weight"), [](const term_input<scalar>& in) {
                               return dalib::coral{}(in.outputs.source.features, in.outputs.target.features);
                             }};
                   }});
}

// Of the logits, which Deep CORAL aligns too: of 256 features and 64 samples a covariance has no logarithm.
method_entry coral_log() {
  return entry_of({.name = "coral-log",
                   .description = "log-Euclidean CORAL: the logarithms of the covariances of the logits",
                   .settings = {weight_of("coral-log", 1), {"coral-ridge", 0.01, 1e-9, 1e6, "coral-log: added to the variances"}},
                   .term = [](const method_config& config) -> transfer_term<scalar> {
                     const log_euclidean_coral loss{config.settings.at("coral-ridge")};
                     return {config.settings.at("coral-log-weight"),
                             [loss](const term_input<scalar>& in) { return loss(in.outputs.source.logits, in.outputs.target.logits); }};
                   }});
}

} // namespace dalib::train
