#pragma once
// What a person gives as --source, --target or to dalib_predict: found out and read.

#include "../../io/npy.hpp"
#include "dataset.hpp"
#include "number_table.hpp"

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace dalib::data {

/// The forms that data come in.
enum class input_kind {
  digits,        ///< a domain of the bundled digits, by name
  class_folders, ///< a folder with one folder of images per class
  images,        ///< a folder of images at any depth, without classes
  image_list,    ///< a text file of lines PATH [LABEL]
  idx,           ///< images as MNIST has them, with labels in a second file
  npy,           ///< an array of features, with labels in a second file
  table          ///< CSV
};

/// The kinds' names as --data has them.
std::string to_string(input_kind kind);
/// Nothing for another word.
std::optional<input_kind> find_input_kind(std::string_view name);

/// Thrown where a name or a path is wrong, so that the call and not the data must be changed.
struct wrong_input : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// How inputs are read.
struct input_options {
  std::optional<input_kind> kind{}; ///< what it is; otherwise that is found out
  table_options table{};
  std::filesystem::path root{}; ///< that paths in lists are relative to; empty: the list's folder
  bool test_part = false;       ///< of a digits domain
};

/// One domain as it was given: samples, their names and, where there are labels, the names of their classes.
struct input {
  std::string name;           ///< one word, for tables
  std::filesystem::path path; ///< for messages
  input_kind kind = input_kind::images;
  std::vector<std::filesystem::path> files{};  ///< of images
  std::shared_ptr<const io::npy_file> array{}; ///< of features, mapped into memory
  std::vector<std::size_t> rows{};             ///< of the array
  number_table table{};                        ///< values of a table
  image_matrix values{};                       ///< images of an IDX file or of the digits; features that were computed
  image_geometry geometry{};                   ///< of the array, the table and the values; not known for files
  std::vector<std::string> labels{};           ///< one per sample, or empty
  std::vector<char> unreadable{};              ///< 1 for samples that could not be read, or empty
  std::vector<std::string> remarks{};          ///< sentences for the user
  std::vector<std::string> names{};            ///< of samples that have become features; otherwise see sample_name
  std::vector<std::size_t> numbers{};          ///< places of the samples in what was read; empty: all
  Eigen::Index at_once = 0;                    ///< see dataset

  std::size_t size() const;
  bool labelled() const { return !labels.empty(); }
  bool is_files() const { return !files.empty(); }
  /// File or number of a sample, counted from 1.
  std::string sample_name(std::size_t i) const {
    if (!names.empty()) return names[i];
    return is_files() ? files[i].string() : std::to_string((numbers.empty() ? i : numbers[i]) + 1);
  }
};

/// Finds out what `text` is without reading it, see read_input.
input_kind recognise_input(const std::string& text, const input_options& options, const std::vector<std::string>& classes);

/// Finds out what `text` is and reads it.
///
/// @param classes the source's classes, which tell a target's class folders from folders without meaning; empty for the source itself,
/// which
///   must have labels
/// Throws wrong_input for what is not there, or is nothing of these kinds, and for a source without labels; std::runtime_error naming the
/// file or folder, and the line, for data that are damaged.
input read_input(const std::string& text, const input_options& options, const std::vector<std::string>& classes);

/// The samples of these numbers, in this order.
input subset(const input& all, std::span<const std::size_t> numbers);

/// The classes of labels in their order: by number where all are whole numbers, else by name.
std::vector<std::string> class_order(const std::vector<std::string>& labels);

/// Numbers of the labels' classes. Throws std::runtime_error naming the input, a class that is not known and the nearest known one.
std::vector<int> class_numbers(const input& labelled, const std::vector<std::string>& classes);

} // namespace dalib::data
