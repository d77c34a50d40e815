#pragma once

#include "../../io/file_error.hpp"
#include "../../io/mapped_file.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace dalib::data {

/// Image files with their classes.
struct image_list {
  std::vector<std::filesystem::path> paths;
  std::vector<int> labels; ///< one per path, in [0, classes)
  int classes = 0;

  std::size_t size() const { return paths.size(); }
};

namespace detail {

/// Most classes of a list whose number of classes is not given.
inline constexpr int most_classes = 100'000;

/// Takes the first line off the text, without its end (LF or CR LF) and spaces around it.
inline std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  constexpr std::string_view space = " \t\r";
  line.remove_prefix(std::min(line.find_first_not_of(space), line.size()));
  return line.substr(0, line.find_last_not_of(space) + 1);
}

} // namespace detail

/// Parses DALIB's image lists: one "PATH LABEL" per line, PATH relative to `folder` or absolute. The label is what follows the last space,
/// so paths may contain spaces. Empty lines are passed over.
///
/// @param classes number of classes, or 0: one more than the largest label
/// Throws std::runtime_error "NAME:LINE: ..." for a line without label, a label that is no number or not below `classes`, a path with a
/// zero byte, and "NAME: ..." for a list without images.
inline image_list parse_image_list(std::string_view text, const std::filesystem::path& name, const std::filesystem::path& folder,
                                   int classes) {
  image_list list{{}, {}, classes};
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::string_view line = detail::take_line(text);
    if (line.empty()) continue;
    const auto fail = [&](const std::string& what) { io::fail_file(name.string() + ":" + std::to_string(number), what); };
    if (line.find('\0') != std::string_view::npos) fail("holds a zero byte");
    const std::size_t space = line.find_last_of(" \t");
    if (space == std::string_view::npos) fail("expected an image's path and its label, got '" + std::string(line.substr(0, 200)) + "'");
    const std::string_view label_text = line.substr(space + 1);
    int label = 0;
    const auto [end, error] = std::from_chars(label_text.data(), label_text.data() + label_text.size(), label);
    if (error != std::errc{} || end != label_text.data() + label_text.size())
      fail("the label '" + std::string(label_text.substr(0, 50)) + "' is not a number");
    const int allowed = classes > 0 ? classes : detail::most_classes;
    if (label < 0 || label >= allowed)
      fail("the label " + std::to_string(label) + " is out of range: classes are 0 to " + std::to_string(allowed - 1));
    const std::string_view path = line.substr(0, line.find_last_not_of(" \t", space) + 1);
    list.paths.push_back(folder / path);
    list.labels.push_back(label);
    if (classes == 0) list.classes = std::max(list.classes, label + 1);
  }
  if (list.paths.empty()) io::fail_file(name, "lists no images");
  return list;
}

/// Reads an image list; errors as parse_image_list, and std::runtime_error if the file cannot be opened.
inline image_list read_image_list(const std::filesystem::path& path, const std::filesystem::path& folder, int classes = 0) {
  const io::mapped_file file(path);
  return parse_image_list({reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()}, path, folder, classes);
}

} // namespace dalib::data
