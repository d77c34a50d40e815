#pragma once
// The results of a run for other programs.

#include "../../io/atomic_file.hpp"
#include "results.hpp"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace dalib::report {

/// Results as JSON: {"configuration": {name: value, ...}, "results": [{"method", "task", "accuracies": [per seed], "mean", "deviation"},
/// ...]}. Accuracies are in percent; a mean or deviation that does not exist is null.
inline nlohmann::ordered_json results_json(const result_set& results,
                                           const std::vector<std::pair<std::string, std::string>>& configuration) {
  nlohmann::ordered_json document;
  document["configuration"] = nlohmann::ordered_json::object();
  for (const auto& [name, value] : configuration) document["configuration"][name] = value;
  document["results"] = nlohmann::ordered_json::array();
  for (const result& r : results.all()) {
    const summary s = summarize(r.accuracies);
    nlohmann::ordered_json entry;
    entry["method"] = r.method;
    entry["task"] = r.task;
    entry["accuracies"] = r.accuracies;
    entry["mean"] = s.mean;
    entry["deviation"] = s.deviation;
    document["results"].push_back(std::move(entry));
  }
  return document;
}

/// Writes a document atomically, indented. Bytes that are not UTF-8 are replaced by U+FFFD; throws std::runtime_error naming the file if
/// writing fails.
inline void save_json(const std::filesystem::path& path, const nlohmann::ordered_json& document) {
  io::write_text_file(path, document.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

} // namespace dalib::report
