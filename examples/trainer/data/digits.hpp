#pragma once

#include "bilinear.hpp"
#include "dataset.hpp"
#include "idx.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>

namespace dalib::data {

/// Which part of a domain: its training images or its test images.
enum class split { train, test };

namespace detail {

/// How the images of a domain are stored and brought to 28 x 28.
struct digits_domain {
  std::string_view name;
  std::string_view file_stem;    ///< files are STEM-train-... and STEM-test-..., or STEM-... where both parts share a file
  Eigen::Index stored_side;      ///< images in the file are square
  Eigen::Index resized_side;     ///< after the bilinear resize; the rest up to 28 is a border of zeros
  int brightest;                 ///< largest stored value
  Eigen::Index first_test_image; ///< in a file that holds both parts; 0 for files of their own
  Eigen::Index count_in_file;    ///< of such a file
};

inline constexpr std::array<digits_domain, 4> digits_domains{{
    {"mnist", "mnist", 28, 28, 255, 0, 0},
    {"mnistm", "mnistm", 28, 28, 255, 0, 0},
    {"optdigits", "optdigits", 8, 20, 16, 1297, 1797},
    {"optdigits-wide", "optdigits", 8, 28, 16, 1297, 1797},
}};

inline constexpr Eigen::Index digits_side = 28;
inline constexpr int digits_classes = 10;

inline const digits_domain& find_digits_domain(std::string_view name) {
  std::string known;
  for (const digits_domain& domain : digits_domains) {
    if (domain.name == name) return domain;
    known += (known.empty() ? "" : ", ") + std::string(domain.name);
  }
  throw std::invalid_argument("unknown domain '" + std::string(name) + "'; known domains: " + known);
}

// Like read_idx, but tells what to do about a missing file.
inline idx_array read_digits_file(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) {
    io::fail_file(path,
                  "no such file; name the folder of the digits files (the project's examples/trainer/data/digits) with --root or in the "
                  "environment variable DALIB_DATA_DIR");
  }
  return read_idx(path);
}

// The images must have the domain's size and number and no value above its brightest.
inline void check_digits_images(const idx_array& images, const digits_domain& domain, const std::filesystem::path& path) {
  const auto side = static_cast<std::size_t>(domain.stored_side);
  if (images.sizes.size() != 3 || images.sizes[1] != side || images.sizes[2] != side) {
    io::fail_file(path, "does not hold images of " + std::to_string(side) + "x" + std::to_string(side) + " pixels");
  }
  if (domain.count_in_file != 0 && images.sizes[0] != static_cast<std::size_t>(domain.count_in_file)) {
    io::fail_file(path, "holds " + std::to_string(images.sizes[0]) + " images, expected " + std::to_string(domain.count_in_file));
  }
  for (const std::uint8_t value : images.values) {
    if (value > domain.brightest) {
      io::fail_file(path,
                    "holds the pixel value " + std::to_string(value) + ", the largest allowed is " + std::to_string(domain.brightest));
    }
  }
}

// One label per image, each below the number of classes.
inline void check_digits_labels(const idx_array& labels, std::size_t expected_count, const std::filesystem::path& path) {
  if (labels.sizes.size() != 1) io::fail_file(path, "does not hold a list of labels");
  if (labels.values.size() != expected_count) {
    io::fail_file(path, "holds " + std::to_string(labels.values.size()) + " labels for " + std::to_string(expected_count) + " images");
  }
  for (const std::uint8_t label : labels.values) {
    if (label >= digits_classes) io::fail_file(path, "holds the label " + std::to_string(label) + ", labels are 0 to 9");
  }
}

/// Stored bytes of one image -> 28 x 28 values in [-1, 1]: scale to [0, 1], resize, border of zeros, (x - 0.5) / 0.5.
template <class Row>
void convert_digit(const std::uint8_t* pixels, const digits_domain& domain, Row&& row) {
  using byte_image = Eigen::Matrix<std::uint8_t, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const Eigen::Map<const byte_image> stored(pixels, domain.stored_side, domain.stored_side);
  const image_matrix scaled = stored.cast<float>() / static_cast<float>(domain.brightest);

  image_matrix canvas = image_matrix::Zero(digits_side, digits_side);
  const Eigen::Index border = (digits_side - domain.resized_side) / 2;
  canvas.block(border, border, domain.resized_side, domain.resized_side) =
      resize_bilinear(scaled, domain.resized_side, domain.resized_side);
  row = ((canvas.array() - 0.5F) / 0.5F).matrix().template reshaped<Eigen::RowMajor>().transpose();
}

} // namespace detail

