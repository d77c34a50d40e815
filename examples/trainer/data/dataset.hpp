#pragma once

#include "../../io/random.hpp"

#include <Eigen/Core>
#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

namespace dalib::data {

/// Size of one image; pixels are stored in the order (height, width, channel).
struct image_geometry {
  Eigen::Index height = 0;
  Eigen::Index width = 0;
  Eigen::Index channels = 1;

  Eigen::Index size() const { return height * width * channels; }
  friend bool operator==(const image_geometry&, const image_geometry&) = default;
};

using image_matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Reads the samples of a data set whose images do not lie in memory. Its members are called by several threads at once.
class sample_source {
public:
  /// Returned in place of a row for a sample that cannot be read.
  static constexpr std::size_t unreadable = static_cast<std::size_t>(-1);

  sample_source() = default;
  sample_source(const sample_source&) = delete;
  sample_source& operator=(const sample_source&) = delete;
  virtual ~sample_source() = default;

  /// Writes a sample to `target`, which has room for the geometry's values.
  /// @param random of this sample and pass, for training: what is drawn may depend on nothing else; nullptr for evaluation
  /// Returns the row of the sample that was written. For a sample that cannot be read that is another row in training, and `unreadable` in
  /// evaluation; or it throws std::runtime_error naming the file.
  virtual std::size_t read(std::size_t row, io::random_generator* random, std::span<float> target) const = 0;
};

/// Labelled images of one domain, all of one size.
struct dataset {
  std::string name;        ///< domain and split, as "mnist train"
  image_matrix images;     ///< (N, height * width * channels), row-major: the memory is NHWC
  image_geometry geometry; ///< of every row
  std::vector<int> labels; ///< N labels in [0, classes)
  int classes = 0;
  std::shared_ptr<const sample_source> source{}; ///< reads the images where there are none in memory
  bool labelled = true;                          ///< otherwise the labels are 0 and mean nothing
  std::vector<std::string> sample_names{};       ///< of the files; empty: samples go by their numbers
  Eigen::Index at_once = 0;                      ///< samples that are forwarded together in evaluation; 0: by the geometry

  Eigen::Index size() const { return static_cast<Eigen::Index>(labels.size()); }
};

/// The label of a sample that could not be read.
inline constexpr int no_label = -1;

/// Copies one sample into the caller's memory, converted to T, and returns its label.
/// @param random see sample_source::read; images in memory need none
template <class T>
int read_sample(const dataset& data, std::size_t row, io::random_generator* random, std::span<T> target) {
  if (!data.source) {
    Eigen::Map<Eigen::RowVector<T, Eigen::Dynamic>>(target.data(), data.geometry.size()) =
        data.images.row(static_cast<Eigen::Index>(row)).template cast<T>();
    return data.labels[row];
  }
  std::size_t found = row;
  if constexpr (std::is_same_v<T, float>) {
    found = data.source->read(row, random, target);
  } else {
    std::vector<float> values(target.size());
    found = data.source->read(row, random, values);
    std::copy(values.begin(), values.end(), target.begin());
  }
  return found == sample_source::unreadable ? no_label : data.labels[found];
}

/// Throws std::invalid_argument naming the sizes unless there is room for exactly `count` samples.
inline void require_room(const dataset& data, std::size_t count, std::size_t values, std::size_t labels) {
  const auto features = static_cast<std::size_t>(data.geometry.size());
  if (values == count * features && labels == count) return;
  throw std::invalid_argument("gather: a batch of " + std::to_string(count) + " images of " + std::to_string(features) + " values needs " +
                              std::to_string(count * features) + " values and " + std::to_string(count) + " labels, got room for " +
                              std::to_string(values) + " and " + std::to_string(labels));
}

/// Copies the images and labels of the given rows into the caller's memory, converted to T, as for evaluation.
///
/// @param images room for indices.size() * geometry.size() values, row-major
/// @param labels room for indices.size() labels; no_label where a sample could not be read
/// Throws std::invalid_argument naming the sizes if the room is not exactly that, and what the data set's source throws.
/// O(indices.size() * geometry.size()) for images in memory, without allocation.
template <class T>
void gather(const dataset& data, std::span<const std::size_t> indices, std::span<T> images, std::span<int> labels) {
  require_room(data, indices.size(), images.size(), labels.size());
  const auto features = static_cast<std::size_t>(data.geometry.size());
  for (std::size_t i = 0; i < indices.size(); ++i)
    labels[i] = read_sample(data, indices[i], nullptr, images.subspan(i * features, features));
}

} // namespace dalib::data
