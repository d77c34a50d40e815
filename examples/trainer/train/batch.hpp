#pragma once
// Mini-batches of both domains, and data sets as the network's input.

#include "../../autodiff/autodiff.hpp"
#include "../data/loader.hpp"

#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace dalib::train {

using ad::index_t;
using ad::variable;

/// One iteration's images of both domains. They lie in one block of memory, source first, so that a method may forward the domains
/// together (`both`) or one after the other without a copy. Target labels are never part of it. Images are this rank's share; labels and
/// sizes are the whole batch's, as a classifier's outputs are.
template <class Scalar>
struct batch {
  variable<Scalar> both, source, target;
  std::vector<std::int64_t> source_labels;

  index_t source_size() const { return whole_size(source); }
  index_t target_size() const { return whole_size(target); }

private:
  static index_t whole_size(const variable<Scalar>& x) { return x.share() ? x.share()->total() : x.shape().images; }
};

/// Room for `count` images of a data set, (count * height * width) x channels.
template <class Scalar>
ad::tensor<Scalar> image_room(const data::dataset& set, index_t count) {
  return {count * set.geometry.height * set.geometry.width, set.geometry.channels};
}

inline ad::geometry images_of(const data::dataset& set, index_t count) { return {count, set.geometry.height, set.geometry.width}; }

/// Marks images as this rank's share of a batch of these blocks.
template <class Scalar>
variable<Scalar> shared_images(ad::tensor<Scalar> images, const ad::geometry& shape, std::vector<index_t> blocks) {
  auto result = ad::constant(std::move(images), shape);
  if (!distributed::ranks::all().alone()) result.handle()->share = std::make_shared<const ad::row_share>(ad::row_share{std::move(blocks)});
  return result;
}

/// All ranks' labels, in the order of the whole batch.
inline std::vector<std::int64_t> whole_labels(const std::vector<int>& own, std::size_t batch_size) {
  const auto& ranks = distributed::ranks::all();
  std::vector<std::size_t> bytes;
  for (int r = 0; r < ranks.size(); ++r)
    bytes.push_back(static_cast<std::size_t>(distributed::part_of(static_cast<index_t>(batch_size), r, ranks.size()).count) * sizeof(int));
  std::vector<int> all(batch_size);
  ranks.gather(own.data(), all.data(), bytes);
  return {all.begin(), all.end()};
}

/// The next batch of two loaders, whose data sets have images of the same size. If a sample cannot be read, on whatever rank, no loader of
/// any rank goes on, and all throw.
template <class Scalar>
batch<Scalar> next_batch(data::loader& source, data::loader& target) {
  const auto n_s = static_cast<index_t>(source.own_size()), n_t = static_cast<index_t>(target.own_size());
  const ad::tensor<Scalar> images = image_room<Scalar>(source.data(), n_s + n_t);
  const index_t source_rows = images.rows() / (n_s + n_t) * n_s;
  const ad::tensor<Scalar> source_part = images.row_block(0, source_rows);
  const ad::tensor<Scalar> target_part = images.row_block(source_rows, images.rows() - source_rows);

  const auto values = [](const ad::tensor<Scalar>& t) { return std::span<Scalar>(t.data(), static_cast<std::size_t>(t.size())); };
  std::vector<int> source_labels(source.own_size()), ignored(target.own_size());
  std::string problem;
  try {
    source.read(values(source_part), std::span<int>(source_labels));
    target.read(values(target_part), std::span<int>(ignored));
  } catch (const std::exception& error) {
    if (distributed::ranks::all().alone()) throw;
    problem = error.what();
  }
  distributed::ranks::all().agree(problem);
  source.advance();
  target.advance();
  const auto whole_s = static_cast<index_t>(source.batch_size()), whole_t = static_cast<index_t>(target.batch_size());
  return {shared_images(images, images_of(source.data(), n_s + n_t), {whole_s, whole_t}),
          shared_images(source_part, images_of(source.data(), n_s), {whole_s}),
          shared_images(target_part, images_of(target.data(), n_t), {whole_t}), whole_labels(source_labels, source.batch_size())};
}

/// Images as for evaluation, with their labels; data::no_label where an image could not be read.
template <class Scalar>
struct labelled_images {
  variable<Scalar> images;
  std::vector<int> labels;
};

/// Images [first, first + count) of a data set, in its order, read by all threads. Throws what reading the first unreadable one throws.
template <class Scalar>
labelled_images<Scalar> image_slice(const data::dataset& set, index_t first, index_t count) {
  const ad::tensor<Scalar> images = image_room<Scalar>(set, count);
  std::vector<int> labels(static_cast<std::size_t>(count));
  std::vector<std::exception_ptr> problems(labels.size()); // nothing may be thrown out of a parallel loop
  const auto features = static_cast<std::size_t>(set.geometry.size());
  ad::parallel_for(count, [&](index_t i) {
    const auto place = static_cast<std::size_t>(i);
    const std::span<Scalar> target(images.data() + place * features, features);
    try {
      labels[place] = data::read_sample(set, static_cast<std::size_t>(first + i), nullptr, target);
    } catch (...) {
      problems[place] = std::current_exception();
    }
  });
  for (const std::exception_ptr& problem : problems)
    if (problem) std::rethrow_exception(problem);
  return {ad::constant(images, images_of(set, count)), std::move(labels)};
}

} // namespace dalib::train
