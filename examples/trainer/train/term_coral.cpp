#include "term.hpp"

#include "../../autodiff/dalib_graph.hpp"

#include <dalib/measure/coral.hpp>

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

} // namespace dalib::train
