#pragma once

#include "../io/random.hpp"
#include "dataset.hpp"

#include <Eigen/Core>
#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace dalib::data {

/// Endless iterator of shuffled mini-batches.
///
/// Every pass visits the samples in a new order; a last partial batch is dropped. The order of a pass is a function of the seed and the
/// number of the pass alone, so the state to save is three small numbers and the generator. The data set must outlive the loader.
class loader {
public:
  /// Throws std::invalid_argument unless 1 <= batch_size <= data.size().
  loader(const dataset& data, std::size_t batch_size, std::uint64_t seed)
      : data_(&data), batch_size_(batch_size), random_(seed), order_(static_cast<std::size_t>(data.size())) {
    if (batch_size_ == 0 || batch_size_ > order_.size()) {
      throw std::invalid_argument("loader: batch size " + std::to_string(batch_size_) + " does not fit data set '" + data.name + "' of " +
                                  std::to_string(order_.size()) + " samples");
    }
    shuffle();
  }
  loader(dataset&&, std::size_t, std::uint64_t) = delete;

  /// Next batch as row numbers of the data set; valid until the next call.
  std::span<const std::size_t> next_indices() {
    if (position_ + batch_size_ > order_.size()) {
      ++pass_;
      position_ = 0;
      shuffle();
    }
    const auto batch = std::span(order_).subspan(static_cast<std::size_t>(position_), batch_size_);
    position_ += batch_size_;
    return batch;
  }

  /// Next batch into contiguous row-major memory for batch_size * geometry.size() values and batch_size labels. No allocation.
  template <class T>
  void next(std::span<T> images, std::span<int> labels) {
    gather(*data_, next_indices(), images, labels);
  }

  /// Next batch into a row-major matrix of the shape (batch, H * W * C) or (batch * H * W, C): the memory is the same. No allocation.
  template <class T>
  void next(Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>& images, std::span<int> labels) {
    next(std::span<T>(images.data(), static_cast<std::size_t>(images.size())), labels);
  }

  const dataset& data() const { return *data_; }
  std::size_t batch_size() const { return batch_size_; }
  std::size_t batches_per_pass() const { return order_.size() / batch_size_; }

  /// Number of completed passes.
  std::uint64_t pass() const { return pass_; }

  /// Shows the complete state to a checkpoint visitor; after a restore the same batches follow as after the save.
  /// Throws std::invalid_argument if the restored state belongs to a data set of another size.
  template <class Visitor>
  void visit_state(Visitor&& visitor) {
    std::array<std::uint64_t, 3> state{pass_, position_, order_.size()};
    visitor("loader_state", {3}, std::span<std::uint64_t>(state));
    random_.visit_state(visitor);
    if (state[2] != order_.size() || state[1] > order_.size()) {
      throw std::invalid_argument("loader: saved at sample " + std::to_string(state[1]) + " of " + std::to_string(state[2]) +
                                  ", but data set '" + data_->name + "' has " + std::to_string(order_.size()) + " samples");
    }
    pass_ = state[0];
    position_ = state[1];
    shuffle();
  }

private:
  // From the identity each time, so that no earlier order matters.
  void shuffle() {
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    random_.stream(pass_).shuffle(std::span(order_));
  }

  const dataset* data_;
  std::size_t batch_size_;
  io::random_generator random_;
  std::uint64_t pass_ = 0;
  std::uint64_t position_ = 0;
  std::vector<std::size_t> order_;
};

} // namespace dalib::data
