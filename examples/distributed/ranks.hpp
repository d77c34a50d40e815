#pragma once
// The processes that train together.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace dalib::distributed {

/// Begin and number of what one rank has of a row of things.
struct part {
  std::ptrdiff_t first, count;
};

/// Of n things rank r of P has those from n r / P to n (r + 1) / P.
inline part part_of(std::ptrdiff_t n, int rank, int size) {
  const std::ptrdiff_t first = n * rank / size;
  return {first, n * (rank + 1) / size - first};
}

/// Messages that travel while the rank computes. They use the memory that they were given until they have arrived.
class transfer {
public:
  transfer() = default;
  transfer(const transfer&) = delete;
  transfer& operator=(const transfer&) = delete;
  virtual ~transfer() = default;

  /// Moves them on without waiting; whether they have arrived.
  virtual bool arrived() = 0;
  virtual void wait() = 0;
};

/// The processes of one training, seen from one of them. This class itself is the one of a program that trains alone: it sends nothing.
/// All ranks call the same functions in the same order; whoever makes a decision asks all or takes the first one's.
class ranks {
public:
  ranks() = default;
  ranks(const ranks&) = delete;
  ranks& operator=(const ranks&) = delete;
  virtual ~ranks() = default;

  int rank() const { return rank_; }
  int size() const { return size_; }
  bool alone() const { return size_ == 1; }
  /// Whether this is the one that writes files and talks.
  bool first() const { return rank_ == 0; }
  part own_part(std::ptrdiff_t n) const { return part_of(n, rank_, size_); }

  /// Batch norm takes the statistics of a rank's own rows.
  bool local_batch_norm = false;
  /// Bytes of parameter gradients that are summed together while the backward pass goes on; 0: all of them behind it. Changes no number.
  std::size_t gradient_bucket = default_gradient_bucket;
  static constexpr std::size_t default_gradient_bucket = std::size_t{1} << 18;

  /// `all` becomes what the ranks have, one behind the other; bytes[r] of rank r.
  virtual void gather(const void* own, void* all, std::span<const std::size_t> bytes) const { std::memcpy(all, own, bytes[0]); }
  /// `own` has a piece for every rank, bytes[r] for rank r; `mine` becomes all ranks' pieces for this one.
  virtual void deal(const void* own, std::span<const std::size_t> bytes, void* mine) const { std::memcpy(mine, own, bytes[0]); }
  /// deal(), and gather() of pieces that are in their places in `all`, that go on while the rank computes; null: it is done. In a deal this
  /// rank's own piece may stay behind: its place in `mine` is then left alone. All ranks start their deals in the same order, and their
  /// gathers; a deal may come before or behind a gather.
  virtual std::unique_ptr<transfer> start_deal(const void* own, std::span<const std::size_t> bytes, void* mine) const {
    deal(own, bytes, mine);
    return nullptr;
  }
  virtual std::unique_ptr<transfer> start_gather(void* all, std::span<const std::size_t> bytes) const {
    const char* own = static_cast<const char*>(all);
    for (int r = 0; r < rank_; ++r) own += bytes[static_cast<std::size_t>(r)];
    const std::vector<char> piece(own, own + bytes[static_cast<std::size_t>(rank_)]); // gather() takes no piece in its place
    gather(piece.data(), all, bytes);
    return nullptr;
  }
  /// From the first rank to all.
  virtual void broadcast(void*, std::size_t) const {}

  /// Called by a rank that cannot go on: whether all ranks came here, in a moment. They then end in order.
  virtual bool all_fail() const { return true; }
  /// Ends all ranks at once. Only after all_fail() was false.
  virtual void abort(int) const {}

  /// The sum over the ranks, added in their order: the same bits on all of them and from run to run. About 2 n numbers are sent by a rank.
  template <class T>
  void sum(std::span<T> values) const {
    if (alone()) return;
    constexpr std::size_t at_once = std::size_t{1} << 22;
    for (std::size_t begin = 0; begin < values.size(); begin += at_once)
      sum_piece(values.subspan(begin, std::min(at_once, values.size() - begin)));
  }

