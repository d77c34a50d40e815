// The methods of the program. A new one is a file method_NAME.cpp and its name at two places here.
#include "method.hpp"

#include "../data/nearest.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

namespace dalib::train {

method_entry source_only(), source_only_bn();
method_entry dann();
method_entry dan(), dan_linear();
method_entry jan(), jan_adversarial();
method_entry cdan(), cdan_e(), cdan_randomised();
method_entry mdd();
method_entry mcd();

std::span<const method_entry> all_methods() {
  static const std::array methods{source_only(), source_only_bn(),  dann(), dan(), dan_linear(), jan(), jan_adversarial(), cdan(),
                                  cdan_e(),      cdan_randomised(), mdd(),  mcd()};
  return methods;
}

const method_entry& find_method(std::string_view name) {
  std::string known;
  std::vector<std::string> names;
  for (const method_entry& entry : all_methods()) {
    if (entry.name == name || std::find(entry.aliases.begin(), entry.aliases.end(), name) != entry.aliases.end()) return entry;
    known += (known.empty() ? "" : ", ") + entry.name;
    names.push_back(entry.name);
  }
  throw std::invalid_argument("unknown method '" + std::string(name) + "'; known methods: " + known + data::did_you_mean(name, names));
}

} // namespace dalib::train
