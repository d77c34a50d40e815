/// @file
/// Execution for what all ranks know whole and each does a part of.
#pragma once

#include "dalib/core/matrix_view.hpp"
#include "dalib/execution/mpi_communicator.hpp"

#include <vector>

namespace dalib::engine {

/// A rank's own policy, for tasks that every rank does, and the rows that are its part of work on rows that all ranks have. Engines that
/// know it share their work; to all others it is the rank's own policy, and every rank does the whole.
template <class Inner>
class shared_rows {
public:
  using memory = host_memory;

  shared_rows(const mpi_communicator& ranks, const Inner& inner) : ranks_(ranks), inner_(inner) {}

  int workers() const { return inner_.workers(); }
  template <class Task>
  void run(index_t count, const Task& task) const {
    inner_.run(count, task);
  }

  const mpi_communicator& ranks() const { return ranks_; }
  const Inner& inner() const { return inner_; }

  /// First of `rows` rows that are this rank's part; those of the next rank follow.
  index_t first_row(index_t rows) const { return first_row(rows, ranks_.rank()); }
  index_t row_count(index_t rows) const { return first_row(rows, ranks_.rank() + 1) - first_row(rows); }

  /// Gives all ranks all rows of `cols` contiguous numbers, of which each has its own part. Collective.
  template <class T>
  void complete(T* numbers, index_t rows, index_t cols) const {
    if (ranks_.size() == 1) return;
    std::vector<index_t> counts;
    for (int r = 0; r < ranks_.size(); ++r) counts.push_back(first_row(rows, r + 1) - first_row(rows, r));
    ranks_.complete_rows(cols, counts, numbers);
  }

private:
  index_t first_row(index_t rows, int rank) const { return rows * rank / ranks_.size(); }

  const mpi_communicator& ranks_;
  Inner inner_;
};

} // namespace dalib::engine
