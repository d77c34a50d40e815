/// @file
/// The ten functions of MPI that the library uses, with C++'s types.
#pragma once

#include "dalib/core/check.hpp"
#include "dalib/core/matrix_view.hpp"

#include <mpi.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <type_traits>
#include <vector>

namespace dalib {

/// @internal
/// MPI's name of a number's type.
template <class T>
MPI_Datatype mpi_type() {
  if constexpr (std::is_same_v<T, float>)
    return MPI_FLOAT;
  else if constexpr (std::is_same_v<T, double>)
    return MPI_DOUBLE;
  else if constexpr (std::is_same_v<T, std::int64_t>)
    return MPI_INT64_T;
  else
    return MPI_BYTE;
}

/// A communicator of its own, with the ranks of the caller's: messages of the library never meet the program's. Making one is collective.
/// Copies share it. MPI must be initialised, with MPI_THREAD_FUNNELED where the ranks have several threads, and calls come from the main
/// thread (with MPI_THREAD_SERIALIZED from any, one at a time).
/// @throws std::runtime_error if MPI is not initialised or its thread level is too low
///
/// @code{.cpp}
/// int argc = 0;
/// char** argv = nullptr;
/// const mpi_session session(argc, argv);
/// const mpi_communicator ranks(MPI_COMM_WORLD, 1);
/// assert(ranks.rank() < ranks.size() && ranks.sent() == 0);
/// @endcode
class mpi_communicator {
public:
  /// @param threads  of this rank
  explicit mpi_communicator(MPI_Comm communicator, int threads = 1) : state_(std::make_shared<shared_state>()) {
    require_mpi(threads);
    MPI_Comm_dup(communicator, &state_->communicator);
    MPI_Comm_rank(state_->communicator, &state_->rank);
    MPI_Comm_size(state_->communicator, &state_->size);
  }

  int rank() const { return state_->rank; }
  int size() const { return state_->size; }

  /// Bytes that this rank has handed to MPI for other ranks by messages, so far. What collective operations send is not counted.
  std::uint64_t sent() const { return state_->sent; }

  /// all[r * count ...] = the numbers of rank r.
  template <class T>
  void all_gather(const T* own, index_t count, T* all) const {
    MPI_Allgather(own, bytes<T>(count), mpi_type<T>(), all, bytes<T>(count), mpi_type<T>(), state_->communicator);
  }

  /// Rows of `cols` numbers of all ranks, in the ranks' order; counts[r] of rank r.
  template <class T>
  void all_gather_rows(const T* own, index_t cols, const std::vector<index_t>& counts, T* all) const {
    gather_rows<T>(own, static_cast<int>(counts[static_cast<std::size_t>(rank())]), cols, counts, all);
  }
  /// The same where this rank's rows are in their place already.
  template <class T>
  void complete_rows(index_t cols, const std::vector<index_t>& counts, T* all) const {
    gather_rows<T>(MPI_IN_PLACE, 0, cols, counts, all);
  }

  template <class T>
  void broadcast(T* numbers, index_t count, int from) const {
    for_each_piece(numbers, count, [&](T* piece, index_t n) { MPI_Bcast(piece, bytes<T>(n), mpi_type<T>(), from, state_->communicator); });
  }

  /// numbers = their sums over all ranks: integers, whose sums no order changes.
  void add_up(std::int64_t* numbers, index_t count) const {
    for_each_piece(numbers, count, [&](std::int64_t* piece, index_t n) {
      MPI_Allreduce(MPI_IN_PLACE, piece, static_cast<int>(n), MPI_INT64_T, MPI_SUM, state_->communicator);
    });
  }

  std::int64_t smallest(std::int64_t own) const {
    std::int64_t all = 0;
    MPI_Allreduce(&own, &all, 1, MPI_INT64_T, MPI_MIN, state_->communicator);
    return all;
  }

  /// Numbers go from rank to rank in order: each adds to what it receives by `add()`; then all have the last rank's. What all receive does
  /// not depend on where the borders between the ranks are, if each adds its own in order. O(ranks) messages, one after another.
  template <class T, class Add>
  void pass_through(T* numbers, index_t count, const Add& add) const {
    if (rank() > 0) MPI_Recv(numbers, bytes<T>(count), mpi_type<T>(), rank() - 1, chain_tag, state_->communicator, MPI_STATUS_IGNORE);
    add();
    if (rank() + 1 < size()) {
      MPI_Send(numbers, bytes<T>(count), mpi_type<T>(), rank() + 1, chain_tag, state_->communicator);
      state_->sent += static_cast<std::uint64_t>(count) * sizeof(T);
    }
    broadcast(numbers, count, size() - 1);
  }

private:
  friend class mpi_requests;
  static constexpr int chain_tag = 0;
  static constexpr index_t most_at_once = index_t{1} << 28; ///< counts are ints

