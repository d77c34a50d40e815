#pragma once
// The folders of the usual image data sets of domain adaptation.

#include "digits.hpp"
#include "image_list.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <filesystem>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace dalib::data {

/// One domain of a data set: its names, its image lists below the root, and its folder with one subfolder per class.
struct domain_layout {
  std::string_view name;
  std::string_view short_name;  ///< DALIB's
  std::string_view folder;      ///< scanned where there is no list; empty: a list is needed
  std::string_view train_list;  ///< all images of the domain, or those for training
  std::string_view test_list{}; ///< empty: the same images
};

/// A data set with a known layout.
struct image_layout {
  std::string_view name;
  int classes;
  std::span<const domain_layout> domains;
};

namespace detail {

inline constexpr std::array<domain_layout, 3> office31_domains{{
    {"amazon", "A", "amazon/images", "image_list/amazon.txt"},
    {"dslr", "D", "dslr/images", "image_list/dslr.txt"},
    {"webcam", "W", "webcam/images", "image_list/webcam.txt"},
}};
inline constexpr std::array<domain_layout, 4> office_home_domains{{
    {"Art", "Ar", "Art", "image_list/Art.txt"},
    {"Clipart", "Cl", "Clipart", "image_list/Clipart.txt"},
    {"Product", "Pr", "Product", "image_list/Product.txt"},
    {"Real_World", "Rw", "Real_World", "image_list/Real_World.txt"},
}};
inline constexpr std::array<domain_layout, 2> visda2017_domains{{
    {"train", "T", "train", "image_list/train.txt"},
    {"validation", "V", "validation", "image_list/validation.txt"},
}};
inline constexpr std::array<domain_layout, 6> domainnet_domains{{
    {"clipart", "c", "", "image_list/clipart_train.txt", "image_list/clipart_test.txt"},
    {"infograph", "i", "", "image_list/infograph_train.txt", "image_list/infograph_test.txt"},
    {"painting", "p", "", "image_list/painting_train.txt", "image_list/painting_test.txt"},
    {"quickdraw", "q", "", "image_list/quickdraw_train.txt", "image_list/quickdraw_test.txt"},
    {"real", "r", "", "image_list/real_train.txt", "image_list/real_test.txt"},
    {"sketch", "s", "", "image_list/sketch_train.txt", "image_list/sketch_test.txt"},
}};

inline const std::array<image_layout, 4> image_layouts{{
    {"office31", 31, office31_domains},
    {"office-home", 65, office_home_domains},
    {"visda2017", 12, visda2017_domains},
    {"domainnet", 345, domainnet_domains},
}};

inline bool is_image_name(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension == ".jpg" || extension == ".jpeg" || extension == ".png";
}

/// Entries of a folder in the order of their names, so that class numbers and seeds mean the same on every machine.
inline std::vector<std::filesystem::path> sorted_entries(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> entries;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) entries.push_back(entry.path());
  std::sort(entries.begin(), entries.end());
  return entries;
}

} // namespace detail

/// Layout of that name. Throws std::invalid_argument listing the known names.
inline const image_layout& find_layout(std::string_view name) {
  std::string known;
  for (const image_layout& layout : detail::image_layouts) {
    if (layout.name == name) return layout;
    known += (known.empty() ? "" : ", ") + std::string(layout.name);
  }
  throw std::invalid_argument("unknown data set '" + std::string(name) + "'; known data sets: digits, image-list, " + known);
}

/// Domain of that name or short name. Throws std::invalid_argument listing the known names.
inline const domain_layout& find_domain(const image_layout& layout, std::string_view name) {
  std::string known;
  for (const domain_layout& domain : layout.domains) {
    if (domain.name == name || domain.short_name == name) return domain;
    known += (known.empty() ? "" : ", ") + std::string(domain.name) + " (" + std::string(domain.short_name) + ")";
  }
  throw std::invalid_argument("unknown domain '" + std::string(name) + "'; domains of " + std::string(layout.name) + ": " + known);
}

/// Image files of a folder with one subfolder per class, whose numbers are those of the subfolders' sorted names. `class_names`, where it
/// is not empty, are the names that must be there; otherwise it receives them. Throws std::runtime_error naming the folder if it is
/// missing, has no images, or other classes.
inline image_list scan_class_folders(const std::filesystem::path& folder, std::vector<std::string>& class_names) {
  if (!std::filesystem::is_directory(folder)) io::fail_file(folder, "no such folder");
  image_list list;
  std::vector<std::string> found;
  for (const std::filesystem::path& subfolder : detail::sorted_entries(folder)) {
    if (!std::filesystem::is_directory(subfolder)) continue;
    const auto label = static_cast<int>(found.size());
    found.push_back(subfolder.filename().string());
    for (const std::filesystem::path& file : detail::sorted_entries(subfolder)) {
      if (!detail::is_image_name(file)) continue;
      list.paths.push_back(file);
      list.labels.push_back(label);
    }
  }
  list.classes = static_cast<int>(found.size());
  if (list.paths.empty()) io::fail_file(folder, "has no images in folders of their classes");
  if (class_names.empty()) class_names = found;
  if (class_names == found) return list;
  const auto different = std::mismatch(found.begin(), found.end(), class_names.begin(), class_names.end());
  const bool surplus = different.first != found.end();
  io::fail_file(folder, "has other classes than the domain before it, from '" + (surplus ? *different.first : *different.second) + "' on");
}

/// The images of one domain: from its list below `root` where there is one, else from its folders.
///
/// @param classes the number of classes that must be there; 0: the layout's
/// @param class_names shared by the domains of one task, see scan_class_folders
/// Throws std::runtime_error naming the file or folder that is missing or wrong, also if a class has no image.
inline image_list load_domain(const image_layout& layout, const domain_layout& domain, split part, const std::filesystem::path& root,
                              int classes, std::vector<std::string>& class_names) {
  if (classes == 0) classes = layout.classes;
  const std::string_view list_name = part == split::test && !domain.test_list.empty() ? domain.test_list : domain.train_list;
  const std::filesystem::path list_path = root / list_name;
  if (!std::filesystem::is_directory(root)) io::fail_file(root, "no such folder; --root names the folder of " + std::string(layout.name));
  const bool has_list = std::filesystem::exists(list_path);
  if (!has_list && domain.folder.empty()) io::fail_file(list_path, "no such file; " + std::string(layout.name) + " needs its image lists");
  const std::filesystem::path origin = has_list ? list_path : root / domain.folder;
  const image_list list = has_list ? read_image_list(list_path, root, classes) : scan_class_folders(origin, class_names);
  const auto seen = std::set<int>(list.labels.begin(), list.labels.end()).size();
  if (list.classes != classes || seen != static_cast<std::size_t>(classes))
    io::fail_file(origin, "has images of " + std::to_string(seen) + " classes, " + std::string(layout.name) + " has " +
                              std::to_string(classes) + " (--classes tells another number)");
  if (!std::filesystem::exists(list.paths.front()))
    io::fail_file(list.paths.front(), "no such file; it is the first image of " + origin.string());
  return list;
}

/// The images of one domain of a data set that is known by name, or of an image list (set "image-list", domain: the list's path).
/// Parameters and errors as load_domain.
inline image_list find_images(const std::string& set, const std::string& domain, split part, const std::filesystem::path& root, int classes,
                              std::vector<std::string>& class_names) {
  if (set == "image-list") return read_image_list(domain, root, classes);
  const image_layout& layout = find_layout(set);
  return load_domain(layout, find_domain(layout, domain), part, root, classes, class_names);
}

} // namespace dalib::data
