/// @file
/// Checks that all ranks make together: a refusal on one is a refusal on all, or the others would wait for ever.
#pragma once

#include "dalib/execution/mpi.hpp"

#include <array>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

namespace dalib::engine {

/// What became of something that a rank did alone.
struct outcome {
  bool refused = false;
  std::string message;
};

/// Does it, and remembers the exception that ends it.
template <class Work>
outcome outcome_of(const Work& work) {
#if defined(__cpp_exceptions)
  try {
    work();
  } catch (const std::exception& error) {
    return {true, error.what()};
  } catch (...) {
    return {true, "an exception of an unknown type"};
  }
#else
  work();
#endif
  return {};
}

/// The same where ranks send each other messages in between: what all refuse alike, as wrong arguments of the whole sample, is remembered;
/// any other exception goes on, and ends the program, since the other ranks wait for what will not come.
template <class Work>
outcome refusal_of(const Work& work) {
#if defined(__cpp_exceptions)
  try {
    work();
  } catch (const std::invalid_argument& error) {
    return {true, error.what()};
  }
#else
  work();
#endif
  return {};
}

/// Throws refused_by_rank on every rank if any has refused: with the message of the first one. One all-reduce.
inline void agree(const mpi_communicator& ranks, const outcome& own) {
  constexpr std::int64_t nobody = std::numeric_limits<std::int64_t>::max();
  const std::int64_t first = ranks.smallest(own.refused ? ranks.rank() : nobody);
  if (first == nobody) return;
  const int which = static_cast<int>(first);
  std::int64_t length = static_cast<std::int64_t>(own.message.size());
  ranks.broadcast(&length, 1, which);
  std::string message = ranks.rank() == which ? own.message : std::string(static_cast<std::size_t>(length), ' ');
  ranks.broadcast(message.data(), length, which);
  DALIB_THROW(refused_by_rank(which, message));
}

/// Throws on every rank unless all have the same number; `what` says what differs.
inline void require_same(const mpi_communicator& ranks, const char* measure, std::uint64_t own, const char* what) {
  std::vector<std::int64_t> all(static_cast<std::size_t>(ranks.size()));
  const std::int64_t number = static_cast<std::int64_t>(own);
  ranks.all_gather(&number, 1, all.data());
  for (std::size_t r = 1; r < all.size(); ++r)
    if (all[r] != all[0])
      DALIB_THROW(refused_by_rank(static_cast<int>(r), std::string(measure) + ": " + what + " differ from those of rank 0"));
}

/// Numbers of any kind as one, by their bits.
class fingerprint {
public:
  template <class T>
  void add(const T& number) {
    static_assert(std::is_arithmetic_v<T>);
    std::array<unsigned char, sizeof(T)> bytes;
    std::memcpy(bytes.data(), &number, sizeof(T));
    for (const unsigned char byte : bytes) hash_ = (hash_ ^ byte) * 1099511628211ULL;
  }
  void add(const char* text) {
    for (; *text != 0; ++text) add(*text);
  }
  std::uint64_t value() const { return hash_; }

private:
  std::uint64_t hash_ = 14695981039346656037ULL;
};

/// Of a type: the same in all processes of one program.
template <class Type>
std::uint64_t fingerprint_of_type() {
  fingerprint all;
  all.add(__PRETTY_FUNCTION__);
  return all.value();
}

/// What every rank says of one of its tensors.
struct tensor_note {
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::int64_t counted = 0;  ///< rows of a weight above 0
  std::int64_t weighted = 0; ///< whether it has weights
  std::int64_t wanted = 0;   ///< whether its gradient is
  std::int64_t positions = 1;
};

/// The notes of all ranks on one tensor, and what they say together.
struct tensor_notes {
  std::vector<tensor_note> of_rank;

  index_t rows(int rank) const { return of_rank[static_cast<std::size_t>(rank)].rows; }
  std::vector<index_t> row_counts() const { return numbers_of(&tensor_note::rows); }
  std::vector<index_t> counted() const { return numbers_of(&tensor_note::counted); }
  /// Rows of the ranks before.
  index_t rows_before(int rank) const {
    index_t sum = 0;
    for (int r = 0; r < rank; ++r) sum += rows(r);
    return sum;
  }
  index_t total() const { return rows_before(static_cast<int>(of_rank.size())); }
  index_t cols() const { return of_rank[0].cols; }
  index_t positions() const { return of_rank[0].positions; }
  bool weighted() const { return any(&tensor_note::weighted); }
  bool wanted() const { return any(&tensor_note::wanted); }

  /// The same number of features on all ranks; weights on all that have rows, or on none.
  void require_fitting(const char* measure) const {
    for (std::size_t r = 1; r < of_rank.size(); ++r)
      if (of_rank[r].positions != positions())
        DALIB_THROW(refused_by_rank(static_cast<int>(r), std::string(measure) + ": samples have " + std::to_string(of_rank[r].positions) +
                                                             " positions, those of rank 0 have " + std::to_string(positions())));
    for (std::size_t r = 1; r < of_rank.size(); ++r)
      if (of_rank[r].cols != cols())
        DALIB_THROW(refused_by_rank(static_cast<int>(r), std::string(measure) + ": rows have " + std::to_string(of_rank[r].cols) +
                                                             " features, those of rank 0 have " + std::to_string(cols())));
    for (std::size_t r = 0; r < of_rank.size(); ++r)
      if (weighted() && of_rank[r].rows > 0 && of_rank[r].weighted == 0)
        DALIB_THROW(refused_by_rank(static_cast<int>(r), std::string(measure) + ": rows have no weights, those of other ranks have"));
  }

private:
  std::vector<index_t> numbers_of(std::int64_t tensor_note::*member) const {
    std::vector<index_t> all;
    for (const tensor_note& note : of_rank) all.push_back(note.*member);
    return all;
  }
  bool any(std::int64_t tensor_note::*member) const {
    for (const tensor_note& note : of_rank)
      if (note.*member != 0) return true;
    return false;
  }
};

/// Every rank's notes on its tensors: one all-gather.
template <std::size_t Count>
std::array<tensor_notes, Count> exchange(const mpi_communicator& ranks, const std::array<tensor_note, Count>& own) {
  constexpr index_t length = static_cast<index_t>(sizeof(tensor_note) / sizeof(std::int64_t) * Count);
  static_assert(sizeof(tensor_note) == 6 * sizeof(std::int64_t));
  std::vector<std::int64_t> all(static_cast<std::size_t>(ranks.size() * length));
  std::vector<std::int64_t> mine(static_cast<std::size_t>(length));
  std::memcpy(mine.data(), own.data(), sizeof(own));
  ranks.all_gather(mine.data(), length, all.data());
  std::array<tensor_notes, Count> notes;
  for (int r = 0; r < ranks.size(); ++r) {
    std::array<tensor_note, Count> theirs;
    std::memcpy(static_cast<void*>(theirs.data()), all.data() + r * length, sizeof(theirs));
    for (std::size_t i = 0; i < Count; ++i) notes[i].of_rank.push_back(theirs[i]);
  }
  return notes;
}

} // namespace dalib::engine
