#pragma once

#include "../../distributed/ranks.hpp"
#include "dataset.hpp"
#include "sample_order.hpp"

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace dalib::data {

/// Reads the coming training batches of a data set ahead, with threads of its own.
///
/// Samples are spread over the threads one by one. What a batch holds depends on the order and its seed alone, never on the threads. An
/// exception from reading a sample is kept until its batch is asked for. Memory: (ahead + 1) batches.
class prefetcher {
public:
  /// One batch; rows of `images` are samples.
  struct batch {
    std::vector<float> images;
    std::vector<int> labels;
  };

  /// @param data must outlive the object
  /// @param order of the batches, from its present one on; a copy, the original is advanced by its owner
  /// @param part of each batch that is read
  /// @param threads at least 1
  /// @param ahead batches that are read while one is in use
  prefetcher(const dataset& data, sample_order order, distributed::part part, int threads, std::size_t ahead)
      : data_(&data), order_(std::move(order)), part_(part), ahead_(ahead) {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
  }
  prefetcher(const prefetcher&) = delete;
  prefetcher& operator=(const prefetcher&) = delete;
  ~prefetcher() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  /// The present batch, waiting for it if need be; valid until pop(). Throws what reading one of its samples threw, the first in the
  /// batch's order.
  const batch& front() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !slots_.empty() && slots_.front()->missing == 0; });
    for (const std::exception_ptr& problem : slots_.front()->problems)
      if (problem) std::rethrow_exception(problem);
    return slots_.front()->contents;
  }

  /// Gives the present batch up; front() is then the next one.
  void pop() {
    {
      const std::lock_guard lock(mutex_);
      if (slots_.empty()) add_slot(); // given up before it was begun
      slots_.pop_front();
    }
    changed_.notify_all();
  }

private:
  /// A batch in the making.
  struct slot {
    std::vector<std::size_t> rows;
    std::vector<io::random_generator> randoms;
    std::vector<std::exception_ptr> problems;
    batch contents;
    std::size_t begun = 0;   // samples that a thread has taken up
    std::size_t missing = 0; // samples that are not finished
  };

  void add_slot() {
    auto added = std::make_shared<slot>();
    const auto rows = order_.batch().subspan(static_cast<std::size_t>(part_.first), static_cast<std::size_t>(part_.count));
    added->rows.assign(rows.begin(), rows.end());
    for (const std::size_t row : rows) added->randoms.push_back(order_.random_of(row));
    order_.advance();
    added->problems.resize(rows.size());
    added->contents.images.resize(rows.size() * static_cast<std::size_t>(data_->geometry.size()));
    added->contents.labels.resize(rows.size());
    added->missing = rows.size();
    slots_.push_back(std::move(added));
  }

  /// The oldest batch with samples that nobody has taken up, or nullptr. Makes the next batch where there is room.
  std::shared_ptr<slot> find_work() {
    for (const auto& one : slots_)
      if (one->begun < one->rows.size()) return one;
    if (slots_.size() > ahead_) return nullptr;
    add_slot();
    return slots_.back();
  }

  void work() {
    const auto features = static_cast<std::size_t>(data_->geometry.size());
    std::unique_lock lock(mutex_);
    while (true) {
      std::shared_ptr<slot> mine;
      changed_.wait(lock, [&] { return stopping_ || (mine = find_work()) != nullptr; });
      if (stopping_) return;
      const std::size_t i = mine->begun++;
      lock.unlock();
      try {
        const std::span<float> target(mine->contents.images.data() + i * features, features);
        mine->contents.labels[i] = read_sample(*data_, mine->rows[i], &mine->randoms[i], target);
      } catch (...) {
        mine->problems[i] = std::current_exception();
      }
      lock.lock();
      if (--mine->missing == 0) changed_.notify_all();
    }
  }

  const dataset* data_;
  sample_order order_;
  distributed::part part_;
  std::size_t ahead_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<slot>> slots_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

} // namespace dalib::data
