#pragma once
// What a model file says about itself: enough to make the network and its inputs.

#include "../data/preparation.hpp"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace dalib::train {

/// The description in the metadata of model.safetensors.
struct model_description {
  std::string method;           ///< its name, see find_method
  std::string arch;             ///< of the backbone that comes first
  bool frozen = false;          ///< the backbone was not trained: it computes the features that the method's network is for
  long channels = 0, side = 0;  ///< of the inputs of the method's network
  long discriminator_width = 0; ///< see method_config
  long head_width = 0;
  std::map<std::string, double> settings{}; ///< the method's own
  std::vector<std::string> classes;         ///< names, in the order of the outputs
  data::preparation input;                  ///< from samples to inputs
  std::string label_column = "label";       ///< of tables
  std::vector<std::string> ignored_columns{};
  double score = 0;           ///< label-free: source accuracy (percent) x information maximisation
  double source_accuracy = 0; ///< percent, on the validation part
  std::string config;         ///< how it was trained, as JSON
  std::string version;        ///< of dalib
};

inline constexpr const char* model_format = "dalib-model";
inline constexpr const char* model_format_version = "1";

/// The texts for a safetensors header.
std::map<std::string, std::string> to_metadata(const model_description& description);

/// Reads and checks the texts of a header. Throws std::runtime_error starting with `path` for a file that is no model of this version, or
/// whose description is incomplete or impossible.
model_description model_description_of(const std::map<std::string, std::string>& metadata, const std::filesystem::path& path);

} // namespace dalib::train