  /// One number of every rank, in the ranks' order.
  template <class T>
  std::vector<T> each(T own) const {
    std::vector<T> all(static_cast<std::size_t>(size_));
    gather(&own, all.data(), std::vector<std::size_t>(all.size(), sizeof(T)));
    return all;
  }
  std::int64_t largest(std::int64_t own) const {
    const auto all = each(own);
    return *std::max_element(all.begin(), all.end());
  }

  template <class T>
  T of_first(T own) const {
    static_assert(std::is_trivially_copyable_v<T>);
    broadcast(&own, sizeof(T));
    return own;
  }
  std::string of_first(std::string own) const {
    own.resize(of_first(own.size()));
    broadcast(own.data(), own.size());
    return own;
  }

  /// Every rank's text.
  std::vector<std::string> each(const std::string& own) const {
    const std::vector<std::size_t> lengths = each(own.size());
    std::size_t total = 0;
    for (const std::size_t length : lengths) total += length;
    std::string together(total, ' ');
    gather(own.data(), together.data(), lengths);
    std::vector<std::string> all;
    std::size_t begin = 0;
    for (const std::size_t length : lengths) all.push_back(together.substr(std::exchange(begin, begin + length), length));
    return all;
  }

  /// Throws std::runtime_error on all ranks, with the first message and its rank, unless every rank's is empty.
  void agree(const std::string& problem) const {
    if (alone() || largest(problem.empty() ? 0 : 1) == 0) return;
    const auto all = each(problem);
    const auto found = std::find_if(all.begin(), all.end(), [](const std::string& text) { return !text.empty(); });
    throw std::runtime_error("rank " + std::to_string(found - all.begin()) + ": " + *found);
  }

  /// Throws std::invalid_argument on all ranks if one has another number than the first; `what` says what that means.
  void require_same(const char* what, std::uint64_t own) const {
    const auto all = each(own);
    for (std::size_t r = 1; r < all.size(); ++r)
      if (all[r] != all[0]) throw std::invalid_argument("rank " + std::to_string(r) + " has other " + what + " than rank 0");
  }

  /// The ranks of this program.
  static ranks& all() {
    static ranks one;
    return current_ != nullptr ? *current_ : one;
  }

  /// Makes `these` the ranks of the program for a while.
  class scope {
  public:
    explicit scope(ranks& these) : before_(std::exchange(current_, &these)) {}
    scope(const scope&) = delete;
    scope& operator=(const scope&) = delete;
    ~scope() { current_ = before_; }

  private:
    ranks* before_;
  };

protected:
  ranks(int rank, int size) : rank_(rank), size_(size) {}

  int rank_ = 0, size_ = 1;

private:
  template <class T>
  void sum_piece(std::span<T> values) const {
    constexpr std::size_t few = 4096; // their latency counts: one exchange in place of two
    const auto count = static_cast<std::size_t>(size_);
    std::vector<std::size_t> sizes(count, values.size()), bytes(count);
    if (values.size() > few)
      for (int r = 0; r < size_; ++r)
        sizes[static_cast<std::size_t>(r)] = static_cast<std::size_t>(part_of(static_cast<std::ptrdiff_t>(values.size()), r, size_).count);
    for (std::size_t r = 0; r < count; ++r) bytes[r] = sizes[r] * sizeof(T);

    const std::size_t mine = sizes[static_cast<std::size_t>(rank_)];
    std::vector<T> pieces(mine * count);
    if (values.size() > few)
      deal(values.data(), bytes, pieces.data());
    else
      gather(values.data(), pieces.data(), bytes);
    for (std::size_t r = 1; r < count; ++r)
      for (std::size_t i = 0; i < mine; ++i) pieces[i] += pieces[r * mine + i];
    if (values.size() > few)
      gather(pieces.data(), values.data(), bytes);
    else
      std::copy(pieces.begin(), pieces.begin() + static_cast<std::ptrdiff_t>(mine), values.begin());
  }

  static inline ranks* current_ = nullptr;
};

} // namespace dalib::distributed
