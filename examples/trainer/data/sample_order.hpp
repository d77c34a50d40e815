#pragma once

#include "../../io/random.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace dalib::data {

/// The order in which training visits the samples of a data set: endless shuffled mini-batches.
///
/// Every pass visits the samples in a new order; a last partial batch is dropped. The order of a pass is a function of the seed and the
/// number of the pass alone, so the state to save is three small numbers and the generator, and a copy runs ahead of the original.
class sample_order {
public:
  /// Throws std::invalid_argument, naming the data set, unless 1 <= batch_size <= samples.
  sample_order(std::string name, std::size_t samples, std::size_t batch_size, std::uint64_t seed)
      : name_(std::move(name)), batch_size_(batch_size), random_(seed), order_(samples) {
    if (batch_size_ == 0 || batch_size_ > order_.size()) {
      throw std::invalid_argument("loader: batch size " + std::to_string(batch_size_) + " does not fit data set '" + name_ + "' of " +
                                  std::to_string(order_.size()) + " samples");
    }
    shuffle();
  }

  /// The present batch as row numbers of the data set; valid until the order is advanced.
  std::span<const std::size_t> batch() {
    if (position_ + batch_size_ > order_.size()) {
      ++pass_;
      position_ = 0;
      shuffle();
    }
    return std::span(order_).subspan(static_cast<std::size_t>(position_), batch_size_);
  }

  /// On to the next batch, whether the present one was looked at or not.
  void advance() {
    batch();
    position_ += batch_size_;
  }

  /// Generator of one sample of the present batch: a function of seed, pass and row alone, whoever uses it and when.
  io::random_generator random_of(std::size_t row) const { return random_.stream(pass_).stream(row); }

  std::size_t batch_size() const { return batch_size_; }
  std::size_t batches_per_pass() const { return order_.size() / batch_size_; }
  /// Number of completed passes.
  std::uint64_t pass() const { return pass_; }

  /// Where the order stands: orders of one data set at equal places go on equally.
  struct place {
    io::random_generator random;
    std::uint64_t pass, position;
    friend bool operator==(const place&, const place&) = default;
  };
  place present() const { return {random_, pass_, position_}; }

  /// Shows the complete state to a checkpoint visitor; after a restore the same batches follow as after the save.
  /// Throws std::invalid_argument if the restored state belongs to a data set of another size.
  template <class Visitor>
  void visit_state(Visitor&& visitor) {
    std::array<std::uint64_t, 3> state{pass_, position_, order_.size()};
    visitor("loader_state", {3}, std::span<std::uint64_t>(state));
    random_.visit_state(visitor);
    if (state[2] != order_.size() || state[1] > order_.size()) {
      throw std::invalid_argument("loader: saved at sample " + std::to_string(state[1]) + " of " + std::to_string(state[2]) +
                                  ", but data set '" + name_ + "' has " + std::to_string(order_.size()) + " samples");
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

  std::string name_;
  std::size_t batch_size_;
  io::random_generator random_;
  std::uint64_t pass_ = 0;
  std::uint64_t position_ = 0;
  std::vector<std::size_t> order_;
};

} // namespace dalib::data
