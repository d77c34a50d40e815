/// @file
/// Reader of a golden set: manifest.json and one safetensors file per group (set/README.md describes the format).
#pragma once

#include "array.hpp"
#include "compare.hpp"
#include "io/safetensors.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace golden {

/// One case with its tensors.
struct test_case {
  std::string name;
  std::string group;
  std::string method;
  nlohmann::json params;
  std::string weight_prefix; ///< of the set, for the weight rule
  std::map<std::string, array> inputs;
  std::vector<expected_output> outputs;

  const array& input(const std::string& key) const {
    const auto found = inputs.find(key);
    if (found == inputs.end()) throw std::runtime_error("the case has no input " + key);
    return found->second;
  }
  bool has_output(const std::string& key) const {
    return std::any_of(outputs.begin(), outputs.end(), [&](const expected_output& o) { return o.name == key; });
  }
  template <class T>
  T param(const char* key) const {
    return params.at(key).get<T>();
  }
};

/// A golden set in a folder. Throws std::runtime_error for anything that the format does not allow.
class golden_set {
public:
  explicit golden_set(std::filesystem::path folder) : folder_(std::move(folder)) {
    const std::filesystem::path path = folder_ / "manifest.json";
    std::ifstream stream(path);
    if (!stream) throw std::runtime_error(path.string() + ": cannot open");
    try {
      manifest_ = nlohmann::json::parse(stream);
      if (manifest_.at("format") != 2) throw std::runtime_error("unknown format " + manifest_.at("format").dump());
      expand_parameters();
      for (const nlohmann::json& entry : manifest_.at("cases")) {
        const std::string group = entry.at("group");
        if (!entries_.contains(group)) groups_.push_back(group);
        entries_[group].push_back(&entry);
      }
    } catch (const std::exception& error) {
      throw std::runtime_error(path.string() + ": " + error.what());
    }
  }
  golden_set(const golden_set&) = delete; // entries_ points into manifest_
  golden_set& operator=(const golden_set&) = delete;

  /// "seed ..., reference ..." of the set.
  std::string description() const {
    return "seed " + manifest_.value("seed", nlohmann::json()).dump() + ", " + manifest_.value("reference", "no reference named");
  }
  /// Names of the groups, in the manifest's order.
  const std::vector<std::string>& groups() const { return groups_; }
  std::size_t case_count(const std::string& group) const { return entries_.at(group).size(); }

  /// Reads all cases of a group.
  std::vector<test_case> cases(const std::string& group) const {
    const dalib::io::safetensors_file file(folder_ / manifest_.at("files").at(group).get<std::string>());
    std::vector<test_case> result;
    for (const nlohmann::json* entry : entries_.at(group)) {
      try {
        result.push_back(read_case(*entry, file));
      } catch (const std::exception& error) {
        throw std::runtime_error("golden case " + entry->value("name", "without name") + ": " + error.what());
      }
    }
    return result;
  }

private:
  /// A case may say `"parameters": "same as NAME"` in place of the list.
  void expand_parameters() {
    static const std::string reference = "same as ";
    std::map<std::string, const nlohmann::json*> lists;
    for (const nlohmann::json& entry : manifest_.at("cases"))
      if (entry.at("params").contains("parameters")) lists.emplace(entry.at("name"), &entry.at("params").at("parameters"));
    for (nlohmann::json& entry : manifest_.at("cases")) {
      if (!entry.at("params").contains("parameters")) continue;
      nlohmann::json& list = entry.at("params").at("parameters");
      if (!list.is_string()) continue;
      const auto text = list.get<std::string>();
      if (!text.starts_with(reference)) throw std::runtime_error("unknown list of parameters \"" + text + "\"");
      list = nlohmann::json(*lists.at(text.substr(reference.size())));
    }
  }

  test_case read_case(const nlohmann::json& entry, const dalib::io::safetensors_file& file) const {
    test_case result{
        entry.at("name"), entry.at("group"), entry.at("method"), entry.at("params"), manifest_.value("weight_prefix", ""), {}, {}};
    for (const nlohmann::json& input : entry.at("inputs")) result.inputs.emplace(input.at("name"), read_array(input, file));
    for (const nlohmann::json& output : entry.at("outputs")) {
      const std::string comparison = output.value("compare", "absolute");
      if (comparison != "absolute" && comparison != "relative") throw std::runtime_error("unknown comparison " + comparison);
      expected_output expected{output.at("name"), read_array(output, file), output.at("tol64"), output.at("tol32"),
                               comparison == "relative"};
      if (!(expected.tol64 > 0 && expected.tol32 > 0 && std::isfinite(expected.tol64) && std::isfinite(expected.tol32)))
        throw std::runtime_error("output " + expected.name + " has no valid tolerance");
      result.outputs.push_back(std::move(expected));
    }
    if (result.outputs.empty()) throw std::runtime_error("no outputs");
    return result;
  }

  static array read_array(const nlohmann::json& entry, const dalib::io::safetensors_file& file) {
    const std::vector<std::ptrdiff_t> shape = entry.at("shape");
    const dalib::io::tensor_view& tensor = file.at(entry.at("tensor").get<std::string>());
    array result({tensor.shape.begin(), tensor.shape.end()}, tensor.values<double>());
    if (result.shape != shape)
      throw std::runtime_error("tensor " + tensor.name + " has shape " + array::text(result.shape) + ", the manifest says " +
                               array::text(shape));
    return result;
  }

  std::filesystem::path folder_;
  nlohmann::json manifest_;
  std::vector<std::string> groups_;
  std::map<std::string, std::vector<const nlohmann::json*>> entries_;
};

} // namespace golden
