#include "input.hpp"

#include "digits.hpp"
#include "image_folders.hpp"
#include "labelled_list.hpp"
#include "nearest.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <map>
#include <numeric>
#include <set>

namespace dalib::data {
namespace {

namespace fs = std::filesystem;

struct kind_name {
  input_kind kind;
  const char* name;
};
constexpr std::array<kind_name, 7> kind_names{{{input_kind::digits, "digits"},
                                               {input_kind::class_folders, "class-folders"},
                                               {input_kind::images, "images"},
                                               {input_kind::image_list, "list"},
                                               {input_kind::idx, "idx"},
                                               {input_kind::npy, "npy"},
                                               {input_kind::table, "csv"}}};

/// Throws wrong_input for a path that is not there, with what might have been meant.
[[noreturn]] void refuse_missing(const std::string& text) {
  std::vector<std::string> known = neighbours_of(text);
  for (const auto& domain : detail::digits_domains) known.emplace_back(domain.name);
  std::sort(known.begin(), known.end());
  throw wrong_input("'" + text +
                    "': no such file or folder, and no domain of the bundled digits (mnist, mnistm, optdigits, optdigits-wide)" +
                    did_you_mean(text, known));
}

/// What a file is by its first bytes and its name.
input_kind kind_of_file(const fs::path& path) {
  const io::mapped_file file(path);
  const std::string_view text(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
  if (text.empty()) io::fail_file(path, "is empty");
  if (text.starts_with("\x1f\x8b") || text.starts_with(std::string_view("\0\0\x08", 3))) return input_kind::idx;
  if (text.starts_with("\x93NUMPY")) return input_kind::npy;
  if (text.starts_with("\xFF\xD8\xFF") || text.starts_with("\x89PNG"))
    throw wrong_input(path.string() + ": is one image; give its folder, or a list with its path");
  if (text.substr(0, 4096).find('\0') != std::string_view::npos)
    throw wrong_input(path.string() + ": is none of what can be read: folders of images, lists of images, IDX, .npy, CSV");
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension == ".csv" || extension == ".tsv" ? input_kind::table : input_kind::image_list;
}

/// What a folder is. The source has classes. Another input has them if its folders are named like the source's.
input_kind kind_of_folder(const fs::path& path, const std::vector<std::string>& classes) {
  if (classes.empty()) return input_kind::class_folders;
  const auto folders = subfolders(path);
  const bool named = std::any_of(folders.begin(), folders.end(), [&](const fs::path& folder) {
    return std::find(classes.begin(), classes.end(), folder.filename().string()) != classes.end();
  });
  return named ? input_kind::class_folders : input_kind::images;
}

void remark_others(const found_images& found, input& result) {
  if (found.others > 0)
    result.remarks.push_back(std::to_string(found.others) + " files that are no .jpg, .jpeg or .png were passed over, such as " +
                             found.first_other.string());
}

void read_class_folders(input& result) {
  for (const fs::path& entry : detail::sorted_entries(result.path))
    if (detail::is_image_name(entry) && !fs::is_directory(entry) && !detail::is_hidden(entry))
      io::fail_file(entry, "is an image beside the folders of the classes of " + result.path.string() +
                               " (--data images: the folder's images have no classes)");
  for (const fs::path& folder : subfolders(result.path)) {
    found_images found = find_images_below(folder);
    if (found.paths.empty()) io::fail_file(folder, "has no images (.jpg, .jpeg, .png)");
    result.labels.insert(result.labels.end(), found.paths.size(), folder.filename().string());
    result.files.insert(result.files.end(), found.paths.begin(), found.paths.end());
    remark_others(found, result);
  }
  if (result.files.empty()) io::fail_file(result.path, "has no images in folders of their classes");
}

void read_images(input& result) {
  found_images found = find_images_below(result.path);
  if (found.paths.empty()) io::fail_file(result.path, "has no images (.jpg, .jpeg, .png)");
  result.files = std::move(found.paths);
  remark_others(found, result);
}

void read_list(input& result, const input_options& options) {
  const fs::path folder = options.root.empty() ? result.path.parent_path() : options.root;
  labelled_list list = read_labelled_list(result.path, folder);
  if (!fs::exists(list.paths.front()))
    io::fail_file(list.paths.front(),
                  "no such file; it is the first image of " + result.path.string() + " (--root tells what its paths are relative to)");
  result.files = std::move(list.paths);
  result.labels = std::move(list.labels);
}

/// The name of a second file: the last `from` in the name replaced; empty where there is none.
fs::path sibling(const fs::path& path, const std::string& from, const std::string& to) {
  std::string name = path.filename().string();
  const std::size_t place = name.rfind(from);
  if (place == std::string::npos) return {};
  return path.parent_path() / name.replace(place, from.size(), to);
}

/// Images of bytes become what the digits are: 28 x 28 values in [-1, 1].
void read_idx_images(input& result) {
  const idx_array images = read_idx(result.path);
  if (images.sizes.size() != 3)
    io::fail_file(result.path, "does not hold images: it has " + std::to_string(images.sizes.size()) + " dimensions, not 3");
  constexpr Eigen::Index side = detail::digits_side;
  result.geometry = {side, side, 1};
  const auto count = static_cast<Eigen::Index>(images.sizes[0]), height = static_cast<Eigen::Index>(images.sizes[1]),
             width = static_cast<Eigen::Index>(images.sizes[2]);
  using byte_image = Eigen::Matrix<std::uint8_t, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  result.values.resize(count, side * side);
  for (Eigen::Index i = 0; i < count; ++i) {
    const Eigen::Map<const byte_image> stored(images.values.data() + i * height * width, height, width);
    const image_matrix scaled = stored.cast<float>() / 255.0F;
    const image_matrix resized = height == side && width == side ? scaled : image_matrix(resize_bilinear(scaled, side, side));
    result.values.row(i) = ((resized.array() - 0.5F) / 0.5F).matrix().reshaped<Eigen::RowMajor>().transpose();
  }
  fs::path labels = sibling(result.path, "images-idx3", "labels-idx1");
  if (labels.empty()) labels = sibling(result.path, "images", "labels");
  if (labels.empty() || !fs::exists(labels)) return;
  const idx_array numbers = read_idx(labels);
  if (numbers.sizes.size() != 1 || numbers.sizes[0] != images.sizes[0])
    io::fail_file(labels,
                  "does not hold one label for each of the " + std::to_string(images.sizes[0]) + " images of " + result.path.string());
  for (const std::uint8_t label : numbers.values) result.labels.push_back(std::to_string(label));
}

void read_features(input& result) {
  auto file = std::make_shared<const io::npy_file>(result.path);
  const io::tensor_view& array = file->array();
  if (array.shape.size() != 2 || array.shape[0] < 1 || array.shape[1] < 1 || array.type == io::dtype::i64)
    io::fail_file(result.path, "is no matrix of features (float32 or float64, one row per sample) but " +
                                   std::string(io::info(array.type).name) + " of shape " + io::to_string(array.shape));
  result.geometry = {1, 1, array.shape[1]};
  result.rows.resize(static_cast<std::size_t>(array.shape[0]));
  std::iota(result.rows.begin(), result.rows.end(), std::size_t{0});
  result.array = std::move(file);
  fs::path labels = sibling(result.path, "features", "labels");
  if (labels.empty()) labels = sibling(result.path, ".npy", "-labels.npy");
  if (!fs::exists(labels)) return;
  const io::npy_file numbers(labels);
  if (numbers.array().type != io::dtype::i64 || numbers.array().shape != io::tensor_shape{static_cast<std::int64_t>(result.rows.size())})
    io::fail_file(labels, "does not hold one whole number for each of the " + std::to_string(result.rows.size()) + " rows of " +
                              result.path.string());
  for (const std::int64_t label : numbers.array().values<std::int64_t>()) result.labels.push_back(std::to_string(label));
}

void read_digits(const std::string& name, const input_options& options, input& result) {
  dataset set = load_digits(name, options.test_part ? split::test : split::train);
  result.geometry = set.geometry;
  result.values = std::move(set.images);
  for (const int label : set.labels) result.labels.push_back(std::to_string(label));
}

/// Throws wrong_input unless the first line of a table names its column of classes.
void require_label_column(const fs::path& path, const std::string& label) {
  const io::mapped_file file(path);
  std::vector<std::string> header;
  detail::csv_splitter({reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()}, path).next(header);
  if (std::find(header.begin(), header.end(), label) == header.end())
    throw wrong_input(path.string() + ": has no column '" + label + "' (--label names the column of classes)" +
                      did_you_mean(label, header) + "; the source needs labels");
}

void read_number_table(input& result, const input_options& options) {
  result.table = read_table(result.path, options.table);
  result.labels = std::move(result.table.labels);
  result.geometry = {1, 1, result.table.values.cols()};
}

/// A name without spaces and folders.
std::string short_name(const fs::path& path) {
  const fs::path normal = path.lexically_normal();
  std::string name = normal.has_filename() ? normal.filename().string() : normal.parent_path().filename().string();
  if (fs::is_regular_file(path)) name = name.substr(0, std::max<std::size_t>(name.find('.', 1), 1));
  std::replace(name.begin(), name.end(), ' ', '_');
  return name.empty() ? "data" : name;
}

std::optional<long long> whole_number(const std::string& text) {
  long long value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

} // namespace

std::string to_string(input_kind kind) {
  for (const auto& [known, name] : kind_names)
    if (known == kind) return name;
  return "";
}

std::optional<input_kind> find_input_kind(std::string_view name) {
  for (const auto& [kind, known] : kind_names)
    if (known == name) return kind;
  return std::nullopt;
}

std::size_t input::size() const {
  if (is_files()) return files.size();
  if (array) return rows.size();
  return static_cast<std::size_t>(table.values.rows() > 0 ? table.values.rows() : values.rows());
}

input_kind recognise_input(const std::string& text, const input_options& options, const std::vector<std::string>& classes) {
  if (options.kind ? *options.kind == input_kind::digits : is_digits_domain(text)) {
    if (!is_digits_domain(text)) refuse_missing(text);
    return input_kind::digits;
  }
  std::error_code error;
  if (!fs::exists(text, error)) refuse_missing(text);
  const bool folder = fs::is_directory(text);
  input_kind kind = options.kind ? *options.kind : folder ? kind_of_folder(text, classes) : kind_of_file(text);
  if (kind == input_kind::images && classes.empty()) kind = input_kind::class_folders; // it was said for the target
  const bool wants_folder = kind == input_kind::class_folders || kind == input_kind::images;
  if (wants_folder != folder)
    throw wrong_input("'" + text + "' is " + (folder ? "a folder" : "no folder") + ", which does not fit --data " + to_string(kind));
  return kind;
}

input read_input(const std::string& text, const input_options& options, const std::vector<std::string>& classes) {
  input result{.name = text, .path = text, .kind = recognise_input(text, options, classes)};
  if (result.kind != input_kind::digits) result.name = short_name(text);
  switch (result.kind) {
  case input_kind::digits:
    read_digits(text, options, result);
    break;
  case input_kind::class_folders:
    read_class_folders(result);
    break;
  case input_kind::images:
    read_images(result);
    break;
  case input_kind::image_list:
    read_list(result, options);
    break;
  case input_kind::idx:
    read_idx_images(result);
    break;
  case input_kind::npy:
    read_features(result);
    break;
  case input_kind::table:
    if (classes.empty()) require_label_column(text, options.table.label);
    read_number_table(result, options);
    break;
  }
  if (!classes.empty() || result.labelled()) return result;
  const std::string missing = result.kind == input_kind::image_list
                                  ? "has no classes behind its paths"
                                  : "has no file of labels beside it (NAME-labels for NAME-features or NAME-images)";
  throw wrong_input(text + ": " + missing + "; the source needs labels");
}

input subset(const input& all, std::span<const std::size_t> numbers) {
  input result{.name = all.name,
               .path = all.path,
               .kind = all.kind,
               .array = all.array,
               .geometry = all.geometry,
               .remarks = all.remarks,
               .at_once = all.at_once};
  const bool has_table = all.table.values.rows() > 0, has_values = all.values.rows() > 0;
  result.table.columns = all.table.columns;
  const std::vector<Eigen::Index> rows(numbers.begin(), numbers.end());
  if (has_table) result.table.values = all.table.values(rows, Eigen::all);
  if (has_values) result.values = all.values(rows, Eigen::all);
  for (const std::size_t i : numbers) {
    if (all.is_files()) result.files.push_back(all.files[i]);
    if (all.array) result.rows.push_back(all.rows[i]);
    if (has_table) result.table.lines.push_back(all.table.lines[i]);
    if (all.labelled()) result.labels.push_back(all.labels[i]);
    if (!all.names.empty()) result.names.push_back(all.names[i]);
    if (!all.unreadable.empty()) result.unreadable.push_back(all.unreadable[i]);
    result.numbers.push_back(all.numbers.empty() ? i : all.numbers[i]);
  }
  return result;
}

std::vector<std::string> class_order(const std::vector<std::string>& labels) {
  const std::set<std::string> distinct(labels.begin(), labels.end());
  std::vector<std::string> classes(distinct.begin(), distinct.end());
  const bool numbers = std::all_of(classes.begin(), classes.end(), [](const std::string& text) { return whole_number(text).has_value(); });
  if (numbers)
    std::stable_sort(classes.begin(), classes.end(),
                     [](const std::string& a, const std::string& b) { return *whole_number(a) < *whole_number(b); });
  return classes;
}

std::vector<int> class_numbers(const input& labelled, const std::vector<std::string>& classes) {
  std::map<std::string, int> places;
  for (std::size_t c = 0; c < classes.size(); ++c) places.emplace(classes[c], static_cast<int>(c));
  std::vector<int> result;
  for (const std::string& label : labelled.labels) {
    const auto found = places.find(label);
    if (found != places.end()) {
      result.push_back(found->second);
      continue;
    }
    std::string known;
    for (std::size_t c = 0; c < std::min<std::size_t>(classes.size(), 20); ++c) known += (c == 0 ? "" : ", ") + classes[c];
    io::fail_file(labelled.path, "has the class '" + label + "', which the source lacks; its classes are " + known +
                                     (classes.size() > 20 ? ", ..." : "") + did_you_mean(label, classes));
  }
  return result;
}

} // namespace dalib::data
