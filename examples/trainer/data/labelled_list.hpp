#pragma once
// Lists of a person's own images: PATH [LABEL], where a label is any word.

#include "image_layouts.hpp"
#include "image_list.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace dalib::data {

/// Image files and, where the list has them, their classes by name.
struct labelled_list {
  std::vector<std::filesystem::path> paths;
  std::vector<std::string> labels; ///< one per path, or empty
};

/// Parses a list of one "PATH [LABEL]" per line, PATH relative to `folder` or absolute. A line that ends like the name of an image is a
/// path without label; on others the label is what follows the last space or tab. So paths may contain spaces. Empty lines and those that
/// start with # are passed over.
///
/// Throws std::runtime_error "NAME:LINE: ..." for a path that is no image by its name, a zero byte, and labels on some lines only; "NAME:
/// ..." for a list without images.
inline labelled_list parse_labelled_list(std::string_view text, const std::filesystem::path& name, const std::filesystem::path& folder) {
  labelled_list list;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::string_view line = detail::take_line(text);
    if (line.empty() || line.front() == '#') continue;
    const auto fail = [&](const std::string& what) { io::fail_file(name.string() + ":" + std::to_string(number), what); };
    if (line.find('\0') != std::string_view::npos) fail("holds a zero byte");
    std::string_view path = line, label;
    if (!detail::is_image_name(std::filesystem::path(line))) {
      const std::size_t space = std::min(line.find_last_of(" \t"), line.size());
      path = line.substr(0, line.find_last_not_of(" \t", space) + 1);
      label = line.substr(std::min(space + 1, line.size()));
      if (space == line.size() || !detail::is_image_name(std::filesystem::path(path)))
        fail("expected the path of an image (.jpg, .jpeg, .png) and perhaps its class, got '" + std::string(line.substr(0, 200)) + "'");
    }
    if (!list.paths.empty() && label.empty() != list.labels.empty())
      fail(label.empty() ? "has no class, lines before it have one" : "has a class, lines before it have none");
    list.paths.push_back(folder / path);
    if (!label.empty()) list.labels.emplace_back(label);
  }
  if (list.paths.empty()) io::fail_file(name, "lists no images");
  return list;
}

/// The same from a file; std::runtime_error if it cannot be opened.
inline labelled_list read_labelled_list(const std::filesystem::path& path, const std::filesystem::path& folder) {
  const io::mapped_file file(path);
  return parse_labelled_list({reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()}, path, folder);
}

} // namespace dalib::data
