/// @file
/// Networks with the initial weights of a golden case.
#pragma once

#include "networks.hpp"
#include "weights.hpp"

#include <map>
#include <string>
#include <vector>

namespace golden {

/// Sets the initial weights by the weight rule; the network must have exactly the parameters that the case lists. Returns their names.
/// `manifest_name(name)` is what the manifest calls the parameter `name`.
template <class Network, class Rename>
std::vector<std::string> initialise(Network& network, const test_case& test, Rename&& manifest_name) {
  std::vector<std::string> names;
  std::map<std::string, nlohmann::json> entries; // name, shape, initialisation
  for (const nlohmann::json& entry : test.params.at("parameters")) {
    names.push_back(entry.at(0));
    entries[names.back()] = entry;
  }
  std::size_t count = 0;
  set_parameters(network, "", [&](const std::string& own_name, const std::vector<std::ptrdiff_t>& shape) {
    const std::string name = manifest_name(own_name);
    const auto entry = entries.find(name);
    if (entry == entries.end()) throw std::runtime_error("the case has no parameter " + name);
    if (entry->second.at(1) != nlohmann::json(shape)) throw std::runtime_error("parameter " + name + " has shape " + array::text(shape));
    ++count;
    return initial_weight(test.weight_prefix + name, shape, entry->second.at(2));
  });
  if (count != names.size())
    throw std::runtime_error("the network has " + std::to_string(count) + " parameters, the case " + std::to_string(names.size()));
  return names;
}

} // namespace golden
