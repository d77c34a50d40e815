#pragma once
// Settings of dalib_predict.

#include "../data/input.hpp"
#include "../train/predictions.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace dalib::predict {

struct options {
  std::filesystem::path model; ///< file, or the folder of a run
  std::string input;
  data::input_options how; ///< to read the input; a table's label column is the model's unless told
  bool label_given = false, ignored_given = false;
  std::filesystem::path out = "predictions.csv";
  train::prediction_format format = train::prediction_format::csv;
  bool skip_unreadable = true;
  bool resume = false, overwrite = false;
  int threads = 0;
};

/// What parse_options decided: options, or an exit code because everything has been said.
struct parsed_options {
  std::optional<options> settings{};
  int exit_code = 0;
};

/// Reads the command line; prints help and complaints itself.
parsed_options parse_options(int argc, const char* const* argv);

} // namespace dalib::predict
