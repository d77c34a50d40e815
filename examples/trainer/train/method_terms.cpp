// What makes a method of a single term. The terms themselves are in term_*.cpp.
#include "models/term_model.hpp"
#include "standard_method.hpp"
#include "term.hpp"

namespace dalib::train {

method_entry entry_of(term_method method) {
  const auto make = [term = method.term, bottleneck = method.bottleneck, how = method.how](const method_config& config,
                                                                                           io::random_generator random) {
    method_config own = config;
    own.terms.insert(own.terms.begin(), term(config));
    return make_standard_method(term_model<scalar, image_backbone>(make_classifier(config, bottleneck, random), how), own);
  };
  return {.name = std::move(method.name),
          .description = std::move(method.description),
          .settings = std::move(method.settings),
          .make = make,
          .term = std::move(method.term)};
}

} // namespace dalib::train
