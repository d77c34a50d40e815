#pragma once
// Folders of images of any depth.

#include "image_layouts.hpp"

#include <cstddef>
#include <filesystem>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace dalib::data {

/// The images below a folder, in the order of their paths, and what else is there.
struct found_images {
  std::vector<std::filesystem::path> paths;
  std::size_t others = 0;              ///< files that are no images by their names
  std::filesystem::path first_other{}; ///< one of these
};

namespace detail {

inline bool is_hidden(const std::filesystem::path& path) { return path.filename().string().starts_with('.'); }

/// @param visited folders by their real names: symbolic links may go round in circles
inline void find_images_below(const std::filesystem::path& folder, std::set<std::filesystem::path>& visited, found_images& found) {
  std::error_code error;
  if (!visited.insert(std::filesystem::canonical(folder, error)).second) return;
  if (error) io::fail_file(folder, "cannot be read: " + error.message());
  for (const std::filesystem::path& entry : sorted_entries(folder)) {
    if (is_hidden(entry)) continue;
    if (std::filesystem::is_directory(entry, error))
      find_images_below(entry, visited, found);
    else if (is_image_name(entry))
      found.paths.push_back(entry);
    else if (found.others++ == 0)
      found.first_other = entry;
  }
}

} // namespace detail

/// All .jpg, .jpeg and .png files below a folder, at any depth; hidden files and folders are passed over, links are followed.
/// Throws std::runtime_error naming the folder that cannot be read.
inline found_images find_images_below(const std::filesystem::path& folder) {
  found_images found;
  std::set<std::filesystem::path> visited;
  try {
    detail::find_images_below(folder, visited, found);
  } catch (const std::filesystem::filesystem_error& error) {
    io::fail_file(error.path1(), "cannot be read: " + error.code().message());
  }
  return found;
}

/// Folders right below a folder that are not hidden, in the order of their names.
inline std::vector<std::filesystem::path> subfolders(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> result;
  for (const std::filesystem::path& entry : detail::sorted_entries(folder))
    if (!detail::is_hidden(entry) && std::filesystem::is_directory(entry)) result.push_back(entry);
  return result;
}

} // namespace dalib::data
