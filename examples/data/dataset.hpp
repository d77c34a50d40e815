#pragma once

#include <Eigen/Core>
#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>
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

/// Labelled images of one domain, all of one size.
struct dataset {
  std::string name;        ///< domain and split, as "mnist train"
  image_matrix images;     ///< (N, height * width * channels), row-major: the memory is NHWC
  image_geometry geometry; ///< of every row
  std::vector<int> labels; ///< N labels in [0, classes)
  int classes = 0;

  Eigen::Index size() const { return images.rows(); }
};

/// Copies the images and labels of the given rows into the caller's memory, converted to T.
///
/// @param images room for indices.size() * geometry.size() values, row-major
/// @param labels room for indices.size() labels
/// Throws std::invalid_argument naming the sizes if the room is not exactly that. O(indices.size() * geometry.size()), no allocation.
template <class T>
void gather(const dataset& data, std::span<const std::size_t> indices, std::span<T> images, std::span<int> labels) {
  const auto features = static_cast<std::size_t>(data.geometry.size());
  if (images.size() != indices.size() * features || labels.size() != indices.size()) {
    throw std::invalid_argument("gather: a batch of " + std::to_string(indices.size()) + " images of " + std::to_string(features) +
                                " values needs " + std::to_string(indices.size() * features) + " values and " +
                                std::to_string(indices.size()) + " labels, got room for " + std::to_string(images.size()) + " and " +
                                std::to_string(labels.size()));
  }
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const auto row = static_cast<Eigen::Index>(indices[i]);
    Eigen::Map<Eigen::RowVector<T, Eigen::Dynamic>>(images.data() + i * features, data.geometry.size()) =
        data.images.row(row).template cast<T>();
    labels[i] = data.labels[indices[i]];
  }
}

} // namespace dalib::data
