#include "model_description.hpp"

#include "../../io/file_error.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

namespace dalib::train {
namespace {

long bounded(const nlohmann::ordered_json& document, const char* name, long most) {
  const auto value = document.at(name).get<long>();
  if (value < 0 || value > most) throw std::runtime_error(std::string("impossible ") + name + " " + std::to_string(value));
  return value;
}

} // namespace

std::map<std::string, std::string> to_metadata(const model_description& d) {
  nlohmann::ordered_json network;
  network["arch"] = d.arch;
  network["frozen"] = d.frozen;
  network["channels"] = d.channels;
  network["side"] = d.side;
  network["discriminator_width"] = d.discriminator_width;
  network["head_width"] = d.head_width;
  network["settings"] = d.settings;
  nlohmann::ordered_json input = data::to_json(d.input);
  input["label_column"] = d.label_column;
  input["ignored_columns"] = d.ignored_columns;
  const nlohmann::ordered_json scores{{"score", d.score}, {"source_accuracy", d.source_accuracy}};
  return {{"format", model_format},
          {"format_version", model_format_version},
          {"dalib_version", d.version},
          {"method", d.method},
          {"network", network.dump()},
          {"classes", nlohmann::ordered_json(d.classes).dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace)},
          {"input", input.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace)},
          {"scores", scores.dump()},
          {"config", d.config}};
}

model_description model_description_of(const std::map<std::string, std::string>& metadata, const std::filesystem::path& path) {
  const auto text = [&](const std::string& name) {
    const auto found = metadata.find(name);
    if (found == metadata.end()) io::fail_file(path, "is not a model that dalib_train wrote: its header has no '" + name + "'");
    return found->second;
  };
  if (text("format") != model_format) io::fail_file(path, "is not a model but '" + text("format") + "'");
  if (text("format_version") != model_format_version) io::fail_file(path, "has the unknown model version '" + text("format_version") + "'");
  model_description d;
  try {
    const auto network = nlohmann::ordered_json::parse(text("network")), input = nlohmann::ordered_json::parse(text("input")),
               scores = nlohmann::ordered_json::parse(text("scores"));
    d.method = text("method");
    d.arch = network.at("arch").get<std::string>();
    d.frozen = network.at("frozen").get<bool>();
    d.channels = bounded(network, "channels", 1'000'000);
    d.side = bounded(network, "side", 4096);
    d.discriminator_width = bounded(network, "discriminator_width", 100'000);
    d.head_width = bounded(network, "head_width", 100'000);
    d.settings = network.at("settings").get<std::map<std::string, double>>();
    d.classes = nlohmann::ordered_json::parse(text("classes")).get<std::vector<std::string>>();
    d.input = data::preparation_from_json(input);
    d.label_column = input.at("label_column").get<std::string>();
    d.ignored_columns = input.at("ignored_columns").get<std::vector<std::string>>();
    d.score = scores.at("score").get<double>();
    d.source_accuracy = scores.at("source_accuracy").get<double>();
  } catch (const nlohmann::json::exception& error) {
    io::fail_file(path, std::string("has a damaged description: ") + error.what());
  } catch (const std::runtime_error& error) {
    io::fail_file(path, std::string("has a damaged description: ") + error.what());
  }
  const std::set<std::string> distinct(d.classes.begin(), d.classes.end());
  if (d.classes.size() < 2 || d.classes.size() > 100'000 || distinct.size() != d.classes.size())
    io::fail_file(path, "has a damaged description: its classes are fewer than two, too many, or not distinct");
  d.config = text("config");
  d.version = text("dalib_version");
  return d;
}

} // namespace dalib::train
