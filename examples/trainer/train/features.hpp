#pragma once
// The features that a backbone gives for a whole data set.

#include "batch.hpp"

#include "../../nn/module.hpp"
#include "../data/dataset.hpp"

#include <Eigen/Core>

#include <algorithm>
#include <initializer_list>
#include <stdexcept>
#include <utility>
#include <vector>

namespace dalib::train {

/// Images that are forwarded together in evaluation: fewer where they are large, so that their activations fit into memory.
inline index_t evaluated_at_once(const data::dataset& set) {
  if (set.at_once > 0) return set.at_once;
  const data::image_geometry& geometry = set.geometry;
  constexpr index_t most = 250, most_pixels = 400'000;
  return std::clamp<index_t>(most_pixels / (geometry.height * geometry.width), 1, most);
}

/// The images of a data set's beginning that a rank forwards in evaluation. Ranks have whole batches, so that the bits of an image's
/// outputs do not depend on who computes them.
/// @param count images; -1: all
inline distributed::part evaluated_part(const data::dataset& set, index_t count, int rank) {
  const index_t total = count < 0 ? set.size() : std::min(count, static_cast<index_t>(set.size()));
  const index_t at_once = evaluated_at_once(set);
  const auto [first, slices] = distributed::part_of((total + at_once - 1) / at_once, rank, distributed::ranks::all().size());
  const index_t begin = std::min(total, first * at_once);
  return {begin, std::min(total, (first + slices) * at_once) - begin};
}

/// Calls body(images, labels) for this rank's images of a data set's beginning, a batch at a time, as for evaluation.
template <class Scalar, class Body>
void for_each_slice(const data::dataset& set, index_t count, const Body& body) {
  const auto [begin, own] = evaluated_part(set, count, distributed::ranks::all().rank());
  const index_t at_once = evaluated_at_once(set);
  for (index_t first = begin; first < begin + own; first += at_once) {
    const auto slice = image_slice<Scalar>(set, first, std::min(at_once, begin + own - first));
    body(slice.images, slice.labels);
  }
}

/// What the ranks have for their images becomes what there is for all of them, in the data set's order, on every rank.
inline void gather_images(const data::dataset& set, index_t count, std::vector<int>& labels,
                          std::initializer_list<Eigen::MatrixXf*> matrices) {
  const auto& ranks = distributed::ranks::all();
  if (ranks.alone()) return;
  std::vector<std::size_t> images;
  index_t total = 0;
  for (int r = 0; r < ranks.size(); ++r) {
    const index_t n = evaluated_part(set, count, r).count;
    images.push_back(static_cast<std::size_t>(n));
    total += n;
  }
  const auto bytes_of = [&](std::size_t one) {
    std::vector<std::size_t> bytes = images;
    for (std::size_t& b : bytes) b *= one;
    return bytes;
  };
  std::vector<int> all_labels(static_cast<std::size_t>(total));
  ranks.gather(labels.data(), all_labels.data(), bytes_of(sizeof(int)));
  labels = std::move(all_labels);
  for (Eigen::MatrixXf* matrix : matrices) {
    const auto cols = static_cast<index_t>(ranks.largest(matrix->cols())); // a rank without images does not know
    const Eigen::MatrixXf own = matrix->transpose();
    Eigen::MatrixXf all(cols, total);
    ranks.gather(own.data(), all.data(), bytes_of(static_cast<std::size_t>(cols) * sizeof(float)));
    *matrix = all.transpose();
  }
}

/// Numbers of the samples that have a label, which are those that could be read.
inline std::vector<Eigen::Index> readable_rows(const std::vector<int>& labels) {
  std::vector<Eigen::Index> rows;
  for (std::size_t i = 0; i < labels.size(); ++i)
    if (labels[i] != data::no_label) rows.push_back(static_cast<Eigen::Index>(i));
  return rows;
}

/// Keeps the samples that could be read, in the matrices and in `labels`. Throws std::runtime_error naming the data set if there are none.
inline void drop_unreadable(const data::dataset& set, std::vector<int>& labels, std::initializer_list<Eigen::MatrixXf*> matrices) {
  const std::vector<Eigen::Index> kept = readable_rows(labels);
  if (kept.empty()) throw std::runtime_error(set.name + ": none of the images can be read");
  if (kept.size() == labels.size()) return;
  for (Eigen::MatrixXf* matrix : matrices) *matrix = (*matrix)(kept, Eigen::all).eval();
  std::erase(labels, data::no_label);
}

/// What a network gives for each image of a data set, in its order.
struct feature_set {
  Eigen::MatrixXf features; ///< one row per image
  std::vector<int> labels;  ///< data::no_label where the image could not be read
};

/// Forwards all images through a network in evaluation mode, every rank its own.
template <class Network>
feature_set compute_features(Network& network, const data::dataset& images) {
  const ad::no_gradient off;
  nn::set_training(network, false);
  feature_set result{Eigen::MatrixXf(evaluated_part(images, -1, distributed::ranks::all().rank()).count, network.out_features), {}};
  index_t done = 0;
  for_each_slice<float>(images, -1, [&](const variable<float>& x, const std::vector<int>& labels) {
    result.features.middleRows(done, x.shape().images) = network(x).value();
    done += x.shape().images;
    result.labels.insert(result.labels.end(), labels.begin(), labels.end());
  });
  gather_images(images, -1, result.labels, {&result.features});
  return result;
}

} // namespace dalib::train
