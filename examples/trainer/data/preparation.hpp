#pragma once
// How samples become a network's inputs: found from the source, used for every other input, kept in the model file.

#include "image_files.hpp"
#include "input.hpp"

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace dalib::data {

/// What a network sees.
enum class content {
  images, ///< of files: side x side x 3, see image::transform
  gray,   ///< of IDX files and the digits: 28 x 28 x 1
  values  ///< features and tables
};

/// What a network sees of inputs of a kind.
content content_of(input_kind kind);

/// From samples to inputs.
struct preparation {
  content kind = content::images;
  std::ptrdiff_t side = 224;          ///< of images
  Eigen::Index width = 0;             ///< of values
  std::vector<std::string> columns{}; ///< of tables, in their order; empty for other values
  std::vector<double> mean{};         ///< of the source's columns, without missing values: subtracted
  std::vector<double> deviation{};    ///< what is divided by; 1 for a column that is constant
  bool impute = false;                ///< missing values are the mean; otherwise they are refused

  image_geometry geometry() const;
};

/// How the inputs like this one are prepared. Columns of tables are standardised: mean 0 and deviation 1 in these samples.
/// @param impute missing values of tables are allowed
preparation prepare_for(const input& source, std::ptrdiff_t side, bool impute);

/// What a data set is made for.
struct dataset_use {
  std::string part;         ///< "train", "test": for messages
  bool centre_crop = false; ///< training images are the middle
  unreadable_images unreadable{};
};

/// An input as a data set, in its order. Table columns go by their names; features, by their places.
///
/// Throws std::runtime_error naming the input (and the line) for other contents than those that were prepared for, columns that are missing
/// or too many, missing values, numbers that are not finite, and classes that are not known.
dataset make_dataset(const input& samples, const preparation& how, const std::vector<std::string>& classes, const dataset_use& use);

nlohmann::ordered_json to_json(const preparation& how);
/// Throws nlohmann::json::exception or std::runtime_error for another document.
preparation preparation_from_json(const nlohmann::ordered_json& document);

} // namespace dalib::data
