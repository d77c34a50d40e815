#include "term.hpp"

#include "../../autodiff/dalib_graph.hpp"

#include <dalib/measure/central_moment_discrepancy.hpp>

namespace dalib::train {

// The features are not bounded, as the paper's are: powers of the interval's length are there for the scale alone.
method_entry cmd() {
  return entry_of({.name = "cmd",
                   .description = "central moments of the features, up to the fifth",
                   .settings = {weight_of("cmd", 0.01)},
                   .term = [](const method_config& config) -> transfer_term<scalar> {
                     return {config.settings.at("cmd-weight"), [](const term_input<scalar>& in) {
                               return central_moment_discrepancy{}(in.outputs.source.features, in.outputs.target.features);
                             }};
                   }});
}

} // namespace dalib::train