  struct shared_state {
    MPI_Comm communicator = MPI_COMM_NULL;
    int rank = 0;
    int size = 1;
    std::uint64_t sent = 0;
    shared_state() = default;
    shared_state(const shared_state&) = delete;
    shared_state& operator=(const shared_state&) = delete;
    ~shared_state() {
      int finalized = 0;
      MPI_Finalized(&finalized);
      if (!finalized && communicator != MPI_COMM_NULL) MPI_Comm_free(&communicator);
    }
  };

  template <class T>
  void gather_rows(const void* own, int own_count, index_t cols, const std::vector<index_t>& counts, T* all) const {
    std::vector<int> rows(counts.size()), places(counts.size());
    index_t before = 0;
    for (std::size_t r = 0; r < counts.size(); ++r) {
      rows[r] = static_cast<int>(counts[r]);
      places[r] = static_cast<int>(before);
      before += counts[r];
    }
    MPI_Datatype row;
    MPI_Type_contiguous(bytes<T>(cols), mpi_type<T>(), &row);
    MPI_Type_commit(&row);
    MPI_Allgatherv(own, own_count, row, all, rows.data(), places.data(), row, state_->communicator);
    MPI_Type_free(&row);
  }

  static void require_mpi(int threads) {
    int initialised = 0, level = 0, main_thread = 0;
    MPI_Initialized(&initialised);
    if (!initialised)
      DALIB_THROW(std::runtime_error("exec::mpi: MPI is not initialised: make a dalib::mpi_session first, or call MPI_Init_thread"));
    MPI_Query_thread(&level);
    if (threads > 1 && level < MPI_THREAD_FUNNELED)
      DALIB_THROW(std::runtime_error("exec::mpi: ranks of several threads need MPI_Init_thread with MPI_THREAD_FUNNELED, and MPI gave "
                                     "MPI_THREAD_SINGLE"));
    MPI_Is_thread_main(&main_thread);
    if (!main_thread && level < MPI_THREAD_SERIALIZED)
      DALIB_THROW(std::runtime_error("exec::mpi: calls in another thread than the main one need MPI_THREAD_SERIALIZED"));
  }

  /// What is no number to MPI is bytes.
  template <class T>
  static int bytes(index_t count) {
    return static_cast<int>(mpi_type<T>() == MPI_BYTE ? count * static_cast<index_t>(sizeof(T)) : count);
  }
  template <class T, class Use>
  static void for_each_piece(T* numbers, index_t count, const Use& use) {
    for (index_t first = 0; first < count; first += most_at_once) use(numbers + first, std::min(most_at_once, count - first));
  }

  std::shared_ptr<shared_state> state_;
};

/// @internal
/// Messages under way. Between two ranks those of one tag arrive in the order in which they were sent.
class mpi_requests {
public:
  explicit mpi_requests(const mpi_communicator& ranks) : ranks_(ranks) {}

  template <class T>
  void send(const T* numbers, index_t count, int to, int tag) {
    mpi_communicator::for_each_piece(numbers, count, [&](const T* piece, index_t n) {
      MPI_Isend(piece, mpi_communicator::bytes<T>(n), mpi_type<T>(), to, 1 + tag, ranks_.state_->communicator, add());
    });
    if (to != ranks_.rank()) ranks_.state_->sent += static_cast<std::uint64_t>(count) * sizeof(T);
  }
  template <class T>
  void receive(T* numbers, index_t count, int from, int tag) {
    mpi_communicator::for_each_piece(numbers, count, [&](T* piece, index_t n) {
      MPI_Irecv(piece, mpi_communicator::bytes<T>(n), mpi_type<T>(), from, 1 + tag, ranks_.state_->communicator, add());
    });
  }

  /// Lets MPI work: without calls many an implementation moves nothing.
  void advance() {
    int done = 0;
    if (!requests_.empty()) MPI_Testall(static_cast<int>(requests_.size()), requests_.data(), &done, MPI_STATUSES_IGNORE);
  }
  void wait() {
    if (!requests_.empty()) MPI_Waitall(static_cast<int>(requests_.size()), requests_.data(), MPI_STATUSES_IGNORE);
    requests_.clear();
  }

private:
  MPI_Request* add() {
    requests_.push_back(MPI_REQUEST_NULL);
    return &requests_.back();
  }

  const mpi_communicator& ranks_;
  std::vector<MPI_Request> requests_;
};

} // namespace dalib
