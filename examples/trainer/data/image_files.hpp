#pragma once
// Data sets of image files, decoded when they are asked for.

#include "../image/decode.hpp"
#include "../image/transforms.hpp"
#include "dataset.hpp"
#include "image_list.hpp"

#include <algorithm>
#include <functional>
#include <mutex>
#include <numeric>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

namespace dalib::data {

/// What happens to image files that cannot be read.
struct unreadable_images {
  bool skip = false;                              ///< otherwise the first one is an error
  std::function<void(const std::string&)> report; ///< told about each file that is skipped, once; by several threads, one at a time
};

/// Reads, decodes and transforms image files.
///
/// A file that cannot be read is an error naming it, or skipped: in training the next one of the list that can be read takes its place
/// (with its own label), whatever thread reads it; in evaluation it is left out.
class image_files final : public sample_source {
public:
  image_files(std::vector<std::filesystem::path> paths, const image::transform& how, unreadable_images unreadable_files)
      : paths_(std::move(paths)), transform_(how), unreadable_(std::move(unreadable_files)) {}

  std::size_t read(std::size_t row, io::random_generator* random, std::span<float> target) const override {
    for (std::size_t tried = 0; tried < paths_.size(); ++tried) {
      const std::size_t candidate = (row + tried) % paths_.size();
      try {
        image::apply(transform_, image::read_image(paths_[candidate]), random, target);
        return candidate;
      } catch (const std::runtime_error& error) {
        if (!unreadable_.skip) throw std::runtime_error(std::string(error.what()) + " (--unreadable skip would go on without it)");
        note(candidate, error.what());
      }
      if (random == nullptr) break;
    }
    if (random != nullptr)
      throw std::runtime_error(paths_[row].string() + ": neither this nor any other image of the data set can be read");
    std::fill(target.begin(), target.end(), 0.0F);
    return unreadable;
  }

  const std::vector<std::filesystem::path>& paths() const { return paths_; }

  /// The files of these rows, in this order.
  std::shared_ptr<const image_files> of_rows(const std::vector<std::size_t>& rows) const {
    std::vector<std::filesystem::path> some;
    for (const std::size_t row : rows) some.push_back(paths_[row]);
    return std::make_shared<const image_files>(std::move(some), transform_, unreadable_);
  }

private:
  void note(std::size_t row, const std::string& problem) const {
    const std::lock_guard lock(mutex_);
    if (noted_.insert(row).second && unreadable_.report) unreadable_.report(problem);
  }

  std::vector<std::filesystem::path> paths_;
  image::transform transform_;
  unreadable_images unreadable_;
  mutable std::mutex mutex_;
  mutable std::set<std::size_t> noted_;
};

/// The list in a random order that is always the same, and its first `most` images only: the beginning of any list is then a sample of it.
inline image_list shuffled(const image_list& list, std::size_t most) {
  std::vector<std::size_t> order(list.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  io::random_generator random(0);
  random.shuffle(std::span(order));
  image_list result{{}, {}, list.classes};
  for (const std::size_t row : std::span(order).first(std::min(most, list.size()))) {
    result.paths.push_back(list.paths[row]);
    result.labels.push_back(list.labels[row]);
  }
  return result;
}

/// A list as a data set of side x side x 3 inputs.
inline dataset make_image_dataset(std::string name, image_list list, const image::transform& how, const unreadable_images& unreadable) {
  dataset result{std::move(name), {}, {how.side, how.side, 3}, std::move(list.labels), list.classes, nullptr};
  result.source = std::make_shared<image_files>(std::move(list.paths), how, unreadable);
  return result;
}

} // namespace dalib::data
