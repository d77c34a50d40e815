#pragma once
// Methods whose transfer loss is a function of the outputs of an ordinary classifier.

#include "method.hpp"

#include <string>
#include <vector>

namespace dalib::train {

/// Such a method: its loss, and the classifier that it has where it stands alone. Behind another method's name and a `+` the loss is added
/// to that method's own.
struct term_method {
  std::string name, description;
  std::vector<method_setting> settings; ///< the first is the weight of the loss
  std::function<transfer_term<scalar>(const method_config&)> term;
  nn::bottleneck_options bottleneck = nn::bottleneck_dan;
  forwarding how = forwarding::separately;
};

/// Its entry in the array of methods.
method_entry entry_of(term_method method);

/// The setting NAME-weight: the factor of a term.
inline method_setting weight_of(const std::string& name, double value) {
  return {name + "-weight", value, 0, 1e6, name + ": weight of the loss"};
}

} // namespace dalib::train