/// Whether there is a domain of digits of that name.
inline bool is_digits_domain(std::string_view name) {
  return std::any_of(detail::digits_domains.begin(), detail::digits_domains.end(), [&](const auto& domain) { return domain.name == name; });
}

/// Folder of the bundled digits: the environment variable DALIB_DATA_DIR, else the folder that was known when the program was built,
/// else examples/trainer/data/digits below the current folder.
inline std::filesystem::path default_folder() {
  const char* const from_environment = std::getenv("DALIB_DATA_DIR");
  if (from_environment != nullptr && *from_environment != '\0') return from_environment;
#ifdef DALIB_DATA_DIR
  return DALIB_DATA_DIR;
#else
  return "examples/trainer/data/digits";
#endif
}

/// Loads one part of a digits domain: 28 x 28 x 1 images with values in [-1, 1], labels 0 to 9.
///
/// Domains: `mnist`, `mnistm` (8000 training and 2000 test images each), `optdigits` (8 x 8 enlarged to 20 x 20, border of 4 zeros:
/// MNIST's own geometry) and `optdigits-wide` (8 x 8 enlarged to 28 x 28); of the latter two the first 1297 images are for training and
/// the last 500 for testing. Values are divided by 255 (optdigits: 16), enlarged bilinearly with half-pixel centres, then (x - 0.5) / 0.5.
///
/// Throws std::invalid_argument listing the known domains for an unknown one, std::runtime_error naming the file for a missing or
/// damaged file, images of another size, labels above 9, and unequal numbers of images and labels.
inline dataset load_digits(std::string_view domain_name, split part, const std::filesystem::path& folder = default_folder()) {
  const detail::digits_domain& domain = detail::find_digits_domain(domain_name);
  const bool shared_file = domain.count_in_file != 0;
  const std::string part_name = part == split::train ? "train" : "test";
  const std::string stem = std::string(domain.file_stem) + (shared_file ? "" : "-" + part_name);
  const std::filesystem::path image_path = folder / (stem + "-images-idx3-ubyte.gz");
  const std::filesystem::path label_path = folder / (stem + "-labels-idx1-ubyte.gz");

  const idx_array images = detail::read_digits_file(image_path);
  detail::check_digits_images(images, domain, image_path);
  const idx_array labels = detail::read_digits_file(label_path);
  detail::check_digits_labels(labels, images.sizes[0], label_path);

  const auto in_file = static_cast<Eigen::Index>(images.sizes[0]);
  const Eigen::Index first = shared_file && part == split::test ? domain.first_test_image : 0;
  const Eigen::Index last = shared_file && part == split::train ? domain.first_test_image : in_file;

  dataset result{std::string(domain.name) + " " + part_name, {}, {detail::digits_side, detail::digits_side, 1}, {}, detail::digits_classes};
  result.images.resize(last - first, result.geometry.size());
  for (Eigen::Index i = first; i < last; ++i) {
    detail::convert_digit(images.values.data() + i * domain.stored_side * domain.stored_side, domain, result.images.row(i - first));
  }
  result.labels.assign(labels.values.begin() + first, labels.values.begin() + last);
  return result;
}

} // namespace dalib::data
