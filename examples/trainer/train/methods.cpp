// The methods of the program. A new one is a file method_NAME.cpp, or a function in a file term_*.cpp, and its name at two places here.
#include "method.hpp"

#include "../data/nearest.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <stdexcept>

namespace dalib::train {

method_entry source_only(), source_only_bn();
method_entry dann();
method_entry dan(), dan_linear();
method_entry jan(), jan_adversarial();
method_entry cdan(), cdan_e(), cdan_randomised();
method_entry mdd();
method_entry mcd(), mcd_swd(), symnets(), adda(), wdgrl();
method_entry pada(), iwan(), osbp();
method_entry coral(), coral_log(), cmd(), energy(), swd(), sinkhorn(), jdot(), dsan(), can();
method_entry afn(), afn_hard(), bsp();
method_entry mcc(), bnm(), bnm_fast(), im(), entropy(), tsallis();
method_entry shot(), self_ensembling();

std::span<const method_entry> all_methods() {
  static const std::array methods{source_only(),
                                  source_only_bn(),
                                  dann(),
                                  dan(),
                                  dan_linear(),
                                  jan(),
                                  jan_adversarial(),
                                  cdan(),
                                  cdan_e(),
                                  cdan_randomised(),
                                  mdd(),
                                  mcd(),
                                  mcd_swd(),
                                  symnets(),
                                  adda(),
                                  wdgrl(),
                                  pada(),
                                  iwan(),
                                  osbp(),
                                  coral(),
                                  coral_log(),
                                  cmd(),
                                  energy(),
                                  swd(),
                                  sinkhorn(),
                                  jdot(),
                                  dsan(),
                                  can(),
                                  afn(),
                                  afn_hard(),
                                  bsp(),
                                  mcc(),
                                  bnm(),
                                  bnm_fast(),
                                  im(),
                                  entropy(),
                                  tsallis(),
                                  shot(),
                                  self_ensembling()};
  return methods;
}

namespace {

const method_entry& find_single(std::string_view name) {
  std::string known;
  std::vector<std::string> names;
  for (const method_entry& entry : all_methods()) {
    if (entry.name == name || std::find(entry.aliases.begin(), entry.aliases.end(), name) != entry.aliases.end()) return entry;
    known += (known.empty() ? "" : ", ") + entry.name;
    names.push_back(entry.name);
  }
  throw std::invalid_argument("unknown method '" + std::string(name) + "'; known methods: " + known + data::did_you_mean(name, names));
}

std::vector<const method_entry*> parts_of(std::string_view name) {
  std::vector<const method_entry*> parts;
  while (true) {
    const std::size_t plus = name.find('+');
    const method_entry& part = find_single(name.substr(0, plus));
    if (std::find(parts.begin(), parts.end(), &part) != parts.end())
      throw std::invalid_argument("'" + part.name + "' is twice in a combination of methods");
    parts.push_back(&part);
    if (plus == std::string_view::npos) return parts;
    name.remove_prefix(plus + 1);
  }
}

/// Puts the part that is more than a loss in front. Throws std::invalid_argument if there are two, or if one cannot be combined.
void put_base_first(std::vector<const method_entry*>& parts) {
  std::string addable;
  for (const method_entry& entry : all_methods())
    if (entry.is_addable()) addable += (addable.empty() ? "" : ", ") + entry.name;
  const auto base = std::find_if(parts.begin(), parts.end(), [](const method_entry* part) { return !part->is_addable(); });
  if (base != parts.end()) std::rotate(parts.begin(), base, base + 1);
  const bool teacher_alone = std::all_of(parts.begin() + 1, parts.end(), [](const method_entry* part) { return bool(part->prepare); });
  if (parts.front()->takes == additions::none || (parts.front()->takes == additions::teacher && !teacher_alone))
    throw std::invalid_argument("'" + parts.front()->name + "' trains in a way of its own, nothing can be added to it");
  for (std::size_t i = 1; i < parts.size(); ++i)
    if (!parts[i]->is_addable())
      throw std::invalid_argument("'" + parts[i]->name + "' cannot be added to '" + parts.front()->name +
                                  "'; what can be added: " + addable);
}

method_entry combined(const std::vector<const method_entry*>& parts) {
  method_entry entry = *parts.front();
  entry.term = {};
  entry.prepare = {};
  entry.description.clear();
  for (std::size_t i = 1; i < parts.size(); ++i) {
    entry.name += "+" + parts[i]->name;
    entry.settings.insert(entry.settings.end(), parts[i]->settings.begin(), parts[i]->settings.end());
  }
  entry.make = [parts](const method_config& config, io::random_generator random) {
    method_config own = config;
    for (std::size_t i = 1; i < parts.size(); ++i) {
      if (parts[i]->term) own.terms.push_back(parts[i]->term(config));
      if (parts[i]->prepare) parts[i]->prepare(own, random);
    }
    return parts.front()->make(own, random);
  };
  return entry;
}

} // namespace

const method_entry& find_method(std::string_view name) {
  if (name.find('+') == std::string_view::npos) return find_single(name);
  std::vector<const method_entry*> parts = parts_of(name);
  put_base_first(parts);
  static std::map<std::vector<const method_entry*>, method_entry> combinations; // entries stay where they are
  const auto known = combinations.find(parts);
  return known != combinations.end() ? known->second : combinations.emplace(parts, combined(parts)).first->second;
}

} // namespace dalib::train
