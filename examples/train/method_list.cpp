#include "method.hpp"

#include <algorithm>

namespace dalib::train {
namespace {

bool answers_to(const method_entry& entry, std::string_view name) {
  return entry.name == name || std::find(entry.aliases.begin(), entry.aliases.end(), name) != entry.aliases.end();
}

} // namespace

method_list& method_list::instance() {
  static method_list list;
  return list;
}

void method_list::add(method_entry entry) {
  for (const method_entry& other : entries_)
    if (answers_to(other, entry.name)) throw std::logic_error("method_list: the name '" + entry.name + "' is taken");
  const auto place =
      std::upper_bound(entries_.begin(), entries_.end(), entry.rank, [](int rank, const method_entry& other) { return rank < other.rank; });
  entries_.insert(place, std::move(entry));
}

const method_entry& method_list::find(std::string_view name) const {
  std::string known;
  for (const method_entry& entry : entries_) {
    if (answers_to(entry, name)) return entry;
    known += (known.empty() ? "" : ", ") + entry.name;
  }
  throw std::invalid_argument("unknown method '" + std::string(name) + "'; known methods: " + known);
}

} // namespace dalib::train
