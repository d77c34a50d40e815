#pragma once

#include "prefetcher.hpp"

#include <Eigen/Core>
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace dalib::data {

/// Threads that read the samples of a data set that is not in memory, and how many batches they are ahead.
struct prefetching {
  int threads = 2; ///< at least 1
  std::size_t ahead = 2;
};

/// Endless iterator of shuffled mini-batches, in the order of sample_order. The data set must outlive the loader. Of every batch this
/// rank's part is read: the ranks' together are the batch of one that is alone.
class loader {
public:
  /// Throws std::invalid_argument unless 1 <= batch_size <= data.size().
  loader(const dataset& data, std::size_t batch_size, std::uint64_t seed, prefetching how = {})
      : data_(&data), how_(how), order_(data.name, static_cast<std::size_t>(data.size()), batch_size, seed) {}
  loader(dataset&&, std::size_t, std::uint64_t, prefetching = {}) = delete;

  /// Next batch as row numbers of the data set; valid until the next call.
  std::span<const std::size_t> next_indices() {
    const auto rows = order_.batch();
    advance();
    return rows;
  }

  /// This rank's part of the present batch into contiguous row-major memory for own_size * geometry.size() values and own_size labels;
  /// advance() goes on to the next one. A failure to read a sample thus loses nothing: the state is that before the batch. No allocation
  /// for data in memory.
  template <class T>
  void read(std::span<T> images, std::span<int> labels) {
    require_room(*data_, own_size(), images.size(), labels.size());
    const distributed::part own = own_part();
    if (!data_->source) {
      gather(*data_, order_.batch().subspan(static_cast<std::size_t>(own.first), own_size()), images, labels);
      return;
    }
    if (!prefetcher_) prefetcher_ = std::make_unique<prefetcher>(*data_, order_, own, how_.threads, how_.ahead);
    const prefetcher::batch& ready = prefetcher_->front();
    std::copy(ready.images.begin(), ready.images.end(), images.begin());
    std::copy(ready.labels.begin(), ready.labels.end(), labels.begin());
  }

  /// On to the next batch.
  void advance() {
    order_.advance();
    if (prefetcher_) prefetcher_->pop();
  }

  /// The present batch, as read(), and on to the next.
  template <class T>
  void next(std::span<T> images, std::span<int> labels) {
    read(images, labels);
    advance();
  }

  /// Next batch into a row-major matrix of the shape (batch, H * W * C) or (batch * H * W, C): the memory is the same. No allocation.
  template <class T>
  void next(Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>& images, std::span<int> labels) {
    next(std::span<T>(images.data(), static_cast<std::size_t>(images.size())), labels);
  }

  const dataset& data() const { return *data_; }
  std::size_t batch_size() const { return order_.batch_size(); }
  /// Samples of each batch that this rank reads.
  std::size_t own_size() const { return static_cast<std::size_t>(own_part().count); }
  std::size_t batches_per_pass() const { return order_.batches_per_pass(); }

  /// Number of completed passes.
  std::uint64_t pass() const { return order_.pass(); }

  /// Shows the complete state to a checkpoint visitor; see sample_order.
  template <class Visitor>
  void visit_state(Visitor&& visitor) {
    const sample_order::place before = order_.present();
    order_.visit_state(visitor);
    if (order_.present() != before) prefetcher_.reset(); // it has read ahead of the old place
  }

private:
  distributed::part own_part() const { return distributed::ranks::all().own_part(static_cast<std::ptrdiff_t>(batch_size())); }

  const dataset* data_;
  prefetching how_;
  sample_order order_;
  std::unique_ptr<prefetcher> prefetcher_;
};

} // namespace dalib::data
