#pragma once
#include <algorithm>
#include <bit>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include <dalib/core/eigen_core.hpp>
#include <dalib/core/matrix_view.hpp>

namespace dalib::ad {

using dalib::index_t;

/// Row-major matrix, the layout of every activation, parameter and gradient.
template <class Scalar>
using matrix = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <class Scalar>
using map = Eigen::Map<matrix<Scalar>>;
template <class Scalar>
using const_map = Eigen::Map<const matrix<Scalar>>;

/// Recycles the memory of activations and gradients between iterations.
///
/// A training iteration asks for the same sizes again and again; memory fresh from the system would cost a page fault for
/// every 4 KiB each time. Blocks are 64-byte aligned, sizes are rounded up to a quarter of a power of two, and a freed block
/// waits in a list for the next request of its size. Thread-safe.
class memory_pool {
public:
  static constexpr std::size_t alignment = 64;
  /// Readable bytes behind every block: the vector kernels load whole vectors at the end of a row and ignore the surplus.
  static constexpr std::size_t slack = 256;

  /// The pool of this process. It is never destroyed, so that variables of static lifetime can be released at exit.
  static memory_pool& instance() {
    static memory_pool* const pool = new memory_pool;
    return *pool;
  }

  /// A block of at least `bytes` bytes with unspecified contents; it returns to the pool with its last owner.
  std::shared_ptr<void> allocate(std::size_t bytes) {
    const std::size_t size = rounded(bytes + slack);
    return {take(size), [this, size](void* block) { give_back(block, size); }};
  }

  /// Returns the waiting blocks to the system.
  void trim() {
    const std::lock_guard lock(mutex_);
    for (auto& [size, blocks] : free_) {
      for (void* block : blocks) ::operator delete (block, std::align_val_t{alignment});
      held_ -= size * blocks.size();
    }
    free_.clear();
  }

  /// Bytes taken from the system: in use and waiting.
  std::size_t bytes_held() const {
    const std::lock_guard lock(mutex_);
    return held_;
  }

private:
  static std::size_t rounded(std::size_t bytes) {
    const std::size_t step = std::max<std::size_t>(std::bit_floor(bytes) / 4, alignment);
    return (bytes + step - 1) / step * step;
  }

  void* take(std::size_t size) {
    const std::lock_guard lock(mutex_);
    std::vector<void*>& blocks = free_[size];
    if (!blocks.empty()) {
      void* block = blocks.back();
      blocks.pop_back();
      return block;
    }
    blocks.reserve(16); // so that giving back does not throw in the common case
    void* block = ::operator new (size, std::align_val_t{alignment});
    held_ += size;
    return block;
  }

  void give_back(void* block, std::size_t size) noexcept {
    const std::lock_guard lock(mutex_);
    try {
      free_[size].push_back(block);
    } catch (...) {
      ::operator delete (block, std::align_val_t{alignment});
      held_ -= size;
    }
  }

  mutable std::mutex mutex_;
  std::map<std::size_t, std::vector<void*>> free_;
  std::size_t held_ = 0;
};

/// A row-major rows x cols matrix in pooled memory. Copies share the elements, as do row blocks and reshaped forms.
template <class Scalar>
class tensor {
public:
  tensor() = default;

  /// Allocates rows x cols elements with unspecified values.
  tensor(index_t rows, index_t cols) : rows_(rows), cols_(cols) {
    if (rows < 0 || cols < 0) throw std::invalid_argument("tensor: negative size");
    const auto bytes = static_cast<std::size_t>(rows) * static_cast<std::size_t>(cols) * sizeof(Scalar);
    const std::shared_ptr<void> block = memory_pool::instance().allocate(bytes);
    elements_ = std::shared_ptr<Scalar>(block, static_cast<Scalar*>(block.get()));
  }

  static tensor zeros(index_t rows, index_t cols) {
    tensor result(rows, cols);
    result.view().setZero();
    return result;
  }

  index_t rows() const { return rows_; }
  index_t cols() const { return cols_; }
  index_t size() const { return rows_ * cols_; }
  bool empty() const { return elements_ == nullptr; }
  Scalar* data() const { return elements_.get(); }
  map<Scalar> view() const { return {elements_.get(), rows_, cols_}; }

  /// Rows [first, first + count), sharing the elements.
  tensor row_block(index_t first, index_t count) const {
    tensor result = *this;
    result.elements_ = std::shared_ptr<Scalar>(elements_, elements_.get() + first * cols_);
    result.rows_ = count;
    return result;
  }

  /// The same elements as rows x cols.
  tensor reshaped(index_t rows, index_t cols) const {
    if (rows * cols != size()) throw std::invalid_argument("tensor: reshape changes the number of elements");
    tensor result = *this;
    result.rows_ = rows;
    result.cols_ = cols;
    return result;
  }

  /// The size alone.
  tensor without_elements() const {
    tensor result;
    result.rows_ = rows_;
    result.cols_ = cols_;
    return result;
  }

  /// True if no other tensor shares the elements.
  bool unique() const { return elements_.use_count() == 1; }

private:
  std::shared_ptr<Scalar> elements_;
  index_t rows_ = 0;
  index_t cols_ = 0;
};

} // namespace dalib::ad
