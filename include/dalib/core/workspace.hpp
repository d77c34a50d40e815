/// @file
/// Scratch memory that a caller may keep between calls, so that a call allocates nothing.
#pragma once

#include "dalib/core/matrix_view.hpp"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <vector>

namespace dalib {

template <class Workspace>
class workspace_mark;

/// Where a workspace's memory comes from: the host's heap.
struct host_resource {
  static void* allocate(std::size_t bytes, std::size_t alignment) { return ::operator new (bytes, std::align_val_t{alignment}); }
  static void deallocate(void* p, std::size_t alignment) { ::operator delete (p, std::align_val_t{alignment}); }
};

/// Grow-only scratch memory. A measure draws aligned blocks from it and returns all of them at the end of the call. The first call
/// allocates as it goes, and at its end one piece that holds everything; further ones with the same shapes allocate nothing. One workspace
/// serves one call at a time; it is not for sharing between threads.
///
/// @code{.cpp}
/// const Eigen::MatrixXf zs = Eigen::MatrixXf::Random(64, 16), zt = Eigen::MatrixXf::Random(48, 16);
/// Eigen::MatrixXf gs(64, 16), gt(48, 16);
/// workspace scratch; // kept by the training loop
/// const auto iteration = [&] { mmd{}.value_and_gradient(exec::serial{}, zs, zt, gradients{gs, gt}, scratch); };
/// iteration();
/// iteration();
/// const std::size_t held = scratch.capacity();
/// iteration(); // allocates nothing
/// assert(held > 0 && scratch.capacity() == held);
/// static_assert(std::is_same_v<workspace, basic_workspace<host_resource>>);
/// @endcode
template <class Resource>
class basic_workspace {
public:
  /// Alignment of every block in bytes: a cache line and the widest register.
  static constexpr std::size_t alignment = 64;

  basic_workspace() = default;
  basic_workspace(basic_workspace&&) noexcept = default;
  basic_workspace& operator=(basic_workspace&&) noexcept = default;

  /// Uninitialised memory for `count` objects of a trivial type, valid until release().
  template <class T>
  T* allocate(index_t count) {
    static_assert(std::is_trivially_destructible_v<T>, "dalib: a workspace holds only trivial types");
    const std::size_t bytes = (static_cast<std::size_t>(count) * sizeof(T) + alignment - 1) / alignment * alignment;
    return static_cast<T*>(draw(bytes));
  }

  /// The same, filled with zeros.
  template <class T>
  T* allocate_zero(index_t count) {
    T* block = allocate<T>(count);
    for (index_t i = 0; i < count; ++i) block[i] = T(0);
    return block;
  }

  /// Gives every block back; memory is kept. Called by the measures at their end. If one call needed several chunks, they become one of
  /// their total size, so that the next call needs no more.
  void release() noexcept {
    if (chunks_.size() > 1) {
#if defined(__cpp_exceptions)
      try {
        join_chunks();
      } catch (...) { // the next call asks again, and throws
        chunks_.clear();
      }
#else
      join_chunks();
#endif
    }
    current_ = 0;
    used_ = 0;
  }

  /// Bytes held.
  std::size_t capacity() const noexcept {
    std::size_t total = 0;
    for (const chunk& c : chunks_) total += c.bytes;
    return total;
  }

private:
  friend class workspace_mark<basic_workspace>;
  struct free_memory {
    void operator()(std::byte* p) const { Resource::deallocate(p, alignment); }
  };
  struct chunk {
    std::unique_ptr<std::byte, free_memory> memory;
    std::size_t bytes = 0;
  };

  static chunk make_chunk(std::size_t bytes) {
    return {std::unique_ptr<std::byte, free_memory>(static_cast<std::byte*>(Resource::allocate(bytes, alignment))), bytes};
  }

  void join_chunks() {
    next_chunk_ = capacity();
    chunks_.clear();
    chunks_.push_back(make_chunk(next_chunk_));
  }

  void* draw(std::size_t bytes) {
    // Blocks handed out must not move, so growth adds a chunk. After a mark, chunks added since are used again in the same order.
    while (current_ < chunks_.size() && used_ + bytes > chunks_[current_].bytes) {
      ++current_;
      used_ = 0;
    }
    if (current_ == chunks_.size()) chunks_.push_back(make_chunk(std::max(bytes, next_chunk_)));
    void* block = chunks_[current_].memory.get() + used_;
    used_ += bytes;
    return block;
  }

  std::vector<chunk> chunks_;
  std::size_t next_chunk_ = std::size_t{1} << 16;
  std::size_t current_ = 0; ///< chunk that blocks are drawn from
  std::size_t used_ = 0;    ///< bytes of it
};

/// Scratch memory of measures whose tensors are in the host's memory.
using workspace = basic_workspace<host_resource>;

/// Gives back, at the end of a scope, what was drawn within it. The memory is kept: the same draws again need no more.
template <class Workspace>
class workspace_mark {
public:
  explicit workspace_mark(Workspace& owner) : owner_(owner), current_(owner.current_), used_(owner.used_) {}
  workspace_mark(const workspace_mark&) = delete;
  workspace_mark& operator=(const workspace_mark&) = delete;
  ~workspace_mark() {
    owner_.current_ = current_;
    owner_.used_ = used_;
  }

private:
  Workspace& owner_;
  std::size_t current_;
  std::size_t used_;
};

/// Releases a workspace at the end of a scope, also when an exception leaves it.
///
/// @code{.cpp}
/// workspace scratch;
/// {
///   const workspace_scope whole_call(scratch);
///   double* kept = scratch.allocate<double>(8);
///   double* first = nullptr;
///   {
///     const workspace_mark inner(scratch);
///     first = scratch.allocate<double>(8);
///   }
///   assert(scratch.allocate<double>(8) == first && first != kept); // what the inner scope drew is there again
/// }
/// assert(scratch.capacity() > 0);
/// @endcode
template <class Workspace>
class workspace_scope {
public:
  explicit workspace_scope(Workspace& owner) : owner_(owner) {}
  workspace_scope(const workspace_scope&) = delete;
  workspace_scope& operator=(const workspace_scope&) = delete;
  ~workspace_scope() { owner_.release(); }

private:
  Workspace& owner_;
};

/// The workspace of measures whose tensors are in `Memory`: `workspace`, or dalib/thrust.hpp's `device_workspace`.
template <class Memory>
using workspace_of = typename backend<Memory>::workspace;

} // namespace dalib
